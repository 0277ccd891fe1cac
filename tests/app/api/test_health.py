"""Health and readiness over HTTP."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.api import health
from app.db.engine import Database
from app.db.queries import changes
from app.main import create_app
from app.services.shared import change_feed, database_admin
from app.settings import Settings
from benchmarks.process_tree import eventually
from tests.factories import entered


def ready(client: TestClient) -> dict[str, Any]:
    """Wait until a process is ready, and return how it is."""
    eventually(lambda: client.get("/readyz").is_success)
    found: dict[str, Any] = client.get("/readyz").json()
    return found


def refusal(client: TestClient) -> str:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    return str(answer.json()["detail"])


def test_process_without_a_worker_is_ready_but_degraded(client: TestClient) -> None:
    found = ready(client)
    assert (found["status"], found["worker_alive"]) == ("degraded", False)
    assert "No worker is alive" in found["detail"]


def test_process_that_sees_a_living_worker_is_ready(database: Database, client: TestClient) -> None:
    entered(database)
    eventually(lambda: ready(client)["status"] == "ready")
    assert ready(client)["detail"] is None
    assert ready(client)["changes_seen_s"] < change_feed.SILENT_S


def test_worker_that_is_gone_is_not_counted(database: Database, client: TestClient) -> None:
    entered(database, process_started="1")
    entered(database, stopped=True)
    assert ready(client)["status"] == "degraded"


@pytest.fixture
def loaded() -> list[bool]:
    return [False]


@pytest.fixture
def starting(settings: Settings, loaded: list[bool]) -> Iterator[TestClient]:
    """A caller of a process that still loads what forecasts need."""
    with TestClient(create_app(settings, lambda: loaded[0])) as client:
        yield client


def test_process_is_ready_once_all_is_loaded(starting: TestClient, loaded: list[bool]) -> None:
    assert "still being loaded" in refusal(starting)
    assert starting.get("/healthz").json() == {"status": "alive"}
    loaded[0] = True
    assert ready(starting)


def failing(*_: object) -> int:
    raise ZeroDivisionError


def test_process_that_sees_no_changes_is_not_ready(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(client)
    monkeypatch.setattr("app.services.shared.readiness.SILENT_S", 0.0)
    monkeypatch.setattr(changes, "newest", failing)
    assert "has not seen for some seconds" in refusal(client)


def test_database_that_hangs_is_reported_in_time(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(health, "READINESS_TIMEOUT_S", 0.05)
    monkeypatch.setattr(database_admin, "check_ready", lambda _: goes_on.wait())
    assert "has not answered for 0.05 seconds" in refusal(client)
    goes_on.set()


def test_request_is_refused_while_the_database_is_silent(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(client)
    monkeypatch.setattr(change_feed.ChangeFeed, "is_silent", True)
    answer = client.get("/datasets")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "GET /readyz" in answer.json()["detail"]
    assert client.get("/healthz").is_success


@pytest.fixture
def unmigrated(empty_url: str) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(database_url=empty_url, device="cpu"))) as client:
        yield client


def test_process_started_before_the_migration_is_ready_after_it(
    unmigrated: TestClient, empty_url: str
) -> None:
    assert "gatecast migrate" in refusal(unmigrated)
    assert unmigrated.get("/datasets").status_code == 503
    database = Database(empty_url)
    database_admin.migrate(database)
    database.dispose()
    assert ready(unmigrated)
    assert unmigrated.get("/datasets").json()["datasets"] == []
