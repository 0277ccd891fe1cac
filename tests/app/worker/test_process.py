"""A worker's side tasks: one that fails keeps none of the others from running."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import Process
from app.queue import JobRef
from app.services.jobs import states
from app.settings import Settings
from app.worker import executor, process
from app.worker.executor import CurrentAttempt
from app.worker.process import REMOVED, Worker
from benchmarks.process_tree import eventually
from tests.factories import dataset, queued_job


class BrokenEngine:
    """An engine whose tables cannot be read."""

    takes_jobs = True

    def __init__(self, *_: Any) -> None:
        self.deleted_finished = threading.Event()
        self.given_up = set[str]()

    def workers_with_jobs(self) -> set[str]:
        raise ZeroDivisionError

    def failed_job_ids(self) -> set[str]:
        return self.given_up

    def delete_finished(self, _age: object) -> None:
        self.deleted_finished.set()


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def worker(
    settings: Settings, database: Database, stopping: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Worker]:
    monkeypatch.setattr(process, "Consumer", BrokenEngine)
    monkeypatch.setattr(executor, "Child", lambda _url: None)
    worker = Worker(settings, database, "cpu", stopping)
    yield worker
    worker._heartbeat.close()
    worker._queue.close()


def test_side_task_that_fails_keeps_no_other_from_running(worker: Worker, stopping: threading.Event) -> None:
    worker._run_side_tasks()
    assert worker._consumer.deleted_finished.is_set()  # type: ignore[attr-defined]  # the broken one's
    assert not stopping.is_set()


def test_worker_whose_engine_takes_no_jobs_ends_with_a_status(
    worker: Worker, stopping: threading.Event
) -> None:
    worker._consumer.takes_jobs = False  # type: ignore[misc]  # the broken one's
    worker._run_side_tasks()
    assert stopping.is_set()
    assert worker._status == 1


def test_job_that_the_queue_has_given_up_has_failed(worker: Worker, database: Database) -> None:
    ref = queued_job(database, dataset(database).id)
    worker._consumer.given_up.add(ref.job_id)  # type: ignore[attr-defined]  # the broken one's
    worker._run_side_tasks()
    with database.read() as session:
        job = states.get(session, OWNER, ref.job_id)
    assert (job.state, job.error) == (
        "failed",
        "Its entry in the queue cannot be read. Ask for it once more.",
    )


def test_worker_that_others_removed_ends_with_a_status_and_retracts_the_death_of_its_attempt(
    worker: Worker, database: Database, stopping: threading.Event
) -> None:
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        attempt = states.begin(session, ref, worker._id, max_attempts=3) or 0
        states.requeue_orphaned(session, [worker._id])
        session.query(Process).delete()
    worker._executor.current = CurrentAttempt(ref, attempt, None, threading.Event())  # type: ignore[arg-type]  # unused
    worker._heartbeat.poll()
    worker._run_side_tasks()
    assert (stopping.is_set(), worker._status) == (True, REMOVED)
    with database.read() as session:
        assert states.get(session, OWNER, ref.job_id).failures == []


class SlowChild:
    """A child that pauses when its worker has beaten three times more."""

    def __init__(self, worker: Worker, database: Database, ended: threading.Event) -> None:
        self._worker_id, self._database, self._ended = worker._id, database, ended

    def ask_to_pause(self) -> None:
        before = self._beat()
        eventually(lambda: self._beat() >= before + 3)
        self._ended.set()

    def _beat(self) -> int:
        with self._database.read() as session:
            return session.get_one(Process, self._worker_id).beat


def test_heartbeat_goes_on_while_a_worker_waits_for_its_training_to_pause(
    worker: Worker, database: Database
) -> None:
    ended = threading.Event()
    child: Any = SlowChild(worker, database, ended)
    worker._executor.current = CurrentAttempt(JobRef("default", "job"), 1, child, ended)
    worker._leave(pause_limit_s=0.0)
    assert ended.is_set()
