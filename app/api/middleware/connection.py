"""A connection: uvicorn's, with bounds on what it may send before a call reaches the app, and until when.

What the parser cannot read, or may not read any further, is refused by a problem document, and the
connection ends. The parser keeps a header until it is whole and copies it with each piece that comes, so
the bounds are looked at here, as bytes come, and not by the app.
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

HEAD_BYTES = 64 * 1024  # of request line and headers together, trailers too
HEAD_FIELDS = 100
HEAD_S = 10.0  # from the beginning of the connection, or of the next request, to the end of its headers
CHUNK_BYTES = 16  # that a piece of a body may take beside itself: what frames a chunk, without extensions
PIPELINED = 100  # requests that may wait for the answer to the one before
LINGER_S = 1.0  # in which a refusal can be read by who is still sending
MOST = 4096  # connections at a time, of one process
KEPT_FILES = 512  # for the database, models and all else
logger = logging.getLogger(__name__)


@cache  # the limit is raised when the service starts, and stays
def connection_limit() -> int:
    """Return how many connections leave enough files for all else."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST
    return min(MOST, max(files - KEPT_FILES, files // 2))


class Connection(HttpToolsProtocol):
    """A connection that is refused what goes past the bounds."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_is_open = False
        self._is_over = False
        self._refusal: AppError | None = None
        self._begin()

    def _begin(self) -> None:
        self._head_bytes = self._fields = 0
        self._room = HEAD_BYTES  # for bytes that are no body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin to listen, unless there are too many already."""
        super().connection_made(transport)
        if len(self.connections) > connection_limit():
            self._is_over = True
            self._write(Unavailable("There are too many connections. Try again in a few seconds."))
            transport.close()
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came, and refuse it if too much of it is neither a short head nor a body."""
        if self._is_over:
            return
        self._room -= len(data)
        super().data_received(data)
        if self._room < 0:
            self._refuse(_head_too_large())
        if (self._head_is_open or self._is_idle) and not self._is_over:
            self._wait_for_head()

    @property
    def _is_idle(self) -> bool:
        """Whether every request so far is answered."""
        cycle: Any = self.cycle  # None at first, whatever its type says
        return cycle is None or bool(cycle.response_complete)

    def on_message_begin(self) -> None:
        """Begin to count."""
        if len(self.pipeline) >= PIPELINED:
            self._stop_parsing(BadRequest(f"More than {PIPELINED} requests were sent at once."))
        super().on_message_begin()
        self._head_is_open = True
        self._begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request line."""
        self._head_bytes += len(url)
        if self._head_bytes > HEAD_BYTES:
            self._stop_parsing(UriTooLong(f"The request line is longer than {HEAD_BYTES // 1024} KiB."))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer: they count together."""
        self._fields += 1
        self._head_bytes += len(name) + len(value) + len(": \r\n")
        if self._fields > HEAD_FIELDS or self._head_bytes > HEAD_BYTES:
            self._stop_parsing(_head_too_large())
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request on."""
        self._head_is_open = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; how many there may be is for the app to say."""
        self._room = min(HEAD_BYTES, self._room + len(body) + CHUNK_BYTES)
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser does not go on with."""
        self._refuse(self._refusal or BadRequest(f"{msg} Send HTTP/1.1, as any client does."))

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: a request for another protocol is answered as if it asked for none."""

    def _stop_parsing(self, refusal: AppError) -> None:
        self._refusal = refusal
        raise refusal

    def _wait_for_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_S, self._head_is_late)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._head_is_open:
            self._refuse(TooSlow(f"The headers were not complete within {HEAD_S:g} seconds."))
        else:
            self.transport.close()  # nothing was asked, so nothing is answered

    def _refuse(self, refusal: AppError) -> None:
        """Answer with a refusal where an answer is due, and read nothing more."""
        if self._is_over or self.transport.is_closing():
            return
        self._is_over = True
        self._stop_waiting()
        logger.info("%s: %d %s", self.client and self.client[0], refusal.status, refusal.detail)
        if self._is_idle:
            self._end_with(refusal)
        elif not self.cycle.more_body:
            self.cycle.keep_alive = False  # the answer to a whole request goes out before the end
        elif self.cycle.response_started or self.pipeline:
            self.transport.close()
        else:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._end_with(refusal)

    def _end_with(self, refusal: AppError) -> None:
        """Answer, and hang up a little later: hung up on at once, a caller who sends does not read it."""
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
        f"Request line and headers may take {HEAD_BYTES // 1024} KiB and {HEAD_FIELDS} headers together, and "
        "as much again what frames a body. Send less in them, and data in the body."
    )
