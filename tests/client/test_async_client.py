"""The client for asyncio, against the app in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.schemas import examples
from gatecast_client import AsyncClient, JobFailed, NoAnswer, ServiceError
from tests.factories import csv_bytes, dataset, queued_job

Result = TypeVar("Result")
Use = Callable[[Callable[[AsyncClient], Awaitable[Result]]], Result]


async def used(
    answer: Callable[[httpx2.Request], httpx2.Response], use: Callable[[AsyncClient], Awaitable[Result]]
) -> Result:
    async with (
        httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http,
        AsyncClient("http://testserver", http=http) as caller,
    ):
        return await use(caller)


def answering(client: TestClient) -> Callable[[httpx2.Request], httpx2.Response]:
    """Return what answers as the app does."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        found = client.request(
            request.method, str(request.url), content=request.content, headers=dict(request.headers)
        )
        return httpx2.Response(
            found.status_code, headers={"content-type": found.headers["content-type"]}, content=found.content
        )

    return answer


def test_file_is_uploaded_listed_and_forecast(client: TestClient) -> None:
    async def use(caller: AsyncClient) -> tuple[list[str], list[int]]:
        stored = await caller.upload(csv_bytes(), "lines")
        names = [each.name async for each in caller.datasets()]
        return names, [len(each.forecast) async for each in caller.forecasts(stored, horizon=2)]

    names, lengths = asyncio.run(used(answering(client), use))
    assert names == ["lines"]
    assert set(lengths) == {2}


def test_lists_are_read_to_their_end(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        dataset(database)
    monkeypatch.setattr("gatecast_client.core.PAGE", 2)

    async def use(caller: AsyncClient) -> int:
        return len([each async for each in caller.datasets()])

    assert asyncio.run(used(answering(client), use)) == 5


def test_refusal_is_raised(client: TestClient) -> None:
    with pytest.raises(ServiceError, match="There is no dataset ds_none"):
        asyncio.run(used(answering(client), lambda caller: caller.dataset("ds_none")))


def test_cancelled_training_is_waited_for(client: TestClient, database: Database) -> None:
    job_id = queued_job(database, dataset(database).id).job_id
    client.post(f"/jobs/{job_id}/cancel")
    with pytest.raises(JobFailed, match="It was cancelled"):
        asyncio.run(used(answering(client), lambda caller: caller.wait(job_id)))


def test_call_that_was_lost_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    def refuse(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("Connection refused")

    monkeypatch.setattr("gatecast_client.client.asyncio.sleep", sleep)
    with pytest.raises(NoAnswer, match="Connection refused"):
        asyncio.run(used(refuse, lambda caller: caller.job("job_1")))
    assert pauses == [0.5, 1.0, 2.0]


def test_states_of_a_job_are_listed() -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=examples.EVENTS)

    async def use(caller: AsyncClient) -> list[str]:
        return [job.state async for job in caller.events("job_1")]

    assert asyncio.run(used(answer, use)) == ["running", "succeeded"]
