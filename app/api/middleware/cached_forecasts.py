"""Send forecasts from the response cache: a byte-identical repeat of a request needs no routing."""

import time

from fastapi import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.middleware.concurrency_limit import log_request
from app.observability import metrics
from app.services.forecasting.response_cache import (
    FinishedResponse,
    RawRequestKey,
    etag_matches,
    not_modified,
)

PATH, METHOD = "/forecast", "GET"
ANY = b"*/*"
FOUND = metrics.REQUESTS.labels(PATH, METHOD, "200")
NOT_MODIFIED = metrics.REQUESTS.labels(PATH, METHOD, "304")


class CachedForecasts:
    """Plain ASGI middleware: sends a forecast from memory, or passes the request on."""

    def __init__(self, app: ASGIApp, *, log_all: bool) -> None:
        self._app, self._log_all = app, log_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response at once if it is in memory and current."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != METHOD:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter() if self._log_all else 0.0
        raw_key, if_none_match = raw_request(scope)
        response = scope["app"].state.resources.forecasts.responses.find(raw_key)
        if response is None:
            await self._app(scope, receive, send)
            return
        if etag_matches(if_none_match, response.etag):
            NOT_MODIFIED.inc()
            metrics.UNCHANGED.inc()
            response = not_modified(response.etag)
        else:
            FOUND.inc()
            metrics.FROM_RESPONSE_CACHE.inc()
        await send_finished(response, send)
        if self._log_all:
            log_request(scope, response.status, time.perf_counter() - began)


class Finished(Response):
    """A route's response that is finished already."""

    def __init__(self, response: FinishedResponse) -> None:
        self._response = response
        self.background = None

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it, with headers that middleware may add to: those of the cached response stay."""
        await send_finished(self._response, send)


def raw_request(scope: Scope) -> tuple[RawRequestKey, bytes | None]:
    """Return the raw-request cache key of a request, and its `If-None-Match`."""
    accept, authorization, if_none_match = ANY, b"", None
    for name, value in scope["headers"]:
        if name == b"accept":
            accept = value
        elif name == b"authorization":
            authorization = value
        elif name == b"if-none-match":
            if_none_match = value
    return (scope["query_string"], accept, authorization), if_none_match


async def send_finished(response: FinishedResponse, send: Send) -> None:
    """Send a finished response."""
    headers = [*response.headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.data})
