"""Cross-validation by the client: a DataFrame in, and out as statsforecast has it; nothing stays behind."""

import asyncio
import io
import json

import httpx2
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from app.api.deps import Resources
from app.db.engine import Database
from app.queue import JobRef
from app.services.jobs import states
from app.services.training.run import run_attempt
from gatecast_client import AsyncClient, Client, JobFailed
from models.errors import TrainingDiverged
from tests.factories import csv_bytes, dataset, entered

FIRST = ["unique_id", "ds", "cutoff", "y"]


def frame() -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(csv_bytes()))


@pytest.fixture
def trained_at_once(client: TestClient, brief_trainings: None) -> TestClient:  # noqa: ARG001  # it patches
    """The app, with a worker that is done with a training before it is answered."""

    def work(response: httpx2.Response) -> None:
        if response.request.url.path != "/train":
            return
        resources: Resources = client.app.state.resources  # type: ignore[attr-defined]  # of FastAPI
        ref = JobRef("default", json.loads(response.read())["id"])
        with resources.database.write() as session:
            attempt = states.begin(session, ref, worker_id, max_attempts=1)
        run_attempt(resources.database, ref, attempt or 1, "cpu")

    worker_id = entered(client.app.state.resources.database)  # type: ignore[attr-defined]  # of FastAPI
    client.event_hooks = {"response": [work]}
    return client


@pytest.fixture
def caller(trained_at_once: TestClient) -> Client:
    return Client("http://testserver", http=trained_at_once)


def test_frame_is_tested_at_so_many_windows(caller: Client) -> None:
    found = caller.cross_validation(frame(), 3, n_windows=2, step_size=2, preset="quick")
    assert list(found.columns[:5]) == [*FIRST, "lstm"]
    assert {"blend", "theta", "naive"} < set(found.columns)
    assert [name for name in found.columns if "-lo-" in name] == []
    one = found[found["unique_id"] == "series 0"]
    assert list(zip(one["cutoff"], one["ds"], strict=True)) == [
        *((1994, 1994 + step) for step in (1, 2, 3)),
        *((1996, 1996 + step) for step in (1, 2, 3)),
    ]
    truth = frame().set_index(["unique_id", "ds"])["y"]
    assert list(found.set_index(["unique_id", "ds"])["y"]) == [
        truth[key] for key in zip(found["unique_id"], found["ds"], strict=True)
    ]


def test_times_come_back_in_the_zone_that_they_were_sent_in(caller: Client) -> None:
    ds = pd.date_range("2024-03-29", periods=60, freq="h", tz="Europe/Berlin")
    found = caller.cross_validation(pd.DataFrame({"ds": ds, "y": range(60)}), 2, preset="quick")
    assert list(found["ds"]) == list(ds[-2:])
    assert list(found["cutoff"]) == [ds[-3]] * 2


def test_levels_add_their_bounds_and_no_others(caller: Client) -> None:
    found = caller.cross_validation(frame(), 3, level=[90], preset="quick")
    bounds = [name for name in found.columns if name.startswith("theta-")]
    assert bounds == ["theta-lo-90", "theta-hi-90"]
    assert (found["theta-lo-90"] < found["theta-hi-90"]).all()


def test_nothing_stays_of_it(caller: Client, database: Database) -> None:
    stored = dataset(database)
    caller.cross_validation(frame(), 3, preset="quick")
    caller.cross_validation(stored.id, 3, preset="quick")
    assert [each.id for each in caller.datasets()] == [stored.id]
    assert list(caller.models()) == []


def test_dataset_is_deleted_where_the_training_fails(caller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise TrainingDiverged("The loss is not finite.")

    monkeypatch.setattr("app.services.training.spec.train", refuse)
    with pytest.raises(JobFailed, match="not finite"):
        caller.cross_validation(frame(), 3, preset="quick")
    assert list(caller.datasets()) == []


def test_training_is_cancelled_where_nobody_waits_any_more(
    caller: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = dataset(database)
    caller._http.event_hooks = {}  # no worker takes it
    monkeypatch.setattr("gatecast_client.calls.jobs.default_bar", lambda: interrupt)
    with pytest.raises(KeyboardInterrupt):
        caller.cross_validation(stored.id, 3, preset="quick")
    assert [each.state for each in caller.jobs()] == ["cancelled"]


def interrupt(_: object) -> None:
    raise KeyboardInterrupt


def test_asyncio_awaits_it(trained_at_once: TestClient) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        found = trained_at_once.request(
            request.method, str(request.url), content=request.content, headers=dict(request.headers)
        )
        headers = {"content-type": found.headers.get("content-type", "")}
        return httpx2.Response(found.status_code, headers=headers, content=found.content)

    async def use() -> pd.DataFrame:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http:
            caller = AsyncClient("http://testserver", http=http)
            return await caller.cross_validation(frame(), 3, preset="quick")

    assert list(asyncio.run(use()).columns[:4]) == FIRST
