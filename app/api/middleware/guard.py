"""The guard before everything, caches too: a browser is no key, and what a page may do with an answer.

The service trusts whoever reaches it, so a page of another origin must not reach it through its reader's
browser: neither by a name of its own that leads here (a foreign Host), nor by a call that changes something.
"""

import ipaddress
import re
import socket

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.errors import problem
from app.api.middleware.concurrency_limit import note
from app.errors import AppError, ForeignOrigin, Misdirected
from app.settings import WILDCARDS, Settings

SAFE = ("GET", "HEAD")
OWN_SITES = (b"same-origin", b"none")  # a page of ours, and the address bar; `same-site` is another port
HOST = re.compile(rb"(\[[0-9a-f:.]+\]|[^\s:@/\\?#\[\]]+)(:\d{1,5})?")
REMEMBERED = 1000  # spellings of Host
EXPOSED = ("etag", "gatecast-method", "gatecast-verdict", "gatecast-warning", "location", "retry-after")
METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE")

Headers = tuple[tuple[bytes, bytes], ...]


def _policies(content: bytes) -> Headers:
    return (
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", content + b"; frame-ancestors 'none'; base-uri 'none'"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
    )


# A chart in SVG styles itself; nothing else in any answer is a page.
ANSWER = _policies(b"default-src 'none'; style-src 'unsafe-inline'; form-action 'none'")
# The pages of the documentation start by a script of their own text, which holds nobody else's words; what
# they load, and where they send, is this service alone.
PAGE = _policies(
    b"default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; connect-src 'self'; worker-src blob:; form-action 'none'"
)
PAGES = {"/docs": PAGE, "/redoc": PAGE}


def guarded(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Return the app behind the guard, open to the origins that the settings name."""
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=METHODS,
            allow_headers=["*"],
            expose_headers=EXPOSED,
        )
    return Guard(app, own_hosts(settings), settings.cors_origins)


def own_hosts(settings: Settings) -> frozenset[str]:
    """Return the names and addresses by which the service may be called, beside those of loopback."""
    bound = {settings.host.lower()}
    if settings.host in WILDCARDS:
        bound.add(socket.gethostname().lower())
    return frozenset({"localhost", *bound, *settings.allowed_hosts})


class Guard:
    """Plain ASGI middleware: refuses foreign Hosts, and changes asked for by foreign pages; adds policies."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], origins: tuple[str, ...]) -> None:
        self._app, self._hosts = app, hosts
        self._origins = frozenset(origin.encode() for origin in origins)
        self._known: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on or refuse it, and say with the answer what a browser may do with it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policies = PAGES.get(scope["path"], ANSWER)

        async def send_with_policies(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *policies]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send_with_policies)
        else:
            note(scope, refusal.status, 0.0)
            await problem(refusal, scope["path"])(scope, receive, send_with_policies)

    def _refusal(self, scope: Scope) -> AppError | None:
        for name, value in scope["headers"]:
            if name == b"host" and value not in self._known and not self._is_own(value, scope):
                return _misdirected(value)
        return None if scope["method"] in SAFE else self._foreign(scope)

    def _is_own(self, value: bytes, scope: Scope) -> bool:
        """Tell whether a Host is ours, and remember it if so: programs spell it the same each time."""
        parts = HOST.fullmatch(value.strip().lower())
        if parts is None:
            return False
        host = parts[1].decode("latin-1").strip("[]")
        here = (scope.get("server") or ("",))[0]  # the address that this call came in by
        if not (host in self._hosts or host == here or _is_loopback(host)):
            return False
        if len(self._known) < REMEMBERED:
            self._known.add(value)
        return True

    def _foreign(self, scope: Scope) -> AppError | None:
        """Return the refusal of a call that changes something and comes from a page of another origin."""
        headers = scope["headers"]
        origins = [value for name, value in headers if name == b"origin"]
        if origins and self._origins.issuperset(origins):
            return None
        hosts = [value.lower() for name, value in headers if name == b"host"]
        sites = [value for name, value in headers if name == b"sec-fetch-site"]
        if all(site in OWN_SITES for site in sites) and all(_authority(each) in hosts for each in origins):
            return None
        return ForeignOrigin(
            "A page of another origin asked for this in a browser, which is no key. If that is your page, "
            "name its origin in GATECAST_CORS_ORIGINS, like https://app.example, and start the service again."
        )


def _authority(origin: bytes) -> bytes:
    """Return the host and port of an origin; `null`, which has none, is nobody's."""
    return origin.partition(b"://")[2].lower()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _misdirected(host: bytes) -> Misdirected:
    shown = host.decode("latin-1")[:100]
    return Misdirected(
        f"This service does not go by the Host {shown}. Call it by its address, or add the name to "
        "GATECAST_ALLOWED_HOSTS and start it again."
    )
