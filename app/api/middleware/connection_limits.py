"""Uvicorn's HTTP connection, with limits on the size of a request's head and the time it takes to arrive.

A head that is malformed or passes a limit is refused with a problem document, and the connection is closed.
The parser copies an unfinished header with each piece that arrives, so the limits are checked here, byte by
byte, and not in the app.
"""

import asyncio
import logging
import resource
from functools import cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.api.http.errors import problem
from app.api.middleware.host_and_origin import RESPONSE_HEADERS
from app.errors import AppError, BadRequest, HeadTooLarge, TooSlow, Unavailable, UriTooLong

MAX_HEAD_BYTES = 64 * 1024  # request line, headers and trailers together
MAX_HEAD_FIELDS = 100
HEAD_TIMEOUT_S = 10.0  # from the start of the connection or of the next request to the end of its headers
CHUNK_FRAME_BYTES = 16  # around a piece of a chunked body, without extensions
MAX_PIPELINED = 100  # requests that wait for the response to the one before
LINGER_S = 1.0  # from a refusal to the close, so that a caller who is still sending can read the refusal
MAX_CONNECTIONS = 4096  # most connections of one process at a time
RESERVED_FILES = 512  # open files that are left for the database, the models and everything else
logger = logging.getLogger(__name__)


@cache  # the limit of files is raised once, when the service starts
def connection_limit() -> int:
    """Return how many connections are allowed, so that enough open files are left for everything else."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(files - RESERVED_FILES, files // 2))


class Connection(HttpToolsProtocol):
    """Refuses requests that pass the limits of this module."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_is_open = False
        self._is_refused = False
        self._parse_refusal: AppError | None = None
        self._reset_limits()

    def _reset_limits(self) -> None:
        self._head_bytes = self._fields = 0
        self._head_budget = MAX_HEAD_BYTES  # bytes that may still arrive outside of bodies

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Accept the connection, or refuse it with 503 if there are too many."""
        super().connection_made(transport)
        if len(self.connections) > connection_limit():
            self._is_refused = True
            self._write(Unavailable("There are too many connections. Try again in a few seconds."))
            transport.close()
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer of the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the bytes; refuse them if too many of them are neither a short head nor a body."""
        if self._is_refused:
            return
        self._head_budget -= len(data)
        super().data_received(data)
        if self._head_budget < 0:
            self._refuse(_head_too_large())
        if (self._head_is_open or self._is_idle) and not self._is_refused:
            self._wait_for_head()

    @property
    def _is_idle(self) -> bool:
        """Whether every request so far has its response."""
        cycle: Any = self.cycle  # None at first, despite its declared type
        return cycle is None or bool(cycle.response_complete)

    def on_message_begin(self) -> None:
        """Start the limits of the next request."""
        if len(self.pipeline) >= MAX_PIPELINED:
            self._stop_parsing(BadRequest(f"More than {MAX_PIPELINED} requests were sent at once."))
        super().on_message_begin()
        self._head_is_open = True
        self._reset_limits()

    def on_url(self, url: bytes) -> None:
        """Count and parse a piece of the request line."""
        self._head_bytes += len(url)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._stop_parsing(UriTooLong(f"The request line is longer than {MAX_HEAD_BYTES // 1024} KiB."))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count and parse a header or a trailer."""
        self._fields += 1
        self._head_bytes += len(name) + len(value) + len(": \r\n")
        if self._fields > MAX_HEAD_FIELDS or self._head_bytes > MAX_HEAD_BYTES:
            self._stop_parsing(_head_too_large())
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Pass the request to the app."""
        self._head_is_open = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Parse a piece of a body, whose size `BodyLimit` limits."""
        self._head_budget = min(MAX_HEAD_BYTES, self._head_budget + len(body) + CHUNK_FRAME_BYTES)
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that the parser rejects."""
        self._refuse(self._parse_refusal or BadRequest(f"{msg} Send HTTP/1.1, as any client does."))

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing: an upgrade request is served as plain HTTP."""

    def _stop_parsing(self, refusal: AppError) -> None:
        self._parse_refusal = refusal
        raise refusal

    def _wait_for_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._head_timed_out)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_timed_out(self) -> None:
        self._head_timer = None
        if self._head_is_open:
            self._refuse(TooSlow(f"The headers were not complete within {HEAD_TIMEOUT_S:g} seconds."))
        else:
            self.transport.close()  # no request has begun, so none is answered

    def _refuse(self, refusal: AppError) -> None:
        """Send a refusal if a request is unanswered, and read nothing more."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._stop_waiting()
        logger.info("%s: %d %s", self.client and self.client[0], refusal.status, refusal.detail)
        if self._is_idle:
            self._end_with(refusal)
        elif not self.cycle.more_body:
            self.cycle.keep_alive = False  # a complete request gets its response before the close
        elif self.cycle.response_started or self.pipeline:
            self.transport.close()
        else:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._end_with(refusal)

    def _end_with(self, refusal: AppError) -> None:
        """Send a refusal and close a little later, since a caller who is still sending would not read it."""
        self._write(refusal)
        self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_S, self.transport.close)

    def _write(self, refusal: AppError) -> None:
        document = problem(refusal, "")
        headers = (
            *self.server_state.default_headers,
            *document.raw_headers,
            *RESPONSE_HEADERS,
            (b"connection", b"close"),
        )
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(STATUS_LINE[refusal.status] + lines + b"\r\n" + bytes(document.body))


def _head_too_large() -> HeadTooLarge:
    return HeadTooLarge(
        f"Request line and headers may take {MAX_HEAD_BYTES // 1024} KiB and {MAX_HEAD_FIELDS} headers "
        "together, and as much again what frames a body. Send less in them, and data in the body."
    )
