"""Refuse a body that is larger than the settings allow, before it fills memory or disk."""

from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import problem
from app.errors import TooLarge
from app.settings import MEBIBYTE


class BodyLimit:
    """Plain ASGI middleware: counts the bytes of a body as they come."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, with its body counted; answer 413 in its place once that is too long."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Counted(receive, self._limit_bytes)

        async def send_unless_refused(message: Message) -> None:
            if not body.is_too_long:
                await send(message)

        # What reads the body may make another error of this one, so the answer is given here.
        with suppress(TooLarge):
            await self._app(scope, body.receive, send_unless_refused)
        if body.is_too_long:
            await problem(body.refusal(), scope["path"])(scope, receive, send)


class _Counted:
    """A body that ends with an error when it grows too long."""

    def __init__(self, receive: Receive, limit_bytes: int) -> None:
        self._receive, self._limit_bytes, self._seen = receive, limit_bytes, 0

    @property
    def is_too_long(self) -> bool:
        return self._seen > self._limit_bytes

    async def receive(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self.is_too_long:
            raise self.refusal()
        return message

    def refusal(self) -> TooLarge:
        limit = self._limit_bytes // MEBIBYTE
        return TooLarge(
            f"The body is larger than {limit} MiB. Send fewer series in one dataset, or raise "
            "GATECAST_MAX_UPLOAD_MB."
        )
