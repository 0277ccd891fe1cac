"""Requests that are sent twice with one key."""

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event

from app.api.http.idempotency import _settle
from app.auth import OWNER
from app.db.engine import Database, Session
from app.db.tables import IdempotencyKey, Process, now
from app.errors import BadInput, Unavailable
from app.services.datasets import catalog
from app.services.shared import idempotency
from app.services.shared.heartbeats import Heartbeat
from app.services.shared.idempotency import Claim, Claims
from tests.factories import csv_bytes, entered, upload

KEY = {"Idempotency-Key": "one"}


def send(client: TestClient, content: bytes | None = None, **headers: str) -> httpx2.Response:
    files = {"file": ("a.csv", content or csv_bytes())}
    return client.post("/datasets", files=files, headers={**KEY, **headers})


def test_same_key_and_request_replay_the_first_response(client: TestClient) -> None:
    first, second = send(client), send(client)
    assert second.status_code == 201
    assert second.content == first.content
    assert second.headers["location"] == first.headers["location"]
    assert len(client.get("/datasets").json()["datasets"]) == 1


def test_same_key_with_another_file_is_refused(client: TestClient) -> None:
    send(client)
    assert send(client, csv_bytes({"b": [1, 2]})).status_code == 422


def test_two_keys_are_refused(client: TestClient) -> None:
    keys = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    refused = client.post("/datasets", files={"file": ("a.csv", csv_bytes())}, headers=keys)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "header:Idempotency-Key"
    assert client.get("/datasets").json()["datasets"] == []


def test_json_requests_are_compared_byte_by_byte(client: TestClient) -> None:
    dataset_id = upload(client)["id"]
    headers = {**KEY, "content-type": "application/json"}
    body = f'{{"dataset_id": "{dataset_id}", "horizon": 3}}'
    first, second, other = [
        client.post("/train", content=each, headers=headers) for each in (body, body, f"{body} ")
    ]
    assert (first.json(), other.status_code) == (second.json(), 422)


def test_forms_are_compared_by_their_fields_and_the_bytes_of_the_file(client: TestClient) -> None:
    def post(boundary: str, name: str = "n") -> httpx2.Response:
        parts = [
            'form-data; name="name"\r\n\r\n' + name,
            'form-data; name="file"; filename="a.csv"\r\n\r\n' + csv_bytes().decode(),
        ]
        body = "".join(f"--{boundary}\r\nContent-Disposition: {part}\r\n" for part in parts)
        kind = f"Multipart/Form-Data; boundary={boundary}"
        return client.post(
            "/datasets", content=f"{body}--{boundary}--", headers={**KEY, "content-type": kind}
        )

    first, again, other = post("one"), post("two"), post("two", "m")
    assert (first.status_code, again.content, other.status_code) == (201, first.content, 422)


def test_forms_whose_fields_join_alike_differ(client: TestClient) -> None:
    def post(**fields: str) -> int:
        files = {"file": ("a.csv", csv_bytes())}
        return client.post("/datasets", files=files, data=fields, headers=KEY).status_code

    assert (post(name='a", "x", "b'), post(name="a", x="b")) == (201, 422)


def test_refusal_is_kept_under_the_key(client: TestClient) -> None:
    body: dict[str, Any] = {"dataset_id": "ds_none", "horizon": 3}
    first = client.post("/train", json=body, headers=KEY)
    second = client.post("/train", json=body, headers=KEY)
    assert first.status_code == second.status_code == 404
    assert "idempotent-replayed" in second.headers


def test_second_request_while_the_first_runs_is_a_conflict(client: TestClient, database: Database) -> None:
    cut_off(client, database, entered(database, "api"))
    assert send(client).status_code == 409


def test_request_of_a_process_that_is_gone_is_repeated_at_once(
    client: TestClient, database: Database
) -> None:
    cut_off(client, database, entered(database, "api", process_started="1"))
    assert send(client).status_code == 201
    assert len(client.get("/datasets").json()["datasets"]) == 2


def test_request_of_a_removed_process_is_repeated(client: TestClient, database: Database) -> None:
    cut_off(client, database, "api_forgotten")
    assert send(client).status_code == 201


def test_request_of_a_remote_process_is_repeated_once_that_is_dead(
    api: FastAPI, client: TestClient, database: Database
) -> None:
    owner_id = entered(database, "api", host="elsewhere")
    cut_off(client, database, owner_id)
    assert send(client).status_code == 409
    heartbeat: Heartbeat = api.state.resources.heartbeat
    heartbeat.stop()
    with database.read() as session:
        heartbeat.dead = [session.get_one(Process, owner_id)]
    assert send(client).status_code == 201


def test_request_whose_key_was_taken_over_is_undone(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = catalog.create

    def create_slowly(*arguments: Any) -> Any:
        session: Session = arguments[0]
        session.query(IdempotencyKey).update({"owner_id": "another"})
        return create(*arguments)

    monkeypatch.setattr(catalog, "create", create_slowly)
    assert send(client).status_code == 409
    assert client.get("/datasets").json()["datasets"] == []


def test_key_is_free_again_when_the_commit_fails(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = catalog.create

    def create_in_vain(session: Session, *arguments: Any) -> Any:
        event.listen(session, "before_commit", away)
        return create(session, *arguments)

    with monkeypatch.context() as failing:
        failing.setattr(catalog, "create", create_in_vain)
        assert send(client).status_code == 503
    assert keys(database) == []
    assert send(client).status_code == 201


def test_key_that_could_not_be_released_is_by_the_next_heartbeat(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = Claims(database, Heartbeat(database, "api", "cpu"))
    claim = claims.claim(OWNER, "k", "f")
    assert isinstance(claim, Claim)
    claims.abandon(claim)
    with monkeypatch.context() as failing, pytest.raises(Unavailable):
        failing.setattr(database, "write", away)
        claims.tidy()
    assert keys(database) == ["k"]
    claims.tidy()
    assert keys(database) == []


def test_key_is_free_again_after_a_day(client: TestClient, database: Database) -> None:
    send(client)
    with database.write() as session:
        session.query(IdempotencyKey).update({"created_at": now() - idempotency.KEPT_FOR})
    assert send(client, csv_bytes({"b": [1, 2]})).status_code == 201


def away(*_: Any) -> Any:
    raise Unavailable("The database is away.")


def keys(database: Database) -> list[str]:
    with database.read() as session:
        return [row.key for row in session.query(IdempotencyKey)]


def cut_off(client: TestClient, database: Database, owner_id: str) -> None:
    """Leave a call behind as one that its process has not answered."""
    send(client)
    with database.write() as session:
        session.query(IdempotencyKey).update({"status": None, "owner_id": owner_id})


def test_refusal_waits_to_be_stored_without_a_thread() -> None:
    """A thread that waits for a lock would be missing to whoever has it."""
    stored = threading.Event()
    claims = SimpleNamespace(refuse=lambda *_: stored.set())
    resources: Any = SimpleNamespace(writers=asyncio.Semaphore(1), claims=claims)

    async def main() -> None:
        async with resources.writers:
            refusal = _settle(resources, Claim("default", "one", "api"), BadInput("No."), "/datasets")
            settling = asyncio.create_task(refusal)
            assert not await asyncio.to_thread(stored.wait, 0.1)
        await settling
        assert stored.is_set()

    asyncio.run(main())
