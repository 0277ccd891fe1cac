"""Killed workers and children: their jobs continue, and no process is left behind."""

import signal
import time
from pathlib import Path

import pytest

from app.db.engine import Database
from app.db.tables import Process
from app.services.training.memory_limit import resident_bytes
from benchmarks import postgres
from benchmarks.process_tree import descendants, eventually, is_running
from gatecast_client import Client
from gatecast_client.shapes import Job
from tests.acceptance.trainings import again, queued, under_way
from tests.factories import csv_bytes, trends
from tests.processes import Service, kill, running_api, running_service, running_worker

pytestmark = pytest.mark.long


@pytest.fixture
def job(caller: Client) -> Job:
    """A training that is under way."""
    return under_way(caller, queued(caller).id)


def has_reported(database: Database) -> bool:
    """Tell whether a worker is there, which asks for its first child as soon as it is."""
    with database.read() as session:
        return session.query(Process).filter_by(role="worker").count() == 1


def importing_fork_server(worker_pid: int) -> int | None:
    """Return the process below a worker that its children are forked from, once it is amid its imports."""
    return next((pid for pid in descendants(worker_pid) if resident_bytes(pid) > 150 * 2**20), None)


def test_killed_worker_is_replaced_and_its_job_finished(service: Service, caller: Client, job: Job) -> None:
    first = service.worker_pid()
    kill(first)
    done = caller.wait(job.id)
    assert done.failures == ["Attempt 1: its worker died."]
    assert (done.attempt, service.worker_pid() != first) == (2, True)


@pytest.mark.usefixtures("job")
def test_child_of_a_killed_worker_ends(service: Service) -> None:
    child = service.training_pid()
    kill(service.worker_pid())
    eventually(lambda: not is_running(child), within_s=5)


def test_killed_child_costs_one_attempt(service: Service, caller: Client, job: Job) -> None:
    kill(service.training_pid())
    done = caller.wait(job.id)
    assert done.failures == ["Attempt 1: its process ended with signal SIGKILL."]
    assert done.attempt == 2


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_signal_ends_every_process_within_5_s(service: Service, number: signal.Signals) -> None:
    everyone = descendants(service.process.pid)
    began = time.monotonic()
    service.process.send_signal(number)
    assert service.process.wait(timeout=10) == 0
    eventually(lambda: not any(is_running(pid) for pid in everyone), within_s=5 - (time.monotonic() - began))


@pytest.mark.usefixtures("job")
def test_killed_service_leaves_no_process_behind(service: Service) -> None:
    everyone = descendants(service.process.pid)
    kill(service.process.pid)
    eventually(lambda: not any(is_running(pid) for pid in everyone), within_s=10)


def test_worker_is_of_use_after_its_fork_server_died_at_the_start(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    with (
        running_api(database_url, tmp_path) as api,
        running_worker(database_url, tmp_path) as worker,
        Client(api.url) as caller,
    ):
        eventually(lambda: has_reported(database))
        kill(eventually(lambda: importing_fork_server(worker.pid)))
        dataset = caller.upload(csv_bytes(trends()), "trends")
        done = caller.wait(caller.train(dataset.id, horizon=5, preset="quick").id)
    assert done.failures == []


def test_forecasts_are_served_while_a_training_runs(caller: Client, job: Job) -> None:
    caller.wait(job.id)
    under_way(caller, again(caller, job.dataset_id).id)
    assert len(list(caller.forecasts(job.dataset_id))) == 100


def test_training_outlives_a_crash_of_the_database(postgres_programs: Path, tmp_path: Path) -> None:
    with (
        postgres.running_server(postgres_programs) as server,
        running_service(f"{server.url}/postgres", tmp_path) as service,
        Client(service.url) as caller,
    ):
        job = under_way(caller, queued(caller).id)
        server.crash_and_restart()
        eventually(caller.is_ready)
        assert caller.wait(job.id).model_id


def test_service_stops_in_time_with_the_database_away(postgres_programs: Path, tmp_path: Path) -> None:
    with (
        postgres.running_server(postgres_programs) as server,
        running_service(f"{server.url}/postgres", tmp_path) as service,
        Client(service.url) as caller,
    ):
        under_way(caller, queued(caller).id)
        everyone = descendants(service.process.pid)
        server.control("stop")
        service.process.terminate()
        eventually(lambda: not any(is_running(pid) for pid in everyone), within_s=5)
        server.control("start")
