"""`gatecast worker --check`, by which a container tells whether its worker lives."""

import os
import threading

from app.db.engine import Database
from app.services import workers


def test_beating_worker_is_seen(database: Database) -> None:
    worker_id = workers.register(database, os.getpid(), "cpu")
    timer = threading.Timer(0.1, workers.beat, (database, worker_id))
    timer.start()
    assert workers.is_beating_here(database, within_s=0.5)
    timer.join()


def test_silent_worker_is_told(database: Database) -> None:
    workers.register(database, os.getpid(), "cpu")
    assert not workers.is_beating_here(database, within_s=0.1)


def test_worker_that_left_does_not_count(database: Database) -> None:
    workers.leave(database, workers.register(database, os.getpid(), "cpu"))
    assert not workers.is_beating_here(database, within_s=0.0)
