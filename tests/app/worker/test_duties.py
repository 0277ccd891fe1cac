"""What a worker does beside its training: one duty that fails keeps none of the others from being done."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.db.engine import Database
from app.settings import Settings
from app.worker import process
from app.worker.process import Worker


class BrokenEngine:
    """An engine whose books cannot be read."""

    takes_jobs = True

    def __init__(self, *_: Any) -> None:
        self.forgot_finished = threading.Event()

    def holders(self) -> set[str]:
        raise ZeroDivisionError

    def forget_finished(self, _age: object) -> None:
        self.forgot_finished.set()


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def worker(
    settings: Settings, database: Database, stopping: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Worker]:
    monkeypatch.setattr(process, "Runner", BrokenEngine)
    monkeypatch.setattr(process, "Child", lambda _url: None)
    worker = Worker(settings, database, "cpu", stopping)
    yield worker
    worker._presence.close()
    worker._queue.close()


def test_duty_that_fails_keeps_no_other_from_being_done(worker: Worker, stopping: threading.Event) -> None:
    worker._look_after()
    assert worker._runner.forgot_finished.is_set()  # type: ignore[attr-defined]  # the broken one's
    assert not stopping.is_set()


def test_worker_whose_engine_takes_no_jobs_ends_with_a_status(
    worker: Worker, stopping: threading.Event
) -> None:
    worker._runner.takes_jobs = False  # type: ignore[misc]  # the broken one's
    worker._look_after()
    assert stopping.is_set()
    assert worker._status == 1
