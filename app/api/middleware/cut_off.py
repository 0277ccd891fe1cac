"""What calls are answered that the service, told to stop, has not the time to finish."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.errors import problem
from app.errors import Unavailable


class CallsInWork:
    """The calls that have not begun to be answered."""

    def __init__(self) -> None:
        self._calls: set[_Call] = set()

    def add(self, call: "_Call") -> None:
        """Take one in."""
        self._calls.add(call)

    def remove(self, call: "_Call") -> None:
        """Let go of one that is answered, or will not be."""
        self._calls.discard(call)

    async def give_up(self) -> None:
        """Answer each with 503, and with nothing that may come of it later."""
        while self._calls:
            await self._calls.pop().give_up()


class CutOff:
    """Plain ASGI middleware: keeps count of the calls in work, so that a stop can answer them."""

    def __init__(self, app: ASGIApp, calls: CallsInWork) -> None:
        self._app, self._calls = app, calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on; once it was given up, nobody needs to hear what becomes of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = _Call(scope, receive, send, self._calls)
        self._calls.add(call)
        try:
            await self._app(scope, receive, call.send)
        except BaseException:
            if not call.given_up:
                raise
        finally:
            self._calls.remove(call)


class _Call:
    """A call in work."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, calls: CallsInWork) -> None:
        self._scope, self._receive, self._send, self._calls = scope, receive, send, calls
        self.given_up = False

    async def send(self, message: Message) -> None:
        """Pass on what the app answers, unless the call was given up."""
        self._calls.remove(self)
        if not self.given_up:
            await self._send(message)

    async def give_up(self) -> None:
        """Answer in the app's place."""
        self.given_up = True
        await problem(_stopping(), self._scope["path"])(self._scope, self._receive, self._send)


def _stopping() -> Unavailable:
    return Unavailable(
        "The service is being stopped and has given up on this call. Send it again in a moment; with the "
        "same Idempotency-Key, if it had one, it is done once."
    )
