"""A database that is away for longer than the deadline: no process ends, and no attempt is lost."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import Process
from app.queue import Queue
from app.schemas.jobs import JobOut
from app.schemas.train import TrainRequest
from app.services.jobs import states
from app.services.shared import database_admin
from app.services.training.submit import TrainingQueue
from benchmarks import postgres
from benchmarks.process_tree import eventually
from tests.factories import dataset, trends
from tests.processes import running_worker

pytestmark = pytest.mark.long
DEADLINE_S = 3.0


def queued(database: Database) -> list[str]:
    """Ask for two trainings, and return their ids."""
    dataset_id, queue = dataset(database, trends(count=100)).id, Queue(database)
    wishes = [TrainRequest(dataset_id=dataset_id, horizon=5, preset="quick", seed=seed) for seed in (0, 1)]
    with database.write() as session:
        ids = [TrainingQueue(queue).submit(session, OWNER, wish).id for wish in wishes]
    queue.close()
    return ids


def found(database: Database, job_ids: list[str]) -> list[JobOut]:
    with database.read() as session:
        return [states.get(session, OWNER, job_id) for job_id in job_ids]


def all_learn(database: Database, job_ids: list[str]) -> bool:
    return all(job.progress.epoch is not None for job in found(database, job_ids))


def all_ended(database: Database, job_ids: list[str]) -> list[JobOut] | None:
    ended = found(database, job_ids)
    return ended if all(job.finished_at for job in ended) else None


@dataclass(frozen=True)
class Workers:
    """Two workers, of which one comes back from an outage later than the other."""

    database: Database
    early: "subprocess.Popen[bytes]"
    late: "subprocess.Popen[bytes]"

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Wait out twice the deadline, let what is done here end it, and let the late one follow."""
        time.sleep(2 * DEADLINE_S)  # the outage itself
        self.late.send_signal(signal.SIGSTOP)
        # One that still ran as the outage ends could be stopped while it holds the database's write lock.
        os.waitid(os.P_PID, self.late.pid, os.WSTOPPED)
        yield
        before = self._beats_of_the_early_one()
        eventually(lambda: self._beats_of_the_early_one() > before)
        self.late.send_signal(signal.SIGCONT)

    def assert_uncharged(self, job_ids: list[str]) -> None:
        ended = eventually(lambda: all_ended(self.database, job_ids))
        assert [(job.state, job.attempt, job.failures) for job in ended] == [("succeeded", 1, [])] * 2
        assert [self.early.poll(), self.late.poll()] == [None, None]

    def _beats_of_the_early_one(self) -> int:
        with self.database.read() as session:
            return session.query(Process).filter_by(pid=self.early.pid).one().beat


@contextmanager
def two_workers(database: Database, folder: Path) -> Iterator[Workers]:
    with (
        running_worker(database.url, folder, worker_deadline_s=DEADLINE_S) as early,
        running_worker(database.url, folder, worker_deadline_s=DEADLINE_S) as late,
    ):
        yield Workers(database, early, late)


def test_postgres_away_for_twice_the_deadline_charges_no_training(
    postgres_programs: Path, tmp_path: Path
) -> None:
    with postgres.running_server(postgres_programs) as server:
        database = Database(f"{server.url}/postgres")
        database_admin.migrate(database)
        job_ids = queued(database)
        with two_workers(database, tmp_path) as workers:
            eventually(lambda: all_learn(database, job_ids))
            server.control("stop")
            with workers.outage():
                server.control("start")
            workers.assert_uncharged(job_ids)
        database.dispose()


def test_sqlite_locked_for_twice_the_deadline_charges_no_training(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    job_ids = queued(database)
    with two_workers(database, tmp_path) as workers:
        eventually(lambda: all_learn(database, job_ids))
        with closing(sqlite3.connect(database.file, isolation_level=None)) as another:
            another.execute("PRAGMA busy_timeout=10000")
            another.execute("BEGIN EXCLUSIVE")
            with workers.outage():
                another.execute("ROLLBACK")
        workers.assert_uncharged(job_ids)
    database.dispose()
