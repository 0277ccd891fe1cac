"""Answer HEAD wherever GET is answered (RFC 9110, 9.3.2)."""

from collections.abc import Awaitable

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadRequests:
    """ASGI middleware: runs a HEAD as a GET, counted and logged as one, and sends its headers alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a HEAD; pass any other request on."""
        is_head = scope["type"] == "http" and scope["method"] == "HEAD"
        return (self._answer if is_head else self._app)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.CancelScope() as answering:

            async def send_head(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                    await send({"type": "http.response.body"})
                    answering.cancel()  # a table need not be computed for it, and a stream would never end

            await self._app({**scope, "method": "GET"}, receive, send_head)
