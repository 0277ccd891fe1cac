"""`gatecast worker --check`, by which a container tells whether its worker lives."""

import threading

from app.db.engine import Database
from app.services import workers
from app.services.processes import Presence
from tests.factories import entered


def test_beating_worker_is_seen(database: Database) -> None:
    worker = Presence(database, "worker", "cpu")
    worker.look()
    timer = threading.Timer(0.1, worker.look)
    timer.start()
    assert workers.is_beating_here(database, within_s=0.5)
    timer.join()


def test_silent_worker_is_told(database: Database) -> None:
    entered(database)
    assert not workers.is_beating_here(database, within_s=0.1)


def test_worker_that_left_does_not_count(database: Database) -> None:
    entered(database, stopped=True)
    assert not workers.is_beating_here(database, within_s=0.0)


def test_process_that_answers_calls_is_no_worker(database: Database) -> None:
    api = Presence(database, "api", "cpu")
    timer = threading.Timer(0.05, api.look)
    timer.start()
    assert not workers.is_beating_here(database, within_s=0.3)
    timer.join()
