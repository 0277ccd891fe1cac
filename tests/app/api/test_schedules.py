"""Schedules over HTTP."""

from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.factories import upload


@pytest.fixture
def dataset_id(client: TestClient) -> str:
    return str(upload(client)["id"])


def make(client: TestClient, dataset_id: str, cron: str = "0 6 * * 1", **wishes: Any) -> Any:
    body = {"dataset_id": dataset_id, "cron": cron, "train": {"horizon": 3, **wishes}}
    return client.post("/schedules", json=body)


def test_schedule_is_made_read_and_listed(client: TestClient, dataset_id: str) -> None:
    response = make(client, dataset_id, cron=" 0  6 * * 1", seed=4)
    schedule = response.json()
    assert (response.status_code, response.headers["location"]) == (201, f"/schedules/{schedule['id']}")
    assert (schedule["cron"], schedule["train"]["seed"], schedule["last"]) == ("0 6 * * 1", 4, None)
    due = datetime.fromisoformat(schedule["next_at"])
    assert (due.weekday(), due.hour, due.minute) == (0, 6, 0)
    assert client.get(response.headers["location"]).json() == schedule
    assert client.get("/schedules", params={"dataset_id": dataset_id}).json()["schedules"] == [schedule]
    assert client.get("/schedules", params={"dataset_id": "ds_0"}).json()["schedules"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"cron": "0 0 6 * * *"}, "#/cron"),
        ({"train": {"horizon": 999}}, "#/train/horizon"),
        ({"train": {"horizon": 3, "preset": "slow"}}, "#/train/preset"),
        ({"train": {"horizon": 3, "dataset_id": "ds"}}, "#/train/dataset_id"),
    ],
)
def test_wrong_schedule_is_refused_where_it_is_wrong(
    client: TestClient, dataset_id: str, body: dict[str, Any], pointer: str
) -> None:
    wished = {"dataset_id": dataset_id, "cron": "0 6 * * *", "train": {"horizon": 3}, **body}
    response = client.post("/schedules", json=wished)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, pointer)


def test_schedule_is_paused_resumed_and_deleted(client: TestClient, dataset_id: str) -> None:
    path = make(client, dataset_id).headers["location"]
    paused = client.patch(path, json={"paused": True}).json()
    going_on = client.patch(path, json={"paused": False}).json()
    assert (paused["paused"], paused["next_at"], going_on["paused"]) == (True, None, False)
    assert going_on["next_at"] is not None
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == client.delete(path).status_code == 404


def test_schedule_sent_twice_under_a_key_is_made_once(client: TestClient, dataset_id: str) -> None:
    client.headers["Idempotency-Key"] = "one"
    first, second = make(client, dataset_id), make(client, dataset_id)
    assert first.json() == second.json()
    assert len(client.get("/schedules").json()["schedules"]) == 1
