"""The fast path to one route: the framework's routing and dependencies cost more than a forecast."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.deps import get_principal
from app.api.http.errors import app_error
from app.auth import Principal
from app.errors import AppError

METHOD = "GET"


class FastPath:
    """Plain ASGI middleware: calls the function of one route without the router.

    The route itself stays: for the documentation, and for the other methods of its path.
    """

    def __init__(
        self, app: ASGIApp, *, path: str, handler: Callable[[Request, Principal], Awaitable[Response]]
    ) -> None:
        self._app, self.path, self._handler = app, path, handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the function for a request to its route, and pass on any other request."""
        if scope["type"] != "http" or scope["path"] != self.path or scope["method"] != METHOD:
            await self._app(scope, receive, send)
            return
        scope["route"] = self  # metrics read its path, as they do from the router's route
        request = Request(scope, receive, send)
        try:
            response = await self._handler(request, await _principal(scope["app"]))
        except AppError as error:
            response = await app_error(request, error)
        await response(scope, receive, send)


async def _principal(api: FastAPI) -> Principal:
    """Return the caller, by the same function that every route depends on."""
    authenticate = api.dependency_overrides.get(get_principal, get_principal)
    found = authenticate()
    principal: Principal = await found if isawaitable(found) else found
    return principal
