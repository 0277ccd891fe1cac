"""HTTP on a stream of asyncio's: little work, so that the client leaves the processor to the service."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

NO_ANSWER = 0


class Connection:
    """One connection, opened again when it broke; answers must tell their length, as JSON does here."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._writer.close()

    async def _open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return status and body of the answer; NO_ANSWER and nothing if there was none."""
        try:
            if self._reader.at_eof():  # it was idle for so long that the service closed it
                await self._open()
            return await self._exchange(method, path, body)
        except (OSError, EOFError):
            with suppress(OSError):
                self._writer.close()
                await self._open()
            return NO_ANSWER, b""

    async def _exchange(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        status, length = read_head(await self._reader.readuntil(b"\r\n\r\n"))
        return status, await self._reader.readexactly(length)


def read_head(head: bytes) -> tuple[int, int]:
    """Return the status and the length of the body.

    Raises ValueError if the length is not told.
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "content-length" not in headers:
        message = f"an answer that does not tell its length: {head!r}"
        raise ValueError(message)
    return int(first.split()[1]), int(headers["content-length"])
