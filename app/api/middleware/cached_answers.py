"""Answers from memory: a forecast that was made before, and still holds, needs no routing."""

import time
from collections.abc import Awaitable, Callable

from fastapi import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.http.forecast_parameters import spoken
from app.api.middleware.concurrency_limit import log_request
from app.observability import metrics
from app.services.forecasting.response_cache import Body

PATH, METHOD = "/forecast", "GET"
FOUND = metrics.REQUESTS.labels(PATH, METHOD, "200")
NOT_MODIFIED = metrics.REQUESTS.labels(PATH, METHOD, "304")


class FromMemory:
    """Plain ASGI middleware: answers a forecast that was asked for in the same words before."""

    def __init__(self, app: ASGIApp, *, log_all: bool) -> None:
        self._app, self._log_all = app, log_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once if that can be, else pass the call on."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != METHOD:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter() if self._log_all else 0.0
        spelling, known = spoken(scope)
        body = scope["app"].state.resources.forecasts.bodies.recall(spelling)
        if body is None:
            await self._app(scope, receive, send)
            return
        unchanged = is_known(known, body.etag)
        if unchanged:
            NOT_MODIFIED.inc()
            await send_unchanged(body.etag, send)
        else:
            FOUND.inc()
            metrics.FROM_RESPONSE_CACHE.inc()
            await send_body(body, send)
        if self._log_all:
            log_request(scope, 304 if unchanged else 200, time.perf_counter() - began)


class Ready(Response):
    """A response that is made already, and only has to be sent."""

    def __init__(self, deliver: Callable[[Send], Awaitable[None]]) -> None:
        self._deliver = deliver
        self.background = None

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await self._deliver(send)


def is_known(known: bytes | None, etag: bytes) -> bool:
    """Tell whether `If-None-Match` names an entity tag; weakly compared (RFC 9110, 13.1.2)."""
    if known is None:
        return False
    return known.strip() == b"*" or etag.removeprefix(b"W/") in (
        part.strip().removeprefix(b"W/") for part in known.split(b",")
    )


def shared_headers(etag: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Return what is said of every answer that may be kept: to be asked about each time before it is used."""
    return ((b"etag", etag), (b"cache-control", b"private, no-cache"), (b"vary", b"accept"))


async def send_body(body: Body, send: Send) -> None:
    """Send a finished answer."""
    await send({"type": "http.response.start", "status": 200, "headers": body.headers})
    await send({"type": "http.response.body", "body": body.data})


async def send_unchanged(etag: bytes, send: Send) -> None:
    """Send that nothing has changed."""
    metrics.UNCHANGED.inc()
    await send({"type": "http.response.start", "status": 304, "headers": shared_headers(etag)})
    await send({"type": "http.response.body", "body": b""})
