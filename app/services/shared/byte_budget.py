"""A number of bytes that several hold parts of, so that what takes memory with them stays bounded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class ByteBudget:
    """So many bytes for all; who wants more than are left waits, in the order of coming.

    Use it in one event loop.
    """

    def __init__(self, total: int) -> None:
        self.total = self._left = total
        self._turn, self._returned = asyncio.Lock(), asyncio.Condition()

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[None]:
        """Hold so many bytes, all of them for a size beyond the total."""
        held = min(size, self.total)
        async with self._turn, self._returned:
            await self._returned.wait_for(lambda: self._left >= held)
            self._left -= held
        try:
            yield
        finally:
            async with self._returned:
                self._left += held
                self._returned.notify_all()
