"""Requests that are aborted by a stop."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import Message, Receive, Scope, Send

from app.api.middleware.graceful_shutdown import GracefulShutdown, PendingRequests

SCOPE = {"type": "http", "path": "/train", "method": "POST"}
START: Message = {"type": "http.response.start", "status": 200, "headers": []}


async def unheard() -> Message:
    return {"type": "http.disconnect"}


def sent_by(app: Callable[[Send], Awaitable[None]]) -> list[Message]:
    """Give up on the call of an app that waits, let it go on, and return what was sent."""
    pending, sent = PendingRequests(), list[Message]()

    async def wrapped(_scope: Scope, _receive: Receive, send: Send) -> None:
        await app(send)

    async def send(message: Message) -> None:
        sent.append(message)

    async def stop() -> None:
        task = asyncio.create_task(GracefulShutdown(wrapped, pending)(dict(SCOPE), unheard, send))
        await asyncio.sleep(0)
        await pending.abort_all()
        await task

    asyncio.run(stop())
    return sent


def test_aborted_request_gets_a_problem_document() -> None:
    async def app(_send: Send) -> None:
        await asyncio.sleep(0)

    start, body = sent_by(app)
    headers = dict(start["headers"])
    assert (start["status"], headers[b"content-type"]) == (503, b"application/problem+json")
    assert headers[b"retry-after"] == b"1"
    assert b"Idempotency-Key" in body["body"]


def test_response_after_an_abort_is_not_sent() -> None:
    async def app(send: Send) -> None:
        await asyncio.sleep(0)
        await send(START)

    assert [message.get("status") for message in sent_by(app)] == [503, None]


def test_error_after_an_abort_is_ignored() -> None:
    async def app(_send: Send) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    assert [message.get("status") for message in sent_by(app)] == [503, None]


def test_request_whose_response_has_begun_is_not_aborted() -> None:
    async def app(send: Send) -> None:
        await send(START)
        await asyncio.sleep(0)

    assert sent_by(app) == [START]
