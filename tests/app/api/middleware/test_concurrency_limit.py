"""Requests over the limit, requests while the database is silent, and the access log."""

import asyncio
import logging

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from app.api.middleware.concurrency_limit import ConcurrencyLimit


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


def test_request_over_the_limit_is_refused_with_retry_after() -> None:
    sent = asyncio.run(overload("/datasets"))
    assert sent.status == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]
    assert b"GATECAST_MAX_REQUESTS" in sent[1]["body"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/jobs/job_1/events"])
def test_monitoring_is_always_admitted(path: str) -> None:
    assert asyncio.run(overload(path)).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_requests_with_a_body_leave_places_to_those_without(method: str) -> None:
    assert asyncio.run(overload("/forecast", method, busy_with="POST")).status == 200


def test_requests_without_a_body_leave_places_to_those_with_one() -> None:
    assert asyncio.run(overload("/datasets", "POST")).status == 200


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_request_with_a_body_over_the_limit_is_refused_at_once(method: str) -> None:
    assert asyncio.run(overload("/datasets", method, busy_with="POST")).status == 503


def sent_to_a_silent_database(path: str) -> Sent:
    sent = Sent()
    asyncio.run(
        ConcurrencyLimit(answer, limit=1, log_all=False, database_is_silent=lambda: True)(
            scope(path), nothing_more, sent
        )
    )
    return sent


@pytest.mark.parametrize("path", ["/forecast", "/jobs", "/jobs/job_1/events"])
def test_request_that_needs_a_silent_database_is_refused_at_once(path: str) -> None:
    sent = sent_to_a_silent_database(path)
    assert (sent.status, b"GET /readyz" in sent[1]["body"]) == (503, True)
    assert (b"retry-after", b"1") in sent[0]["headers"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"])
def test_request_that_needs_no_database_is_admitted_while_it_is_silent(path: str) -> None:
    assert sent_to_a_silent_database(path).status == 200


def test_refused_requests_are_logged_and_successful_ones_are_not(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "app.api.middleware.concurrency_limit"):
        client.get("/datasets")
        client.get("/datasets/none")
    (line,) = caplog.messages
    assert line.startswith("GET /datasets/none 404 ")


def test_every_request_is_logged_with_the_access_log_on(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "app.api.middleware.concurrency_limit"):
        asyncio.run(
            ConcurrencyLimit(answer, limit=1, log_all=True, database_is_silent=answers)(
                scope(), nothing_more, Sent()
            )
        )
    assert [line.rpartition(" 200 ")[0] for line in caplog.messages] == ["GET /datasets"]
