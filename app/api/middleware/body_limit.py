"""Refuse bodies that are larger than the settings allow, and bodies that stop or arrive too slowly."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.body_parsing import content_type
from app.api.http.errors import problem
from app.errors import AppError, TooLarge, TooSlow
from app.schemas.media_types import MULTIPART
from app.settings import MEBIBYTE

IDLE_S = 30.0  # longest pause between two pieces of a body
MIN_RATE = 16 * 1024  # bytes a second; a body may take IDLE_S longer than at this rate
METHODS_WITHOUT_BODY = ("GET", "HEAD", "DELETE", "OPTIONS")
PATHS_WITH_SERIES = ("/datasets", "/forecast", "/ui/reading")


@dataclass(frozen=True)
class Limit:
    """The most bytes that a body may have, and the error text for a longer one."""

    size: int
    detail: str


# The framework parses these bodies on the event loop, so a long one would delay every request.
FEW_FIELDS = Limit(
    64 * 1024, "The body is larger than 64 KiB. This call takes a few short fields; see /docs."
)


class BodyLimit:
    """ASGI middleware: limits the size of a body, and the time it takes to arrive."""

    def __init__(self, app: ASGIApp, *, file_mb: int, json_mb: int) -> None:
        self._app = app
        self._file = Limit(
            file_mb * MEBIBYTE,
            f"The upload is larger than {file_mb} MiB. Send fewer series in one dataset, or raise "
            "GATECAST_MAX_UPLOAD_MB.",
        )
        self._json = Limit(
            json_mb * MEBIBYTE,
            f"The body is larger than {json_mb} MiB. Send a file to POST /datasets, which may be larger than "
            "JSON, or raise GATECAST_MAX_JSON_MB.",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a limited body; answer 413 or 408 once the limit is passed."""
        if scope["type"] != "http" or scope["method"] in METHODS_WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        body = _LimitedBody(receive, self._limit(scope))

        async def send_unless_refused(message: Message) -> None:
            if body.refusal is None:
                await send(message)

        # The app's body parser may turn this error into another one, so the middleware answers itself.
        with suppress(TooLarge, TooSlow):
            await self._app(scope, body.receive, send_unless_refused)
        if body.refusal is not None:
            await problem(body.refusal, scope["path"])(scope, receive, send)

    def _limit(self, scope: Scope) -> Limit:
        """Return the limit of a body: files are spooled to disk, any other body is held in memory."""
        if not scope["path"].startswith(PATHS_WITH_SERIES):
            return FEW_FIELDS
        return self._file if content_type(Request(scope)) == MULTIPART else self._json


class _LimitedBody:
    """Receives a body; raises TooLarge or TooSlow when it passes its limit.

    Once the body is complete, receiving means waiting for a disconnect, which has no time limit.
    """

    def __init__(self, receive: Receive, limit: Limit) -> None:
        self._receive, self._limit = receive, limit
        self._received, self._waited_s = 0, 0.0
        self._is_complete = False
        self.refusal: AppError | None = None

    async def receive(self) -> Message:
        if self._is_complete:
            return await self._receive()
        began = monotonic()
        try:
            async with asyncio.timeout(min(IDLE_S, IDLE_S + self._received / MIN_RATE - self._waited_s)):
                message = await self._receive()
        except TimeoutError as error:
            self.refusal = TooSlow(
                f"Nothing more of the body came for {IDLE_S:g} seconds, or less than "
                f"{MIN_RATE // 1024} KiB a second. Send it again, whole."
            )
            raise self.refusal from error
        self._waited_s += monotonic() - began
        self._is_complete = not message.get("more_body", False)
        self._received += len(message.get("body", b""))
        if self._received > self._limit.size:
            self.refusal = TooLarge(self._limit.detail)
            raise self.refusal
        return message
