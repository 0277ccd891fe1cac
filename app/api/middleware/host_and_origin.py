"""Check Host and Origin of every request, before all caches, and add security headers to every response.

The service trusts whoever reaches it, so a page of another origin must not reach it through a browser. It
could do so by a name of its own that resolves to this address (a foreign Host), or by an unsafe method.
"""

import ipaddress
import re
import socket

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.errors import problem
from app.api.middleware.concurrency_limit import record_request
from app.errors import AppError, ForeignOrigin, Misdirected
from app.settings import WILDCARDS, Settings

SAFE_METHODS = ("GET", "HEAD")
OWN_SITES = (b"same-origin", b"none")  # our own page, or the address bar; `same-site` is another port
HOST = re.compile(rb"(\[[0-9a-f:.]+\]|[^\s:@/\\?#\[\]]+)(:\d{1,5})?")
MAX_REMEMBERED_HOSTS = 1000  # Host values; programs send the same one each time
EXPOSED_HEADERS = (
    "etag",
    "gatecast-method",
    "gatecast-verdict",
    "gatecast-warning",
    "location",
    "retry-after",
)
CORS_METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE")

Headers = tuple[tuple[bytes, bytes], ...]


def _security_headers(content_policy: bytes) -> Headers:
    return (
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", content_policy + b"; frame-ancestors 'none'; base-uri 'none'"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
    )


# An SVG chart has inline styles; no other response is rendered as a page.
RESPONSE_HEADERS = _security_headers(b"default-src 'none'; style-src 'unsafe-inline'; form-action 'none'")
# The documentation pages start from an inline script, which holds no text from outside; they load from this
# service alone and send to it alone.
PAGE_HEADERS = _security_headers(
    b"default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; connect-src 'self'; worker-src blob:; form-action 'none'"
)
# The page has no inline script or style, and takes nothing from elsewhere.
WEB_HEADERS = _security_headers(
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"form-action 'self'"
)
WEB = "/ui/"
HEADERS_BY_PATH = {"/": WEB_HEADERS, "/docs": PAGE_HEADERS, "/redoc": PAGE_HEADERS}


def with_host_and_origin_check(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Return the app behind the check, with CORS for the origins that the settings allow."""
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=CORS_METHODS,
            allow_headers=["*"],
            expose_headers=EXPOSED_HEADERS,
        )
    return HostAndOriginCheck(app, own_hosts(settings), settings.cors_origins)


def own_hosts(settings: Settings) -> frozenset[str]:
    """Return the host names and addresses that the service answers to, beside those of loopback."""
    bound = {settings.host.lower()}
    if settings.host in WILDCARDS:
        bound.add(socket.gethostname().lower())
    return frozenset({"localhost", *bound, *settings.allowed_hosts})


class HostAndOriginCheck:
    """ASGI middleware: refuses foreign Hosts and foreign origins; adds security headers."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], origins: tuple[str, ...]) -> None:
        self._app, self._hosts = app, hosts
        self._origins = frozenset(origin.encode() for origin in origins)
        self._remembered_hosts: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with 421 or 403; add the security headers either way."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        usual = WEB_HEADERS if scope["path"].startswith(WEB) else RESPONSE_HEADERS
        security_headers = HEADERS_BY_PATH.get(scope["path"], usual)

        async def send_with_security_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *security_headers]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send_with_security_headers)
        else:
            record_request(scope, refusal.status, 0.0)
            await problem(refusal, scope["path"])(scope, receive, send_with_security_headers)

    def _refusal(self, scope: Scope) -> AppError | None:
        for name, value in scope["headers"]:
            if (
                name == b"host"
                and value not in self._remembered_hosts
                and not self._is_own_host(value, scope)
            ):
                return _misdirected(value)
        return None if scope["method"] in SAFE_METHODS else self._origin_refusal(scope)

    def _is_own_host(self, value: bytes, scope: Scope) -> bool:
        """Return whether a Host value names this service, and remember it if so."""
        parts = HOST.fullmatch(value.strip().lower())
        if parts is None:
            return False
        host = parts[1].decode("latin-1").strip("[]")
        arrived_at = (scope.get("server") or ("",))[0]  # the address that the request arrived at
        if not (host in self._hosts or host == arrived_at or _is_loopback(host)):
            return False
        if len(self._remembered_hosts) < MAX_REMEMBERED_HOSTS:
            self._remembered_hosts.add(value)
        return True

    def _origin_refusal(self, scope: Scope) -> AppError | None:
        """Return the refusal of an unsafe request that a page of another origin sent, or None."""
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
    """Return the host and port of an origin; empty for `null`, which matches no Host."""
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
