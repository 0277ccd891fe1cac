"""The queue's promises, by the engine itself."""

import threading
from collections.abc import Callable, Iterator

import pytest

from app.db.engine import Database
from app.queue import JobRef, Queue, Runner
from tests.processes import eventually


@pytest.fixture
def queue(database: Database) -> Iterator[Queue]:
    queue = Queue(database)
    yield queue
    queue.close()


@pytest.fixture
def run(database: Database) -> Iterator[Callable[..., Runner]]:
    """Start a runner under a worker's name; a later one takes the place of an earlier one."""
    runners: list[Runner] = []

    def start(worker_id: str, perform: Callable[[JobRef], None]) -> Runner:
        for runner in runners:
            runner.stop()
        runners[:] = [Runner(database, worker_id, perform)]
        runners[0].start()
        return runners[0]

    yield start
    for runner in runners:
        runner.stop()


def test_job_enqueued_in_a_transaction_that_fails_is_never_run(
    database: Database, queue: Queue, run: Callable[..., Runner]
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
    database: Database, queue: Queue, run: Callable[..., Runner]
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


def test_job_of_a_dead_worker_is_run_by_who_recovers_it(
    database: Database, queue: Queue, run: Callable[..., Runner]
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
    survivor.recover(["dead"])
    survivor.recover(["dead"])
    eventually(lambda: done)
    assert done == ["job"]
    never.set()
