"""The queue, on the real engine."""

import base64
import pickle
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dbos import _serialization
from sqlalchemy import text

from app.db.engine import Database
from app.queue import Consumer, JobRef, PickleRefused, Queue
from benchmarks.process_tree import eventually


@pytest.fixture
def queue(database: Database) -> Iterator[Queue]:
    queue = Queue(database)
    yield queue
    queue.close()


@pytest.fixture
def run(database: Database) -> Iterator[Callable[..., Consumer]]:
    """Start a consumer under a worker's name; a later one takes the place of an earlier one."""
    consumers: list[Consumer] = []

    def start(worker_id: str, execute: Callable[[JobRef], None]) -> Consumer:
        for consumer in consumers:
            consumer.stop()
        consumers[:] = [Consumer(database, worker_id, execute)]
        consumers[0].start()
        return consumers[0]

    yield start
    for consumer in consumers:
        consumer.stop()


def test_job_enqueued_in_a_transaction_that_fails_is_never_run(
    database: Database, queue: Queue, run: Callable[..., Consumer]
) -> None:
    done: list[str] = []
    with pytest.raises(ZeroDivisionError), database.write() as session:
        queue.enqueue(session, JobRef("default", "lost"))
        raise ZeroDivisionError
    with database.write() as session:
        queue.enqueue(session, JobRef("default", "kept"))
    run("worker", lambda ref: done.append(ref.job_id))
    eventually(lambda: done)
    assert done == ["kept"]


def test_jobs_run_one_at_a_time_first_come_first_served(
    database: Database, queue: Queue, run: Callable[..., Consumer]
) -> None:
    begun, release = list[str](), threading.Semaphore(0)

    def perform(ref: JobRef) -> None:
        begun.append(ref.job_id)
        release.acquire()

    for name in ("a", "b", "c"):
        with database.write() as session:
            queue.enqueue(session, JobRef("default", name))
    run("worker", perform)
    for count in (1, 2, 3):
        eventually(lambda count=count: len(begun) == count)  # type: ignore[misc]  # bound now
        release.release()
    assert begun == ["a", "b", "c"]


def test_job_of_a_dead_worker_is_run_by_who_requeues_it(
    database: Database, queue: Queue, run: Callable[..., Consumer]
) -> None:
    begun, never, done = threading.Event(), threading.Event(), list[str]()

    def freeze(_: JobRef) -> None:
        begun.set()
        never.wait()

    with database.write() as session:
        queue.enqueue(session, JobRef("default", "job"))
    run("dead", freeze)
    begun.wait(30)
    survivor = run("survivor", lambda ref: done.append(ref.job_id))
    survivor.requeue_jobs_of(["dead"])
    survivor.requeue_jobs_of(["dead"])
    eventually(lambda: done)
    assert done == ["job"]
    never.set()


def test_highest_priority_runs_first_then_the_oldest(
    database: Database, queue: Queue, run: Callable[..., Consumer]
) -> None:
    done: list[str] = []
    for name, priority in (("a", 0), ("b", -100), ("c", 100), ("d", 0)):
        with database.write() as session:
            queue.enqueue(session, JobRef("default", name), priority)
    run("worker", lambda ref: done.append(ref.job_id))
    eventually(lambda: len(done) == 4)
    assert done == ["c", "a", "d", "b"]


def test_job_enqueued_again_is_run_once(
    database: Database, queue: Queue, run: Callable[..., Consumer]
) -> None:
    done: list[str] = []
    for name in ("job", "job", "last"):
        with database.write() as session:
            queue.enqueue(session, JobRef("default", name))
    run("worker", lambda ref: done.append(ref.job_id))
    eventually(lambda: "last" in done)
    assert done == ["job", "last"]


def test_owner_of_an_unfinished_job_is_found(
    database: Database, queue: Queue, run: Callable[..., Consumer]
) -> None:
    release = threading.Event()
    with database.write() as session:
        queue.enqueue(session, JobRef("default", "job"))
    consumer = run("worker", lambda _: release.wait(30))
    eventually(lambda: consumer.workers_with_jobs() == {"worker"})
    release.set()
    eventually(lambda: consumer.workers_with_jobs() == set())


def test_finished_job_is_removed_after_its_time_and_no_unfinished_one(
    database: Database, queue: Queue, run: Callable[..., Consumer]
) -> None:
    release = threading.Event()
    for name in ("finished", "unfinished"):
        with database.write() as session:
            queue.enqueue(session, JobRef("default", name))
    consumer = run("worker", lambda ref: ref.job_id == "finished" or release.wait(30))
    eventually(lambda: statuses(database) == {"finished": "SUCCESS", "unfinished": "PENDING"})
    consumer.delete_finished(timedelta(hours=1))
    assert set(statuses(database)) == {"finished", "unfinished"}
    consumer.delete_finished(timedelta(0))
    assert set(statuses(database)) == {"unfinished"}
    release.set()


@dataclass
class Payload:
    """What runs code where it is unpickled: it leaves a file."""

    path: Path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)

    def pickled(self) -> str:
        return base64.b64encode(pickle.dumps(self)).decode()


@pytest.fixture
def payload(tmp_path: Path) -> Payload:
    return Payload(tmp_path / "it-ran")


def plant(database: Database, payload: Payload, name: str) -> None:
    """Mark a job's row as pickled."""
    schema = "" if database.is_sqlite else "dbos."
    with database.write() as session:
        for table in ("workflow_status", "workflow_input"):
            key = f"UPDATE {schema}{table} SET inputs = :inputs WHERE workflow_uuid = :name"
            session.execute(text(key), {"inputs": payload.pickled(), "name": name})
        update = f"UPDATE {schema}workflow_status SET serialization = 'py_pickle' WHERE workflow_uuid = :name"
        session.execute(text(update), {"name": name})


def test_pickled_row_runs_nothing_and_the_next_job_is_done(
    database: Database, queue: Queue, run: Callable[..., Consumer], payload: Payload
) -> None:
    for name in ("planted", "next"):
        with database.write() as session:
            queue.enqueue(session, JobRef("default", name))
    plant(database, payload, "planted")
    done: list[str] = []
    consumer = run("worker", lambda ref: done.append(ref.job_id))
    eventually(lambda: done and consumer.failed_job_ids())
    assert (done, consumer.failed_job_ids()) == (["next"], {"planted"})
    assert not payload.path.exists()


def test_pickled_value_is_not_read_in_any_column(payload: Payload) -> None:
    readers = (_serialization.deserialize_args, _serialization.deserialize_value)
    for read in (*readers, _serialization.deserialize_exception):
        with pytest.raises(PickleRefused):
            read(payload.pickled(), "py_pickle", _serialization.DBOSPortableJSON)
    with pytest.raises(PickleRefused):
        _serialization.DefaultSerializer().deserialize(payload.pickled())
    assert not payload.path.exists()


def statuses(database: Database) -> dict[str, str]:
    """Return the state of every job by the engine's own table."""
    table = "workflow_status" if database.is_sqlite else "dbos.workflow_status"
    with database.read() as session:
        rows = session.execute(text(f"SELECT workflow_uuid, status FROM {table}"))
        return {row.workflow_uuid: row.status for row in rows}


def test_engine_reports_whether_it_runs_jobs(run: Callable[..., Consumer]) -> None:
    consumer = run("worker", lambda _: None)
    assert consumer.takes_jobs
    consumer.stop()
    assert not consumer.takes_jobs
