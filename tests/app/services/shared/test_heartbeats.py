"""Which processes count as dead, and what a process does that was taken for dead itself."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from app.db.engine import Database
from app.db.tables import Process
from app.errors import Unavailable
from app.services.shared.heartbeats import OTHER_BOOT_DEADLINE_S, FailureDetector, Heartbeat
from tests.factories import entered

DEADLINE_S = 30


class Others:
    """The other processes, as one sees them second by second."""

    def __init__(self, database: Database) -> None:
        self.now = 0.0
        self.watch = FailureDetector(DEADLINE_S, clock=lambda: self.now)
        self._database = database

    def dead(self, after_s: float = 1.0) -> list[str]:
        """Poll once more, some seconds later."""
        self.now += after_s
        with self._database.read() as session:
            return [process.id for process in self.watch.dead(session.query(Process).all())]

    def dead_after(self, polls: int) -> list[str]:
        """Poll so many times, a second apart, and return who was dead at the last."""
        return [self.dead() for _ in range(polls)][-1]

    def beat(self, process_id: str) -> None:
        with self._database.write() as session:
            session.get_one(Process, process_id).beat += 1


@pytest.fixture
def others(database: Database) -> Others:
    return Others(database)


@pytest.fixture
def elsewhere(database: Database) -> str:
    """A worker on another host."""
    return entered(database, host="elsewhere")


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.communicate()


def test_living_process_on_this_host_is_alive(
    database: Database, others: Others, process: "subprocess.Popen[bytes]"
) -> None:
    entered(database, pid=process.pid)
    assert others.dead() == []


def test_missing_process_on_this_host_is_dead_at_once(
    database: Database, others: Others, process: "subprocess.Popen[bytes]"
) -> None:
    worker_id = entered(database, pid=process.pid)
    process.kill()
    process.wait()
    assert others.dead() == [worker_id]


def test_reused_pid_is_another_process(database: Database, others: Others) -> None:
    worker_id = entered(database, process_started="1")
    assert others.dead() == [worker_id]


def test_stopped_process_is_dead_at_once(database: Database, others: Others) -> None:
    worker_id = entered(database, host="elsewhere", stopped=True)
    assert others.dead() == [worker_id]


def test_silence_elsewhere_is_death_only_after_the_deadline(others: Others, elsewhere: str) -> None:
    assert others.dead_after(1 + DEADLINE_S) == []
    assert others.dead() == [elsewhere]


def test_heartbeat_elsewhere_restarts_the_deadline(others: Others, elsewhere: str) -> None:
    others.dead_after(DEADLINE_S)
    others.beat(elsewhere)
    assert others.dead_after(1 + DEADLINE_S) == []


def test_other_boot_of_this_host_is_dead_after_a_short_silence(database: Database, others: Others) -> None:
    worker_id = entered(database, boot_id="before")
    assert others.dead_after(1 + int(OTHER_BOOT_DEADLINE_S)) == []
    assert others.dead() == [worker_id]


def test_time_between_polls_does_not_count_as_silence(others: Others, elsewhere: str) -> None:
    others.dead()
    assert others.dead(after_s=100 * DEADLINE_S) == []
    assert others.dead_after(DEADLINE_S) == [elsewhere]


def test_slow_database_gives_the_others_as_many_polls(others: Others, elsewhere: str) -> None:
    others.dead()
    assert [others.dead(after_s=7) for _ in range(DEADLINE_S)] == [[]] * DEADLINE_S
    assert others.dead(after_s=7) == [elsewhere]


def test_failed_poll_restarts_the_deadlines(others: Others, elsewhere: str) -> None:
    others.dead_after(DEADLINE_S)
    others.watch.restart()
    assert others.dead_after(1 + DEADLINE_S) == []
    assert others.dead() == [elsewhere]


def test_poll_without_a_beat_of_its_own_does_not_count(
    database: Database, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer = Heartbeat(database, "worker", "cpu", deadline_s=0.0)
    observer.poll()
    observer.poll()
    assert [each.id for each in observer.dead] == [elsewhere]
    monkeypatch.setattr(database, "write", lambda: database.writer.raw_connection().missing)
    with pytest.raises(AttributeError):
        observer.poll()
    assert list(observer.dead) == []
    monkeypatch.undo()
    observer.poll()
    assert list(observer.dead) == []


def test_removed_worker_notices_at_its_next_heartbeat(database: Database) -> None:
    worker = Heartbeat(database, "worker", "cpu")
    worker.poll()
    with database.write() as session:
        session.query(Process).delete()
    worker.poll()
    assert worker.removed.is_set()


def test_removed_api_process_registers_again(database: Database) -> None:
    api = Heartbeat(database, "api", "cpu")
    api.poll()
    with database.write() as session:
        session.query(Process).delete()
    api.poll()
    with database.read() as session:
        assert [process.id for process in session.query(Process)] == [api.id]
    assert not api.removed.is_set()


def test_dead_api_process_is_removed_by_the_others(database: Database) -> None:
    entered(database, "api", process_started="1")
    api = Heartbeat(database, "api", "cpu")
    api.poll()
    api.poll()
    with database.read() as session:
        assert [process.id for process in session.query(Process)] == [api.id]


def test_heartbeat_continues_after_any_error(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    polled, faults = threading.Semaphore(0), iter([Unavailable("away"), ZeroDivisionError()])
    monkeypatch.setattr("app.services.shared.heartbeats.HEARTBEAT_S", 0.01)

    def then() -> None:
        polled.release()
        if (fault := next(faults, None)) is not None:
            raise fault

    heart = Heartbeat(database, "api", "cpu")
    heart.open(then)
    assert all(polled.acquire(timeout=10) for _ in range(4))
    heart.close()
