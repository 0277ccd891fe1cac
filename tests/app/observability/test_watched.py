"""What goes on in the background outlives its errors, and tells of them."""

import threading
from dataclasses import dataclass

import pytest

from app.errors import Unavailable
from app.observability import watched
from app.observability.watched import Repeating, Watch


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> Watch:
    return Watch("The feed", "Nothing is fed.", clock)


def fail(watch: Watch, *errors: Exception) -> None:
    for error in errors:
        with watch.attempt():
            raise error


def test_each_kind_of_error_is_told_once(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    fail(watch, ValueError("a"), KeyError("b"), ValueError("c"), KeyError("d"))
    assert [str(record.exc_info and record.exc_info[1]) for record in caplog.records] == ["a", "'b'"]


def test_error_that_lasts_is_told_again_after_a_minute(
    watch: Watch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    fail(watch, ValueError("a"))
    clock.now = watched.TOLD_AGAIN_S
    fail(watch, ValueError("b"))
    assert len(caplog.records) == 2


def test_error_of_ours_is_told_in_its_own_words(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    fail(watch, Unavailable("The database is away."))
    (record,) = caplog.records
    assert record.getMessage() == "The feed failed and is tried again: The database is away. Nothing is fed."
    assert record.exc_info is None


def test_return_to_order_is_told(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    fail(watch, ValueError("a"))
    for _ in range(2):
        with watch.attempt():
            pass
    assert [record.getMessage() for record in caplog.records][1:] == ["The feed goes on again."]


def test_thread_goes_on_after_errors_until_it_is_stopped() -> None:
    turns, third = list[int](), threading.Event()

    def turn() -> None:
        turns.append(len(turns))
        if len(turns) >= 3:
            third.set()
        raise ZeroDivisionError

    thread = Repeating("The feed", turn, 0.001, "Nothing is fed.")
    thread.start()
    assert third.wait(30)
    thread.stop(within_s=30)
    assert not thread._thread.is_alive()
