"""Several workers on one database: each job is done once, and taken over if its worker dies."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from app.db.engine import Database
from app.db.tables import Job, Model, Schedule, now
from app.services.shared import database_admin
from app.worker.process import REMOVED
from benchmarks import postgres
from benchmarks.process_tree import eventually
from gatecast_client import Client
from tests.acceptance.trainings import again, queued, under_way
from tests.processes import Service, kill, running_api, running_worker, started

pytestmark = pytest.mark.long


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An API for all of these tests, which start the workers themselves and leave none behind."""
    folder = tmp_path_factory.mktemp("api")
    with ExitStack() as over:
        url = f"sqlite:///{folder / 'shared.db'}"
        if request.param == "postgres":
            url = over.enter_context(postgres.own_database(request.getfixturevalue("postgres_server")))
        yield over.enter_context(running_api(url, folder))


@pytest.fixture
def caller(api: Service) -> Iterator[Client]:
    with Client(api.url) as client:
        yield client


@pytest.fixture
def database(api: Service) -> Iterator[Database]:
    database = Database(api.database_url)
    yield database
    database.dispose()


def if_running(caller: Client, job_id: str) -> bool:
    return caller.job(job_id).state == "running"


def test_survivor_takes_over_from_a_killed_worker(api: Service, caller: Client, tmp_path: Path) -> None:
    job = queued(caller)
    with running_worker(api.database_url, tmp_path) as first:
        under_way(caller, job.id)
        with running_worker(api.database_url, tmp_path):
            eventually(lambda: len(list(caller.workers())) == 2)
            kill(first.pid)
            eventually(lambda: caller.job(job.id).attempt == 2, within_s=10)
            assert caller.wait(job.id).failures == ["Attempt 1: its worker died."]


def test_frozen_worker_that_wakes_up_leaves_the_job_to_who_took_it(
    api: Service, caller: Client, database: Database, tmp_path: Path
) -> None:
    job = queued(caller)
    with running_worker(api.database_url, tmp_path, worker_deadline_s=2) as frozen:
        under_way(caller, job.id)
        for pid in (api.training_pid(), frozen.pid):
            os.kill(pid, signal.SIGSTOP)
        with running_worker(api.database_url, tmp_path, worker_deadline_s=2):
            eventually(lambda: caller.job(job.id).attempt == 2)
            os.kill(frozen.pid, signal.SIGCONT)
            done = caller.wait(job.id)
            assert frozen.wait(timeout=15) == REMOVED
    assert (done.attempt, done.failures) == (2, [])
    with database.read() as session:
        assert session.query(Model).filter_by(job_id=job.id).count() == 1


def test_child_killed_three_times_fails_its_job_with_each_cause(
    api: Service, caller: Client, tmp_path: Path
) -> None:
    job = queued(caller, "balanced")
    with running_worker(api.database_url, tmp_path) as worker:
        for attempt in (1, 2, 3):
            under_way(caller, job.id, attempt)
            kill(api.training_pid())
        ended = eventually(lambda: found if (found := caller.job(job.id)).finished_at else None)
        assert worker.poll() is None
    cause = "its process ended with signal SIGKILL."
    assert ended.failures == [f"Attempt {attempt}: {cause}" for attempt in (1, 2, 3)]
    assert ended.error == f"The training died 3 times and is not tried again. {' '.join(ended.failures)}"


def test_workers_of_one_device_train_side_by_side(api: Service, caller: Client, tmp_path: Path) -> None:
    first = queued(caller, "balanced")
    second = again(caller, first.dataset_id, "balanced", seed=1)
    with running_worker(api.database_url, tmp_path, "--device", "cpu", "--concurrency", "2"):
        eventually(lambda: {worker.job_id for worker in caller.workers()} == {first.id, second.id})
        assert {worker.device for worker in caller.workers()} == {"cpu"}
        for job in (first, second):
            caller.cancel(job.id)


def test_no_more_train_at_a_time_than_the_limit_over_all(
    api: Service, caller: Client, tmp_path: Path
) -> None:
    first = queued(caller, "balanced")
    second = again(caller, first.dataset_id, "balanced", seed=1)
    with ExitStack() as workers:
        for _ in range(2):
            workers.enter_context(running_worker(api.database_url, tmp_path, max_trainings=1))
        under_way(caller, first.id)
        eventually(lambda: [worker.job_id for worker in caller.workers()].count(None) == 1)
        assert caller.job(second.id).state == "queued"
        caller.cancel(first.id)
        eventually(lambda: if_running(caller, second.id))
        caller.cancel(second.id)


def test_due_schedule_fires_once_with_two_workers(
    api: Service, caller: Client, database: Database, tmp_path: Path
) -> None:
    dataset_id = queued(caller, series=1).dataset_id
    caller.cancel(next(caller.jobs()).id)
    schedule = caller.create_schedule(dataset_id, "0 0 1 1 *", horizon=3, preset="quick")
    with ExitStack() as workers:
        for _ in range(2):
            workers.enter_context(running_worker(api.database_url, tmp_path))
        eventually(lambda: len(list(caller.workers())) == 2)
        with database.write() as session:
            session.get_one(Schedule, ("default", schedule.id)).next_at = now() - timedelta(seconds=1)
        eventually(lambda: next(caller.schedules()).last)
        eventually(lambda: all(worker.silent_s < 2 for worker in caller.workers()))
        with database.read() as session:
            assert session.query(Job).filter_by(dataset_id=dataset_id, state="cancelled").count() == 1
            assert session.query(Job).filter_by(dataset_id=dataset_id).count() == 2


def test_processes_started_at_once_on_an_empty_database_agree_on_its_tables(
    empty_url: str, tmp_path: Path
) -> None:
    with ExitStack() as everyone:
        processes: list[subprocess.Popen[bytes]] = [
            everyone.enter_context(started(command, empty_url, tmp_path / f"{number}.log", port=port))
            for number, (command, port) in enumerate(
                [("api", 8971), ("api", 8972), ("worker", 1), ("worker", 1), ("worker", 1)]
            )
        ]
        database = Database(empty_url)
        for port in (8971, 8972):
            with Client(f"http://127.0.0.1:{port}") as client:
                eventually(client.is_ready)
                eventually(lambda client=client: len(list(client.workers())) == 3)  # type: ignore[misc]  # bound now
        database_admin.check_ready(database)
        database.dispose()
        assert [process.poll() for process in processes] == [None] * 5


def test_killed_command_leaves_its_training_to_a_worker(api: Service, caller: Client, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_text("unique_id,ds,y\n" + "".join(f"a,{1960 + i},{i}\n" for i in range(60)))
    arguments = (str(file), "--horizon", "5", "--preset", "balanced", "--start", "scratch")
    with started("train", api.database_url, tmp_path / "train.log", *arguments) as command:
        job = eventually(lambda: next((job for job in caller.jobs() if job.state == "running"), None))
        under_way(caller, job.id)
        kill(command.pid)
    with running_worker(api.database_url, tmp_path):
        again = under_way(caller, job.id, attempt=2)
        assert again.failures == ["Attempt 1: its worker died."]
        caller.cancel(job.id)
