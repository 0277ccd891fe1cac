"""What becomes of a worker that others take for dead."""

from collections.abc import Iterator

import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import Process
from app.queue import JobRef, Queue
from app.services.jobs import states, workers
from app.services.shared.heartbeats import Heartbeat
from tests.factories import dataset, entered, queued_job


@pytest.fixture
def queue(database: Database) -> Iterator[Queue]:
    queue = Queue(database)
    yield queue
    queue.close()


@pytest.fixture
def worker_id(database: Database) -> str:
    return entered(database)


@pytest.fixture
def ref(database: Database, worker_id: str) -> JobRef:
    """A job that this worker has begun."""
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        states.begin(session, ref, worker_id, max_attempts=3)
    return ref


def row_of(database: Database, worker_id: str) -> Process:
    with database.read() as session:
        return session.get_one(Process, worker_id)


def failures(database: Database, ref: JobRef) -> list[str]:
    with database.read() as session:
        return states.get(session, OWNER, ref.job_id).failures


def test_dead_worker_is_removed_and_its_job_waits_with_the_cause(
    database: Database, queue: Queue, worker_id: str, ref: JobRef
) -> None:
    assert workers.remove_dead(database, queue, [row_of(database, worker_id)]) == [worker_id]
    assert workers.unregistered(database, [worker_id]) == {worker_id}
    assert failures(database, ref) == ["Attempt 1: its worker died."]


def test_worker_that_beats_before_it_is_removed_stays_with_its_job(
    database: Database, queue: Queue, worker_id: str, ref: JobRef
) -> None:
    seen = row_of(database, worker_id)
    with database.write() as session:
        session.get_one(Process, worker_id).beat += 1
    assert workers.remove_dead(database, queue, [seen]) == []
    assert failures(database, ref) == []


def test_second_of_two_who_remove_it_finds_nothing_left_to_do(
    database: Database, queue: Queue, worker_id: str, ref: JobRef
) -> None:
    seen = row_of(database, worker_id)
    assert [workers.remove_dead(database, queue, [seen]) for _ in range(2)] == [[worker_id], []]
    assert failures(database, ref) == ["Attempt 1: its worker died."]


def test_worker_that_leaves_has_its_job_requeued_without_a_failure(database: Database) -> None:
    heartbeat = Heartbeat(database, "worker", "cpu")
    heartbeat.poll()
    heartbeat.open()
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        states.begin(session, ref, heartbeat.id, max_attempts=3)
    workers.leave(database, heartbeat)
    assert row_of(database, heartbeat.id).stopped
    assert failures(database, ref) == []
