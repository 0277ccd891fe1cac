"""Refuse a body that is larger than the settings allow, before it fills memory or disk."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import TooLarge
from app.settings import MEBIBYTE


class BodyLimit:
    """Plain ASGI middleware: counts the bytes of a body as they come."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, with its body counted."""
        counted = self._counting(receive) if scope["type"] == "http" else receive
        await self._app(scope, counted, send)

    def _counting(self, receive: Receive) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit_bytes:
                limit = self._limit_bytes // MEBIBYTE
                raise TooLarge(
                    f"The body is larger than {limit} MiB. Send fewer series in one dataset, or raise "
                    "GATECAST_MAX_UPLOAD_MB."
                )
            return message

        return counted
