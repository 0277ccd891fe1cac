"""Refuse a body that is larger than the settings allow, and wait for none that stands still or trickles."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.body_parsing import MULTIPART, content_type
from app.api.http.errors import problem
from app.errors import AppError, TooLarge, TooSlow
from app.settings import MEBIBYTE

IDLE_S = 30.0  # for the next piece of a body to come
SLOWEST = 16 * 1024  # bytes a second that a body has to come with, beyond that long for all of it
BODILESS = ("GET", "HEAD", "DELETE", "OPTIONS")
WITH_SERIES = ("/datasets", "/forecast")


@dataclass(frozen=True)
class Limit:
    """How many bytes a body may have, and what is said to one with more."""

    size: int
    detail: str


# The framework reads these bodies on the event loop, where everyone waits for the longest of them.
FEW_FIELDS = Limit(
    64 * 1024, "The body is larger than 64 KiB. This call takes a few short fields; see /docs."
)


class BodyLimit:
    """Plain ASGI middleware: counts the bytes of a body as they come, and the seconds until they do."""

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
        """Pass the call on, with its body watched; answer in its place once that is too long or too slow."""
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._limit(scope))

        async def send_unless_refused(message: Message) -> None:
            if body.refusal is None:
                await send(message)

        # What reads the body may make another error of this one, so the answer is given here.
        with suppress(TooLarge, TooSlow):
            await self._app(scope, body.receive, send_unless_refused)
        if body.refusal is not None:
            await problem(body.refusal, scope["path"])(scope, receive, send)

    def _limit(self, scope: Scope) -> Limit:
        """Return how long a body may be: only a file is read from disk, the rest stands in memory whole."""
        if not scope["path"].startswith(WITH_SERIES):
            return FEW_FIELDS
        return self._file if content_type(Request(scope)) == MULTIPART else self._json


class _Body:
    """A body that ends with an error when it grows too long, or does not go on, or hardly.

    Once it is whole, what is waited for is that the caller goes: that has no limit.
    """

    def __init__(self, receive: Receive, limit: Limit) -> None:
        self._receive, self._limit = receive, limit
        self._seen, self._waited_s = 0, 0.0
        self._is_whole = False
        self.refusal: AppError | None = None

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()
        began = monotonic()
        try:
            async with asyncio.timeout(min(IDLE_S, IDLE_S + self._seen / SLOWEST - self._waited_s)):
                message = await self._receive()
        except TimeoutError as error:
            self.refusal = TooSlow(
                f"Nothing more of the body came for {IDLE_S:g} seconds, or less than "
                f"{SLOWEST // 1024} KiB a second. Send it again, whole."
            )
            raise self.refusal from error
        self._waited_s += monotonic() - began
        self._is_whole = not message.get("more_body", False)
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit.size:
            self.refusal = TooLarge(self._limit.detail)
            raise self.refusal
        return message
