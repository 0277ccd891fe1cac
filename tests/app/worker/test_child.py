"""The child process that trains, and how its worker watches it."""

from collections.abc import Iterator

import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import Job
from app.queue import JobRef
from app.services.jobs import states
from app.settings import Settings
from app.worker.child import Child, Task
from benchmarks.process_tree import eventually
from tests.factories import dataset, queued_job, trends

pytestmark = pytest.mark.long
PLENTY = 2**50


@pytest.fixture
def task(database: Database) -> Task:
    """A training that takes a while, begun."""
    ref = queued_job(database, dataset(database, trends(count=20)).id, preset="balanced")
    with database.write() as session:
        attempt = states.begin(session, ref, "worker", max_attempts=3) or 0
    return Task(ref, attempt, "cpu", PLENTY)


@pytest.fixture
def child(settings: Settings) -> Iterator[Child]:
    child = Child(settings.database_url)
    yield child
    child.kill()


def test_child_that_takes_too_much_memory_is_ended_with_the_figure(child: Child, task: Task) -> None:
    child.start(task)
    refusal = child.watch(100 * 2**20, lambda: True)
    assert refusal is not None
    assert "more memory than its worker allows, 100 MiB" in refusal
    assert child.cause_of_death() == "its process ended with signal SIGKILL."


def test_child_whose_attempt_is_not_current_is_ended(child: Child, task: Task) -> None:
    child.start(task)
    assert child.watch(PLENTY, lambda: False) is None
    assert child.cause_of_death() == "its process ended with signal SIGKILL."


def test_paused_child_ends_in_order_at_a_checkpoint(child: Child, database: Database, task: Task) -> None:
    child.start(task)
    eventually(lambda: is_learning(database, task))
    child.ask_to_pause()
    assert child.watch(PLENTY, lambda: True) is None
    assert child.cause_of_death() is None
    with database.read() as session:
        assert states.is_current(session, task.ref, task.attempt)
        job = session.get_one(Job, (task.ref.workspace_id, task.ref.job_id))
        assert (job.checkpoint or {})["parts"]


def is_learning(database: Database, task: Task) -> bool:
    with database.read() as session:
        return states.get(session, OWNER, task.ref.job_id).progress.epoch is not None


def test_training_that_needs_more_than_allowed_is_refused_with_the_figures(
    database: Database, child: Child
) -> None:
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        attempt = states.begin(session, ref, "worker", max_attempts=3) or 0
    child.start(Task(ref, attempt, "cpu", memory_bytes=100 * 2**20))
    assert (child.watch(PLENTY, lambda: True), child.cause_of_death()) == (None, None)
    assert_refused(database, ref)


def assert_refused(database: Database, ref: JobRef) -> None:
    with database.read() as session:
        job = states.get(session, OWNER, ref.job_id)
    assert job.state == "failed"
    assert "its worker allows 100 MiB" in (job.error or "")
