"""The gate that every call goes through: counted, timed, and logged if it failed.

Not too many at a time, and none that would wait for a database that does not answer.
"""

import logging
import time
from collections.abc import Callable
from functools import cache

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.errors import problem
from app.api.middleware.body_limit import BODILESS
from app.errors import Unavailable
from app.observability import metrics

ALWAYS = ("/healthz", "/readyz", "/metrics")
DOCUMENTATION = ("/docs", "/redoc", "/openapi.json", "/static-offline-docs")
STREAMS = "/events"  # long, but next to no work
FIRST_REFUSAL = 400  # the lowest status that says that something was not done
logger = logging.getLogger(__name__)


class Gate:
    """Plain ASGI middleware: keeps the figures of all calls, and refuses at once what would wait too long.

    Those are calls beyond so many in work, and all that ask a database that `is_silent`. Calls that bring a
    body have as many places of their own: a body may be long in coming, and takes the place of another body
    at worst.
    """

    def __init__(self, app: ASGIApp, *, most: int, log_all: bool, is_silent: Callable[[], bool]) -> None:
        self._app, self._most, self._log_all, self._is_silent = app, most, log_all, is_silent
        self._in_work = {True: 0, False: 0}  # with a body, and without one

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or answer 503, and look at what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._admit(scope, receive, seen)
        finally:
            seconds = time.perf_counter() - began
            note(scope, status, seconds, log_all=self._log_all)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path in ALWAYS or path.startswith(DOCUMENTATION):
            await self._app(scope, receive, send)
        elif self._is_silent():
            await problem(_silence(), path)(scope, receive, send)
        elif path.endswith(STREAMS):
            await self._app(scope, receive, send)
        elif self._in_work[_brings_body(scope)] >= self._most:
            metrics.REFUSED.inc()
            await problem(self._refusal(), path)(scope, receive, send)
        else:
            await self._work(scope, receive, send)

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        brings_body = _brings_body(scope)
        self._count(brings_body, 1)
        try:
            await self._app(scope, receive, send)
        finally:
            self._count(brings_body, -1)

    def _count(self, brings_body: bool, change: int) -> None:  # noqa: FBT001  # whose places they are
        self._in_work[brings_body] += change
        metrics.IN_WORK.set(sum(self._in_work.values()))

    def _refusal(self) -> Unavailable:
        return Unavailable(
            f"This process works on {self._most} such requests already. Ask again in a second; if it happens "
            "often, start more processes by `gatecast serve --workers`, or raise GATECAST_MAX_REQUESTS."
        )


def _brings_body(scope: Scope) -> bool:
    return scope["method"] not in BODILESS


def _silence() -> Unavailable:
    return Unavailable(
        "The database has not answered this process for some seconds. Ask again in a moment; `GET /readyz` "
        "and the service's log tell why."
    )


def note(scope: Scope, status: int, seconds: float, *, log_all: bool = False) -> None:
    """Count a call, and log it if it was refused or failed, or if all are logged."""
    route = getattr(scope.get("route"), "path", "none")
    count, duration = _figures(route, scope["method"], status)
    count.inc()
    duration.observe(seconds)
    if log_all or status >= FIRST_REFUSAL:
        log(scope, status, seconds)


def log(scope: Scope, status: int, seconds: float) -> None:
    """Write a line of the access log."""
    logger.info("%s %s %d %.1f ms", scope["method"], scope["path"], status, 1000 * seconds)


@cache  # of the routes, methods and statuses that there are
def _figures(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    counted = metrics.REQUESTS.labels(route, method, str(status))
    return counted, metrics.REQUEST_SECONDS.labels(route)
