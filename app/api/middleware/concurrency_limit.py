"""Limit how many requests run at a time, and count, time and log all of them.

Requests that would wait for a database that does not answer are refused at once.
"""

import logging
import time
from collections.abc import Callable
from functools import cache

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.errors import problem
from app.api.middleware.body_limit import METHODS_WITHOUT_BODY
from app.errors import Unavailable
from app.observability import metrics

ALWAYS_ADMITTED = ("/healthz", "/readyz", "/metrics")
DOCUMENTATION = ("/docs", "/redoc", "/openapi.json", "/static-offline-docs")
EVENT_STREAMS = "/events"  # they last long, but cost next to nothing
FIRST_ERROR_STATUS = 400
logger = logging.getLogger(__name__)


class ConcurrencyLimit:
    """ASGI middleware: records every request, and refuses those that would wait too long.

    At most `limit` requests without a body and `limit` with one run at a time. A body may arrive slowly, so
    slow uploads only take the places of other uploads. While `database_is_silent()` returns true, every
    request that needs the database is refused.
    """

    def __init__(
        self, app: ASGIApp, *, limit: int, log_all: bool, database_is_silent: Callable[[], bool]
    ) -> None:
        self._app, self._limit, self._log_all = app, limit, log_all
        self._database_is_silent = database_is_silent
        self._running = {True: 0, False: 0}  # requests with a body, and those without

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 503; record the status and the time either way."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_and_record_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._admit(scope, receive, send_and_record_status)
        finally:
            seconds = time.perf_counter() - began
            record_request(scope, status, seconds, log_all=self._log_all)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path in ALWAYS_ADMITTED or path.startswith(DOCUMENTATION):
            await self._app(scope, receive, send)
        elif self._database_is_silent():
            await problem(_database_silent(), path)(scope, receive, send)
        elif path.endswith(EVENT_STREAMS):
            await self._app(scope, receive, send)
        elif self._running[_has_body(scope)] >= self._limit:
            metrics.REFUSED.inc()
            await problem(self._too_many(), path)(scope, receive, send)
        else:
            await self._run(scope, receive, send)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_body = _has_body(scope)
        self._count(has_body, 1)
        try:
            await self._app(scope, receive, send)
        finally:
            self._count(has_body, -1)

    def _count(self, has_body: bool, change: int) -> None:  # noqa: FBT001  # which of the two counts
        self._running[has_body] += change
        metrics.IN_WORK.set(sum(self._running.values()))

    def _too_many(self) -> Unavailable:
        return Unavailable(
            f"This process works on {self._limit} such requests already. Ask again in a second; if it "
            "happens often, start more processes by `gatecast serve --workers`, or raise "
            "GATECAST_MAX_REQUESTS."
        )


def _has_body(scope: Scope) -> bool:
    return scope["method"] not in METHODS_WITHOUT_BODY


def _database_silent() -> Unavailable:
    return Unavailable(
        "The database has not answered this process for some seconds. Ask again in a moment; `GET /readyz` "
        "and the service's log tell why."
    )


def record_request(scope: Scope, status: int, seconds: float, *, log_all: bool = False) -> None:
    """Count and time a request; log it if it was refused or failed, or if `log_all` is set."""
    route = getattr(scope.get("route"), "path", "none")
    count, duration = _metrics_of(route, scope["method"], status)
    count.inc()
    duration.observe(seconds)
    if log_all or status >= FIRST_ERROR_STATUS:
        log_request(scope, status, seconds)


def log_request(scope: Scope, status: int, seconds: float) -> None:
    """Write one line of the access log."""
    logger.info("%s %s %d %.1f ms", scope["method"], scope["path"], status, 1000 * seconds)


@cache  # there are few routes, methods and statuses
def _metrics_of(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    counted = metrics.REQUESTS.labels(route, method, str(status))
    return counted, metrics.REQUEST_SECONDS.labels(route)
