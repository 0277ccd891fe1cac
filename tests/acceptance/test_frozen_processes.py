"""Processes and servers that freeze: what waits for them continues within seconds."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.queue import JobRef, Queue
from app.services.jobs import states, workers
from app.services.shared import database_admin
from app.services.shared.heartbeats import Heartbeat
from benchmarks import postgres
from benchmarks.process_tree import descendants, eventually
from tests.factories import dataset, queued_job
from tests.processes import Service, running_api

pytestmark = pytest.mark.long
DEADLINE_S = 2.0
# A worker that begins a job, and stands still while it beats.
FREEZES = """
import os, signal, sys
from app.db.engine import Database
from app.db.queries import processes
from app.queue import JobRef
from app.services.jobs import states
from app.services.shared.heartbeats import Heartbeat

url, *job = sys.argv[1:]
database = Database(url)
worker = Heartbeat(database, "worker", "cpu")
worker.poll()
with database.write() as session:
    states.begin(session, JobRef(*job), worker.id, max_attempts=3)
with database.write() as session:
    processes.beat(session, worker.id)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@contextmanager
def frozen_worker(database: Database, ref: JobRef) -> Iterator["subprocess.Popen[bytes]"]:
    worker = subprocess.Popen([sys.executable, "-c", FREEZES, database.url, ref.workspace_id, ref.job_id])
    try:
        os.waitid(os.P_PID, worker.pid, os.WSTOPPED | os.WNOWAIT)
        yield worker
    finally:
        worker.kill()
        worker.wait()


def test_job_of_a_worker_frozen_during_a_heartbeat_is_taken_over(postgres_url: str) -> None:
    database = Database(postgres_url)
    ref, queue = queued_job(database, dataset(database).id), Queue(database)
    heartbeat = Heartbeat(database, "worker", "cpu", DEADLINE_S)

    def take_over() -> list[str]:
        began = time.monotonic()
        heartbeat.poll()
        removed = workers.remove_dead(database, queue, heartbeat.dead)
        slowest.append(time.monotonic() - began)
        return removed

    slowest: list[float] = []
    with frozen_worker(database, ref):
        eventually(take_over, within_s=15, pause_s=0.5)
        with database.read() as session:
            assert states.get(session, OWNER, ref.job_id).failures == ["Attempt 1: its worker died."]
    assert max(slowest) < 5  # nobody stood still with it
    queue.close()
    database.dispose()


@pytest.fixture
def hanging(postgres_programs: Path, tmp_path: Path) -> Iterator[tuple[Service, list[int]]]:
    """An API, and the processes of its server, none of which answers any more."""
    with postgres.running_server(postgres_programs) as server:
        url = f"{server.url}/postgres"
        database = Database(url)
        database_admin.migrate(database)
        database.dispose()
        with running_api(url, tmp_path) as api:
            everyone = [server.pid, *descendants(server.pid)]
            try:
                _signal(everyone, signal.SIGSTOP)
                yield api, everyone
            finally:
                _signal(everyone, signal.SIGCONT)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # a connection of those that gave it up, gone with it
            os.kill(pid, number)


def test_server_that_hangs_is_reported_within_seconds_and_found_again(
    hanging: tuple[Service, list[int]],
) -> None:
    api, everyone = hanging
    paths = ["/readyz", "/forecast?dataset_id=ds_1", "/jobs"]
    with httpx2.Client(base_url=api.url, timeout=10) as client:
        assert [client.get(path).status_code for path in paths] == [503] * 3
        began = time.monotonic()
        assert [client.get(path).status_code for path in paths] == [503] * 3
        assert time.monotonic() - began < 5  # /readyz alone looks, for three seconds
        assert client.get("/healthz").is_success
        _signal(everyone, signal.SIGCONT)
        eventually(lambda: client.get("/readyz").is_success, within_s=10)
        assert client.get("/jobs").is_success
