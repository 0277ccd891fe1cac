"""`gatecast worker --check`, by which a container checks whether its worker is alive."""

import pytest

from app.db.engine import Database
from app.services.jobs import workers
from app.services.shared.heartbeats import Heartbeat
from tests.factories import entered


def let_beat_meanwhile(process: Heartbeat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.jobs.workers.time.sleep", lambda _seconds: process.poll())


def test_beating_worker_is_seen(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Heartbeat(database, "worker", "cpu")
    worker.poll()
    let_beat_meanwhile(worker, monkeypatch)
    assert workers.is_beating_here(database, within_s=0.5)


def test_silent_worker_is_not_beating(database: Database) -> None:
    entered(database)
    assert not workers.is_beating_here(database, within_s=0.0)


def test_worker_that_left_does_not_count(database: Database) -> None:
    entered(database, stopped=True)
    assert not workers.is_beating_here(database, within_s=0.0)


def test_process_that_answers_calls_is_no_worker(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    let_beat_meanwhile(Heartbeat(database, "api", "cpu"), monkeypatch)
    assert not workers.is_beating_here(database, within_s=0.0)
