"""Calls that are sent twice."""

from typing import Any

import httpx2
from fastapi.testclient import TestClient

from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import IdempotencyKey, now
from app.services import idempotency
from tests.factories import csv_bytes, upload

KEY = {"Idempotency-Key": "one"}


def send(client: TestClient, content: bytes | None = None, **headers: str) -> httpx2.Response:
    files = {"file": ("a.csv", content or csv_bytes())}
    return client.post("/datasets", files=files, headers={**KEY, **headers})


def test_same_key_and_call_give_the_first_answer_again(client: TestClient) -> None:
    first, second = send(client), send(client)
    assert second.status_code == 201
    assert second.content == first.content
    assert second.headers["location"] == first.headers["location"]
    assert len(client.get("/datasets").json()["datasets"]) == 1


def test_same_key_with_another_file_is_refused(client: TestClient) -> None:
    send(client)
    assert send(client, csv_bytes({"b": [1, 2]})).status_code == 422


def test_json_calls_are_compared_by_fields_not_by_spelling(client: TestClient) -> None:
    dataset_id = upload(client)["id"]
    headers = {**KEY, "content-type": "application/json"}
    spellings = [
        f'{{"dataset_id": "{dataset_id}", "horizon": 3}}',
        f'{{"horizon":3,"dataset_id":"{dataset_id}"}}',
    ]
    first, second = [client.post("/train", content=body, headers=headers) for body in spellings]
    assert first.json() == second.json()


def test_refusal_is_kept_under_the_key(client: TestClient) -> None:
    body: dict[str, Any] = {"dataset_id": "ds_none", "horizon": 3}
    first = client.post("/train", json=body, headers=KEY)
    second = client.post("/train", json=body, headers=KEY)
    assert first.status_code == second.status_code == 404
    assert "idempotent-replayed" in second.headers


def test_second_call_while_the_first_runs_is_a_conflict(client: TestClient, database: Database) -> None:
    send(client)
    with database.write() as session:
        session.query(IdempotencyKey).update({"status": None})
    assert send(client).status_code == 409


def test_call_cut_off_long_ago_may_be_made_again(client: TestClient, database: Database) -> None:
    send(client)
    long_ago = now() - 2 * idempotency.CUT_OFF_AFTER
    with database.write() as session:
        session.query(IdempotencyKey).update({"status": None, "created_at": long_ago})
    assert send(client).status_code == 201
    assert len(client.get("/datasets").json()["datasets"]) == 2


def test_key_is_free_again_after_a_day(client: TestClient, database: Database) -> None:
    send(client)
    with database.write() as session:
        session.query(IdempotencyKey).update({"created_at": now() - idempotency.KEPT_FOR})
    assert send(client, csv_bytes({"b": [1, 2]})).status_code == 201


def test_released_key_is_free(database: Database) -> None:
    with database.write() as session:
        assert idempotency.claim(session, OWNER, "k", "f") is None
        idempotency.release(session, OWNER, "k")
        assert idempotency.claim(session, OWNER, "k", "another") is None
