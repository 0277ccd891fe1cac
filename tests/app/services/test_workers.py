"""Which workers count as dead."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from app.db.engine import Database
from app.db.tables import Worker
from app.queue import Queue
from app.services import workers
from app.services.workers import DeathWatch


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> DeathWatch:
    return DeathWatch("me", deadline_s=30, clock=clock)


@pytest.fixture
def queue(database: Database) -> Iterator[Queue]:
    queue = Queue(database)
    yield queue
    queue.close()


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.communicate()


def elsewhere(database: Database) -> str:
    """Register a worker and move its row to another host."""
    worker_id = workers.register(database, os.getpid(), "cpu")
    with database.write() as session:
        session.get_one(Worker, worker_id).host = "elsewhere"
    return worker_id


def test_living_process_on_this_host_is_alive(
    database: Database, watch: DeathWatch, process: "subprocess.Popen[bytes]"
) -> None:
    workers.register(database, process.pid, "cpu")
    assert watch.dead(database) == []


def test_missing_process_on_this_host_is_dead_at_once(
    database: Database, watch: DeathWatch, process: "subprocess.Popen[bytes]"
) -> None:
    worker_id = workers.register(database, process.pid, "cpu")
    process.kill()
    process.wait()
    assert watch.dead(database) == [worker_id]


def test_reused_pid_is_another_process(database: Database, watch: DeathWatch) -> None:
    worker_id = workers.register(database, os.getpid(), "cpu")
    with database.write() as session:
        session.get_one(Worker, worker_id).process_started = "1"
    assert watch.dead(database) == [worker_id]


def test_silence_elsewhere_is_death_only_after_the_deadline(
    database: Database, watch: DeathWatch, clock: Clock
) -> None:
    worker_id = elsewhere(database)
    assert watch.dead(database) == []
    clock.now = 30
    assert watch.dead(database) == []
    clock.now = 30.1
    assert watch.dead(database) == [worker_id]


def test_heartbeat_elsewhere_starts_the_deadline_anew(
    database: Database, watch: DeathWatch, clock: Clock
) -> None:
    worker_id = elsewhere(database)
    watch.dead(database)
    clock.now = 29
    workers.beat(database, worker_id)
    watch.dead(database)
    clock.now = 58
    assert watch.dead(database) == []


def test_worker_that_left_is_dead_at_once(database: Database, watch: DeathWatch) -> None:
    worker_id = elsewhere(database)
    workers.leave(database, worker_id)
    assert watch.dead(database) == [worker_id]


def test_forgotten_worker_learns_it_at_its_next_heartbeat(database: Database, queue: Queue) -> None:
    worker_id = workers.register(database, os.getpid(), "cpu")
    assert workers.beat(database, worker_id)
    workers.bury(database, queue, [worker_id])
    assert not workers.beat(database, worker_id)
