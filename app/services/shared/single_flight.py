"""Compute a value once, however many callers ask for it at the same time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Generic

from app.services.shared.lru import Key, Lru, Value


class SingleFlight(Generic[Key, Value]):
    """A cache that computes each missing value in a thread, one call for all who wait for its key.

    The threads are the event loop's own, or those of an executor. Use it in one event loop.
    """

    def __init__(self, cache: Lru[Key, Value], threads: Executor | None = None) -> None:
        self._cache, self._threads = cache, threads
        self._in_flight: dict[Key, asyncio.Task[Value]] = {}

    async def get(
        self, key: Key, compute: Callable[[], Value], then: Callable[[], None] = lambda: None
    ) -> Value:
        """Return the cached value of a key, or compute and cache it; an error reaches all who wait.

        The computation goes on where all who wait are cancelled. `then` is called in the event loop once it
        has ended: whoever asks from there on gets the value, or a computation of their own after an error.
        """
        if (found := self._cache.get(key)) is not None:
            return found
        if key not in self._in_flight:
            task = self._in_flight[key] = asyncio.create_task(self._compute(key, compute))
            # A callback, since a task that is cancelled before it starts runs no `finally`.
            task.add_done_callback(partial(self._landed, key, then))
        # Shielded: a caller that disconnects must not cancel the task that others wait for.
        return await asyncio.shield(self._in_flight[key])

    def _landed(self, key: Key, then: Callable[[], None], task: "asyncio.Task[Value]") -> None:
        del self._in_flight[key]
        then()
        if not task.cancelled():
            task.exception()  # asyncio logs errors that nobody has seen, and all who waited may have gone

    async def _compute(self, key: Key, compute: Callable[[], Value]) -> Value:
        value = await asyncio.get_running_loop().run_in_executor(self._threads, compute)
        self._cache.put(key, value)
        return value
