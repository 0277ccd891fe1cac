"""What is slow to make is made once, however many ask for it at the same time."""

import asyncio
from collections.abc import Callable
from typing import Generic

from app.services.shared.lru import Key, Lru, Value


class Once(Generic[Key, Value]):
    """Gives values from memory, and makes those that are not there, each in a thread of its own.

    To be used in one event loop.
    """

    def __init__(self, kept: Lru[Key, Value]) -> None:
        self._kept = kept
        self._making: dict[Key, asyncio.Task[Value]] = {}

    async def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the value under a key, from memory or by `make`."""
        if (found := self._kept.get(key)) is not None:
            return found
        if key not in self._making:
            making = self._making[key] = asyncio.create_task(self._make(key, make))
            # Even if it is broken off before it has begun.
            making.add_done_callback(lambda _: self._making.pop(key))
        # Shielded: who waits may go away, and others wait for the same.
        return await asyncio.shield(self._making[key])

    async def _make(self, key: Key, make: Callable[[], Value]) -> Value:
        value = await asyncio.to_thread(make)
        self._kept.put(key, value)
        return value
