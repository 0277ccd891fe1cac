"""Trainings are queued over HTTP."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.db.engine import Database
from tests.factories import upload


def test_training_is_queued_with_location_and_retry_after(client: TestClient) -> None:
    dataset_id = upload(client)["id"]
    response = client.post("/train", json={"dataset_id": dataset_id, "horizon": 3})
    job = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == f"/jobs/{job['id']}"
    assert int(response.headers["retry-after"]) > 0
    assert job["state"] == "queued"
    assert (job["request"]["preset"], job["request"]["architecture"]) == ("balanced", "lstm")


def test_job_and_queue_entry_are_there_together(client: TestClient, database: Database) -> None:
    dataset_id = upload(client)["id"]
    job = client.post("/train", json={"dataset_id": dataset_id, "horizon": 3}).json()
    table = "workflow_status" if database.is_sqlite else "dbos.workflow_status"
    with database.read() as session:
        entries = session.execute(text(f"SELECT workflow_uuid FROM {table}")).scalars().all()
    assert entries == [job["id"]]


def test_unknown_dataset_is_a_404_and_queues_nothing(client: TestClient) -> None:
    response = client.post("/train", json={"dataset_id": "ds_none", "horizon": 3})
    assert response.status_code == 404
    assert client.get("/jobs").json()["jobs"] == []


def test_horizon_longer_than_the_data_allows_names_the_longest(client: TestClient) -> None:
    dataset_id = upload(client, {"a": list(range(1, 11))})["id"]
    response = client.post("/train", json={"dataset_id": dataset_id, "horizon": 5})
    assert response.status_code == 422
    assert response.json()["errors"] == [{"pointer": "#/horizon", "detail": "Ask for at most 4."}]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("horizon", 0),
        ("horizon", "soon"),
        ("preset", "slow"),
        ("architecture", "transformer"),
        ("measure", "mape"),
        ("seed", -1),
        ("epochs", 3),
    ],
)
def test_bad_field_is_pointed_at(client: TestClient, field: str, value: object) -> None:
    body = {"dataset_id": "ds_none", "horizon": 3, field: value}
    response = client.post("/train", json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == f"#/{field}"


def test_unknown_architecture_is_refused_with_all_there_are(client: TestClient) -> None:
    body = {"dataset_id": "ds_none", "horizon": 3, "architecture": "LSTM"}
    (error,) = client.post("/train", json=body).json()["errors"]
    assert error["detail"].endswith("'lstm', 'gru', 'rnn', 'cnn' or 'all'.")


@pytest.mark.parametrize("other", [{"architecture": "gru"}, {"architecture": "all"}, {"horizon": 169}])
def test_pretrained_start_is_refused_where_nothing_was_pretrained(
    client: TestClient, other: dict[str, object]
) -> None:
    body = {"dataset_id": "ds_any", "horizon": 3, "start": "pretrained", **other}
    refused = client.post("/train", json=body)
    assert refused.status_code == 422
    assert "horizons up to 168" in refused.json()["detail"]


def test_jobs_are_paged_newest_first(client: TestClient) -> None:
    dataset_id = upload(client)["id"]
    bodies = [{"dataset_id": dataset_id, "horizon": horizon} for horizon in (1, 2, 3)]
    made = [client.post("/train", json=each).json()["id"] for each in bodies]
    first = client.get("/jobs", params={"limit": 2}).json()
    second = client.get("/jobs", params={"cursor": first["next"]}).json()
    assert [job["id"] for job in first["jobs"] + second["jobs"]] == made[::-1]
