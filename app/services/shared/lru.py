"""Memory for what was used last, bounded by size."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Lru(Generic[Key, Value]):
    """Keeps values up to a limit of their sizes together; then those used longest ago go, but never the last.

    What is pinned stays, and counts. To be used by one thread at a time.
    """

    def __init__(self, limit: int, size: Callable[[Value], int] = lambda _: 1) -> None:
        self._limit, self._size_of = limit, size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self.size = 0
        self.pinned: set[Key] = set()

    def get(self, key: Key) -> Value | None:
        """Return the value under a key, which counts as used by that."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep a value under a key, in place of the one that was there."""
        self.drop(key)
        self._values[key] = value
        self.size += self._size_of(value)
        while self.size > self._limit and (oldest := self._oldest_but(key)) is not None:
            self.drop(oldest)

    def drop(self, key: Key) -> None:
        """Forget what is under a key, if anything is."""
        value = self._values.pop(key, None)
        if value is not None:
            self.size -= self._size_of(value)

    def _oldest_but(self, newest: Key) -> Key | None:
        return next((key for key in self._values if key != newest and key not in self.pinned), None)
