"""What a path is called by: HEAD wherever GET is, and every method named where another is refused."""

from collections.abc import Awaitable

import anyio
from fastapi import Request
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROUTED = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Head:
    """Plain ASGI middleware: a HEAD is a GET, counted and logged as one, of which only the head is sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass any other call on."""
        is_head = scope["type"] == "http" and scope["method"] == "HEAD"
        return (self._answer if is_head else self._app)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.CancelScope() as answering:

            async def send_head(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                    await send({"type": "http.response.body"})
                    answering.cancel()  # a table need not be made for it, and a stream would never end

            await self._app({**scope, "method": "GET"}, receive, send_head)


def allowed(request: Request) -> list[str]:
    """Return the methods that the path of a call answers; none where there is no such path."""
    routes = request.app.routes
    taken = [
        method
        for method in ROUTED
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    if not taken:
        return []
    return sorted([*taken, "OPTIONS", *(["HEAD"] if "GET" in taken else [])])


def is_there(request: Request, path: str) -> bool:
    """Tell whether a path answers any method."""
    scope = {**request.scope, "path": path}
    return any(route.matches(scope)[0] is not Match.NONE for route in request.app.routes)
