"""Answer the requests that a stopping service has no time to finish with 503."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.errors import problem
from app.errors import Unavailable


class PendingRequests:
    """The requests whose response has not begun."""

    def __init__(self) -> None:
        self._requests: set[_PendingRequest] = set()

    def add(self, request: "_PendingRequest") -> None:
        """Add a request."""
        self._requests.add(request)

    def remove(self, request: "_PendingRequest") -> None:
        """Remove a request whose response has begun, or never will."""
        self._requests.discard(request)

    async def abort_all(self) -> None:
        """Answer each request with 503 and discard whatever the app sends later."""
        while self._requests:
            await self._requests.pop().abort()


class GracefulShutdown:
    """ASGI middleware: tracks the pending requests, so that a stop can answer them."""

    def __init__(self, app: ASGIApp, pending: PendingRequests) -> None:
        self._app, self._pending = app, pending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; ignore errors that come after it was aborted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _PendingRequest(scope, receive, send, self._pending)
        self._pending.add(request)
        try:
            await self._app(scope, receive, request.send)
        except BaseException:
            if not request.is_aborted:
                raise
        finally:
            self._pending.remove(request)


class _PendingRequest:
    """One request whose response has not begun."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, pending: PendingRequests) -> None:
        self._scope, self._receive, self._send, self._pending = scope, receive, send, pending
        self.is_aborted = False

    async def send(self, message: Message) -> None:
        """Send the app's message, unless the request was aborted."""
        self._pending.remove(self)
        if not self.is_aborted:
            await self._send(message)

    async def abort(self) -> None:
        """Send 503 in place of the app's response."""
        self.is_aborted = True
        await problem(_stopping(), self._scope["path"])(self._scope, self._receive, self._send)


def _stopping() -> Unavailable:
    return Unavailable(
        "The service is being stopped and has given up on this call. Send it again in a moment; with the "
        "same Idempotency-Key, if it had one, it is done once."
    )
