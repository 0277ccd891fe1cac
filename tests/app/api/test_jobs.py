"""Jobs over HTTP: cancelled, followed, ordered, and queued once."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.db.tables import Job
from tests.factories import dataset, entered, queued_job, upload, workspace


def ask(client: TestClient, dataset_id: str, **wishes: Any) -> dict[str, Any]:
    body = {"dataset_id": dataset_id, "horizon": 3, "preset": "quick", **wishes}
    response = client.post("/train", json=body)
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.fixture
def dataset_id(client: TestClient) -> str:
    return str(upload(client)["id"])


def test_waiting_job_is_cancelled(client: TestClient, dataset_id: str) -> None:
    job = ask(client, dataset_id)
    response = client.post(f"/jobs/{job['id']}/cancel")
    assert (response.status_code, response.json()["state"]) == (200, "cancelled")
    assert client.get(f"/jobs/{job['id']}").json() == response.json()


def test_job_that_has_no_model_has_no_promotion(client: TestClient, dataset_id: str) -> None:
    assert client.get(f"/jobs/{ask(client, dataset_id)['id']}").json()["promotion"] is None


def test_ended_job_is_not_cancelled_again(client: TestClient, dataset_id: str) -> None:
    path = f"/jobs/{ask(client, dataset_id)['id']}/cancel"
    client.post(path)
    response = client.post(path)
    assert response.status_code == 409
    assert "has ended already: it was cancelled" in response.json()["detail"]


@pytest.mark.parametrize(("method", "path"), [("POST", "cancel"), ("GET", "events")])
def test_job_of_nobody_and_of_another_workspace_is_not_found(
    client: TestClient, database: Database, method: str, path: str
) -> None:
    other = workspace(database)
    theirs = queued_job(database, dataset(database, principal=other).id, other)
    for job_id in ("job_none", theirs.job_id):
        response = client.request(method, f"/jobs/{job_id}/{path}")
        assert (response.status_code, response.json()["type"]) == (404, "urn:gatecast:problem:not-found")


def test_same_training_queued_twice_is_one_job(client: TestClient, dataset_id: str) -> None:
    first, second = ask(client, dataset_id), ask(client, dataset_id, priority=7)
    assert first == second


@pytest.mark.parametrize("wish", [{"seed": 1}, {"horizon": 2}, {"promote": "never"}])
def test_training_with_another_wish_is_another_job(
    client: TestClient, dataset_id: str, wish: dict[str, Any]
) -> None:
    assert ask(client, dataset_id)["id"] != ask(client, dataset_id, **wish)["id"]


def test_training_of_an_ended_job_is_queued_anew(client: TestClient, dataset_id: str) -> None:
    first = ask(client, dataset_id)
    client.post(f"/jobs/{first['id']}/cancel")
    assert ask(client, dataset_id)["id"] != first["id"]


@pytest.mark.parametrize("priority", [101, -101, "high"])
def test_priority_out_of_range_is_refused(client: TestClient, dataset_id: str, priority: object) -> None:
    body = {"dataset_id": dataset_id, "horizon": 3, "priority": priority}
    response = client.post("/train", json=body)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "#/priority")


@pytest.mark.parametrize("last_event_id", [None, "none", "9" * 5000])
def test_events_begin_with_the_job_as_it_is(
    client: TestClient, dataset_id: str, last_event_id: str | None
) -> None:
    job = ask(client, dataset_id)
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    with client.sse(f"/jobs/{job['id']}/events", headers=headers) as source:
        event = next(iter(source))
    assert (event.event, event.id, event.json()) == ("progress", "0", job)


def test_events_of_an_ended_job_are_its_end(client: TestClient, dataset_id: str) -> None:
    job = ask(client, dataset_id)
    ended = client.post(f"/jobs/{job['id']}/cancel").json()
    with client.sse(f"/jobs/{job['id']}/events") as source:
        (event,) = source
    assert (event.event, event.id, event.json()) == ("cancelled", "1", ended)


def test_workers_are_listed_with_the_callers_job(client: TestClient, database: Database) -> None:
    other = workspace(database)
    ours = queued_job(database, dataset(database).id)
    theirs = queued_job(database, dataset(database, principal=other).id, other)
    ids = [entered(database), entered(database, device="cuda:1")]
    with database.write() as session:
        for ref, worker_id in ((ours, ids[0]), (theirs, ids[1])):
            job = session.get_one(Job, (ref.workspace_id, ref.job_id))
            job.state, job.worker_id = "running", worker_id
    listed = client.get("/workers", params={"limit": 1}).json()
    rest = client.get("/workers", params={"cursor": listed["next"]}).json()
    found = [(each["id"], each["device"], each["job_id"]) for each in listed["workers"] + rest["workers"]]
    assert found == [(ids[1], "cuda:1", None), (ids[0], "cpu", ours.job_id)]
    assert 0 <= listed["workers"][0]["silent_s"] < 60


def test_worker_that_left_is_not_listed(client: TestClient, database: Database) -> None:
    entered(database, stopped=True)
    assert client.get("/workers").json()["workers"] == []


def test_worker_without_its_process_is_listed_as_dead(client: TestClient, database: Database) -> None:
    there, gone = entered(database), entered(database, process_started="1")
    listed = client.get("/workers").json()["workers"]
    assert {worker["id"]: worker["alive"] for worker in listed} == {there: True, gone: False}
