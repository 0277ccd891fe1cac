"""Background tasks outlive their errors, and log them."""

import threading
from dataclasses import dataclass

import pytest

from app.errors import Unavailable
from app.observability import background_tasks
from app.observability.background_tasks import RepeatedTask, RetriedTask


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def task(clock: Clock) -> RetriedTask:
    return RetriedTask("The feed", "Nothing is fed.", clock)


def fail(task: RetriedTask, *errors: Exception) -> None:
    for error in errors:
        with task.attempt():
            raise error


def test_each_kind_of_error_is_logged_once(task: RetriedTask, caplog: pytest.LogCaptureFixture) -> None:
    fail(task, ValueError("a"), KeyError("b"), ValueError("c"), KeyError("d"))
    assert [str(record.exc_info and record.exc_info[1]) for record in caplog.records] == ["a", "'b'"]


def test_error_that_lasts_is_logged_again_after_a_minute(
    task: RetriedTask, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    fail(task, ValueError("a"))
    clock.now = background_tasks.LOG_AGAIN_S
    fail(task, ValueError("b"))
    assert len(caplog.records) == 2


def test_app_error_is_logged_by_its_text(task: RetriedTask, caplog: pytest.LogCaptureFixture) -> None:
    fail(task, Unavailable("The database is away."))
    (record,) = caplog.records
    assert record.getMessage() == "The feed failed and is tried again: The database is away. Nothing is fed."
    assert record.exc_info is None


def test_recovery_is_logged(task: RetriedTask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    fail(task, ValueError("a"))
    for _ in range(2):
        with task.attempt():
            pass
    assert [record.getMessage() for record in caplog.records][1:] == ["The feed works again."]


def test_repeated_task_survives_errors_until_it_is_stopped() -> None:
    turns, third = list[int](), threading.Event()

    def turn() -> None:
        turns.append(len(turns))
        if len(turns) >= 3:
            third.set()
        raise ZeroDivisionError

    thread = RepeatedTask("The feed", turn, 0.001, "Nothing is fed.")
    thread.start()
    assert third.wait(30)
    thread.stop(within_s=30)
    assert not thread._thread.is_alive()
