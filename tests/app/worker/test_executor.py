"""How a worker handles its own faults, and what it logs of the end of a job."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import Job
from app.errors import Unavailable
from app.queue import JobRef
from app.schemas.jobs import JobOut
from app.services.jobs import states
from app.settings import Settings
from app.worker import executor
from app.worker.executor import JobExecutor
from tests.factories import dataset, queued_job


class Child:
    """A child whose attempt ends at once; `end` is what it does before."""

    is_ready = True
    lacked_the_database = was_superseded = False
    died: str | None = None

    def __init__(self, end: Callable[[Any], None] = lambda _: None) -> None:
        self._end = end

    def start(self, task: Any) -> None:
        self._end(task)

    def watch(self, *_: object) -> None:
        return None

    def cause_of_death(self) -> str | None:
        return self.died

    def kill(self) -> None:
        pass


class ExecutorUnderTest:
    """An executor whose children a test makes up."""

    def __init__(self, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(executor, "HEARTBEAT_S", 0.0)
        monkeypatch.setattr(executor, "Child", lambda _url: self.child())
        self.child: Callable[[], Child] = Child
        self.stopping, self.gave_up = threading.Event(), threading.Event()
        self._database = database
        self._executor = JobExecutor(settings, database, "cpu", self.stopping, self._give_up)

    def execute(self, ref: JobRef) -> JobOut:
        """Work on a job until nothing is left to do, or the worker is to stop."""
        thread = threading.Thread(target=self._executor.execute, args=(ref, "worker"), daemon=True)
        thread.start()
        while thread.is_alive() and not self.stopping.is_set():
            thread.join(0.05)
        with self._database.read() as session:
            return states.get(session, OWNER, ref.job_id)

    def _give_up(self) -> None:
        self.gave_up.set()
        self.stopping.set()


@pytest.fixture
def under_test(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> ExecutorUnderTest:
    return ExecutorUnderTest(settings, database, monkeypatch)


@pytest.fixture
def ref(database: Database) -> JobRef:
    return queued_job(database, dataset(database).id)


def ending(database: Database, end: Callable[..., None], *facts: str) -> Callable[[], Child]:
    """Make children that end their job."""

    def write(task: Any) -> None:
        with database.write() as session:
            end(session, task.ref, task.attempt, *facts)

    return lambda: Child(write)


def records(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


def test_fault_at_a_job_is_tried_three_times_and_then_the_job_has_failed(
    under_test: ExecutorUnderTest, ref: JobRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, faults = states.begin, iter(range(3))

    def begin_at_fault(*arguments: Any) -> int | None:
        if next(faults, None) is not None:
            raise ZeroDivisionError("by nought")
        return begin(*arguments)

    monkeypatch.setattr(states, "begin", begin_at_fault)
    job = under_test.execute(ref)
    assert job.error == "Its worker failed at it 3 times: ZeroDivisionError: by nought"


def test_worker_without_processes_to_train_in_gives_up_and_fails_no_job(
    under_test: ExecutorUnderTest, ref: JobRef
) -> None:
    def no_child() -> Child:
        raise BlockingIOError("Resource temporarily unavailable")

    under_test.child = no_child
    under_test._executor._start_spare_child()
    job = under_test.execute(ref)
    assert under_test.gave_up.is_set()
    assert (job.state, job.failures) == ("queued", [])


def test_absence_of_the_database_is_waited_out_however_long(
    under_test: ExecutorUnderTest, database: Database, ref: JobRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, absences = states.begin, iter(range(10))

    def begin_at_last(*arguments: Any) -> int | None:
        if next(absences, None) is not None:
            raise Unavailable("away")
        return begin(*arguments)

    monkeypatch.setattr(states, "begin", begin_at_last)
    under_test.child = ending(database, states.succeed, "model_1")
    under_test._executor._start_spare_child()
    job = under_test.execute(ref)
    assert (job.state, job.failures) == ("succeeded", [])


def test_failed_training_is_an_error_in_the_log_with_the_cause_in_one_line(
    under_test: ExecutorUnderTest, database: Database, ref: JobRef, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    under_test.child = ending(database, states.fail, "The data\nis at fault.")
    under_test._executor._start_spare_child()
    under_test.execute(ref)
    assert records(caplog, logging.ERROR) == [f"Job {ref.job_id} has failed: The data is at fault."]


def test_training_that_succeeded_is_no_warning(
    under_test: ExecutorUnderTest, database: Database, ref: JobRef, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    under_test.child = ending(database, states.succeed, "model_1")
    under_test._executor._start_spare_child()
    under_test.execute(ref)
    assert records(caplog, logging.INFO)[-1] == f"Job {ref.job_id} has succeeded."
    assert records(caplog, logging.WARNING) + records(caplog, logging.ERROR) == []


def test_death_is_a_warning_and_the_last_one_an_error(
    under_test: ExecutorUnderTest,
    ref: JobRef,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Child, "died", "its process ended with signal SIGKILL.")
    job = under_test.execute(ref)
    assert job.state == "failed"
    assert len(records(caplog, logging.WARNING)) == 3
    assert [line.startswith(f"Job {ref.job_id} has failed") for line in records(caplog, logging.ERROR)] == [
        True
    ]


def test_attempts_that_lack_the_database_record_no_failure(
    under_test: ExecutorUnderTest, database: Database, ref: JobRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Child, "lacked_the_database", property(lambda _: attempts_of(database, ref) < 5))
    under_test.child = ending_at_last(database)
    under_test._executor._start_spare_child()
    job = under_test.execute(ref)
    assert (job.state, job.attempt, job.failures) == ("succeeded", 5, [])


def test_attempt_found_alive_when_another_took_over_records_no_failure(
    under_test: ExecutorUnderTest, database: Database, ref: JobRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another_takes_over(task: Any) -> None:
        with database.write() as session:
            states.requeue_orphaned(session, ["worker"])
            states.begin(session, task.ref, "another", 3)

    monkeypatch.setattr(Child, "was_superseded", True)
    under_test.child = lambda: Child(another_takes_over)
    under_test._executor._start_spare_child()
    job = under_test.execute(ref)
    assert (job.state, job.attempt, job.failures) == ("running", 2, [])


def attempts_of(database: Database, ref: JobRef) -> int:
    with database.read() as session:
        return session.get_one(Job, (ref.workspace_id, ref.job_id)).attempt


def ending_at_last(database: Database) -> Callable[[], Child]:
    """Make children of which the fifth succeeds."""

    def write(task: Any) -> None:
        if task.attempt == 5:
            with database.write() as session:
                states.succeed(session, task.ref, task.attempt, "model_1")

    return lambda: Child(write)
