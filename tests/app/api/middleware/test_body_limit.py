"""Bodies that stop arriving, or arrive too slowly."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.api.middleware import body_limit
from app.api.middleware.body_limit import BodyLimit
from tests.app.api.middleware.test_concurrency_limit import Sent, answer, nothing_more, scope


@pytest.mark.parametrize(("rate", "status"), [(15 * 1024, 408), (17 * 1024, 200)])
def test_long_body_has_to_come_with_16_kib_a_second(
    monkeypatch: pytest.MonkeyPatch, rate: int, status: int
) -> None:
    now = [0.0]
    monkeypatch.setattr(body_limit, "monotonic", lambda: now[0])

    async def a_second_of_it() -> Message:
        now[0] += 1
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"a" * rate, "more_body": now[0] < 600}

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        await answer(scope, receive, send)

    sent = Sent()
    asyncio.run(BodyLimit(read, file_mb=1, json_mb=20)(scope(method="POST"), a_second_of_it, sent))
    assert sent.status == status


def test_body_that_stops_arriving_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "IDLE_S", 0.01)

    async def read(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()

    sent = Sent()
    asyncio.run(BodyLimit(read, file_mb=1, json_mb=1)(scope(method="POST"), nothing_more, sent))
    assert sent.status == 408


def test_body_that_trickles_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "IDLE_S", 0.05)

    async def trickling() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def read(_scope: Scope, receive: Receive, _send: Send) -> None:
        for _ in range(1000):
            await receive()

    sent = Sent()
    asyncio.run(BodyLimit(read, file_mb=1, json_mb=1)(scope(method="POST"), trickling, sent))
    assert sent.status == 408


def test_body_that_comes_slowly_but_steadily_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "IDLE_S", 0.05)
    pieces = iter(range(20))

    async def steady() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"a" * 10_000, "more_body": next(pieces) < 19}

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        await answer(scope, receive, send)

    sent = Sent()
    asyncio.run(BodyLimit(read, file_mb=1, json_mb=1)(scope(method="POST"), steady, sent))
    assert sent.status == 200
