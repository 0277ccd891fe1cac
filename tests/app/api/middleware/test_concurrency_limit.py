"""More calls than can be worked on, and calls that stand still."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from app.api.http import responses
from app.api.middleware import body_limit
from app.api.middleware.body_limit import BodyLimit
from app.api.middleware.concurrency_limit import ConcurrencyLimit
from app.schemas.media_types import CSV


def scope(path: str = "/datasets", method: str = "GET") -> Scope:
    return {"type": "http", "path": path, "method": method, "headers": []}


async def nothing_more() -> Message:
    return await asyncio.Future()


class Sent(list[Message]):
    """Takes what is sent."""

    async def __call__(self, message: Message) -> None:
        self.append(message)

    @property
    def status(self) -> int:
        return int(self[0]["status"])


async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def answers() -> bool:
    """Tell of a database that it is not silent."""
    return False


async def overload(path: str, method: str = "GET", busy_with: str = "GET") -> Sent:
    """Ask for a path while the only call of a method that may be in work is."""
    begun, done = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            begun.set()
            await done.wait()
        await answer(scope, receive, send)

    limited, sent = ConcurrencyLimit(slow, limit=1, log_all=False, database_is_silent=answers), Sent()
    first = asyncio.create_task(limited(scope("/slow", busy_with), nothing_more, Sent()))
    await begun.wait()
    await limited(scope(path, method), nothing_more, sent)
    done.set()
    await first
    after = Sent()
    await limited(scope("/datasets"), nothing_more, after)
    assert after.status == 200
    return sent


def test_call_too_many_is_refused_at_once_and_told_when_to_come_again() -> None:
    sent = asyncio.run(overload("/datasets"))
    assert sent.status == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]
    assert b"GATECAST_MAX_REQUESTS" in sent[1]["body"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/jobs/job_1/events"])
def test_what_watches_the_service_is_always_let_in(path: str) -> None:
    assert asyncio.run(overload(path)).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_bodies_under_way_keep_out_no_call_without_one(method: str) -> None:
    assert asyncio.run(overload("/forecast", method, busy_with="POST")).status == 200


def test_calls_without_a_body_keep_out_none_that_brings_one() -> None:
    assert asyncio.run(overload("/datasets", "POST")).status == 200


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_body_too_many_is_refused_at_once(method: str) -> None:
    assert asyncio.run(overload("/datasets", method, busy_with="POST")).status == 503


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


def asked_of_a_silent_database(path: str) -> Sent:
    sent = Sent()
    asyncio.run(
        ConcurrencyLimit(answer, limit=1, log_all=False, database_is_silent=lambda: True)(
            scope(path), nothing_more, sent
        )
    )
    return sent


@pytest.mark.parametrize("path", ["/forecast", "/jobs", "/jobs/job_1/events"])
def test_call_that_would_wait_for_a_silent_database_is_refused_at_once(path: str) -> None:
    sent = asked_of_a_silent_database(path)
    assert (sent.status, b"GET /readyz" in sent[1]["body"]) == (503, True)
    assert (b"retry-after", b"1") in sent[0]["headers"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"])
def test_call_that_needs_no_database_is_let_in_while_it_is_silent(path: str) -> None:
    assert asked_of_a_silent_database(path).status == 200


def test_body_of_which_nothing_more_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "IDLE_S", 0.01)

    async def read(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()

    sent = Sent()
    asyncio.run(BodyLimit(read, file_mb=1, json_mb=1)(scope(method="POST"), nothing_more, sent))
    assert sent.status == 408


def test_body_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_answer_that_nobody_takes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "IDLE_S", 0.01)
    taken: list[bytes] = []

    def parts() -> Iterator[bytes]:
        for part in (b"first", b"second"):
            taken.append(part)
            yield part

    async def never_taken(message: Message) -> None:
        if message.get("body"):
            await asyncio.Future()

    asyncio.run(responses.streamed_response(parts(), CSV)(scope(), nothing_more, never_taken))
    assert taken == [b"first"]


def test_refusals_are_logged_and_what_went_well_is_not(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "app.api.middleware.concurrency_limit"):
        client.get("/datasets")
        client.get("/datasets/none")
    (line,) = caplog.messages
    assert line.startswith("GET /datasets/none 404 ")


def test_every_call_is_logged_where_that_is_wished_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "app.api.middleware.concurrency_limit"):
        asyncio.run(
            ConcurrencyLimit(answer, limit=1, log_all=True, database_is_silent=answers)(
                scope(), nothing_more, Sent()
            )
        )
    assert [line.rpartition(" 200 ")[0] for line in caplog.messages] == ["GET /datasets"]
