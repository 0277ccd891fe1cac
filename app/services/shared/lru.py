"""A least-recently-used cache, bounded by the size of its values."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Lru(Generic[Key, Value]):
    """Drops the values used longest ago when their total size exceeds a limit; the newest always stays.

    Use it in one thread at a time.
    """

    def __init__(self, limit: int, size: Callable[[Value], int] = lambda _: 1) -> None:
        self._limit, self._size_of = limit, size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self.size = 0

    def get(self, key: Key) -> Value | None:
        """Return the value of a key and mark it as used."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Store a value under a key, replacing any other."""
        self.drop(key)
        self._values[key] = value
        self.size += self._size_of(value)
        while self.size > self._limit and len(self._values) > 1:
            self.drop(next(iter(self._values)))

    def drop(self, key: Key) -> None:
        """Remove the value of a key, if there is one."""
        value = self._values.pop(key, None)
        if value is not None:
            self.size -= self._size_of(value)
