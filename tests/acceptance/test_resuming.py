"""Trainings resume from checkpoints, with the result of an uninterrupted one."""

import signal
from pathlib import Path

import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import Job
from app.services.training import reproduce
from benchmarks.process_tree import eventually
from gatecast_client import Client
from gatecast_client.shapes import Progress
from tests.acceptance.trainings import queued, under_way
from tests.processes import running_api, running_service, running_worker

pytestmark = pytest.mark.long


def checkpoints(database: Database) -> list[str]:
    with database.read() as session:
        return [job.id for job in session.query(Job) if job.checkpoint is not None]


def if_begun_again(caller: Client, job_id: str) -> Progress | None:
    job = caller.job(job_id)
    return job.progress if job.attempt == 2 else None


def assert_unbroken_training_ends_with_the_same_bits(database: Database, model_id: str | None) -> None:
    assert reproduce.verify(database, OWNER, str(model_id)).is_same


def test_stopped_worker_gives_its_training_back_at_a_checkpoint(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    with running_api(database_url, tmp_path) as api, Client(api.url) as caller:
        job = queued(caller, "balanced", series=20)
        with running_worker(database_url, tmp_path) as first:
            under_way(caller, job.id)
            first.send_signal(signal.SIGTERM)
            assert first.wait(timeout=12) == 0
        waiting = caller.job(job.id)
        assert (waiting.state, waiting.failures, waiting.progress.share_done > 0) == ("queued", [], True)
        with running_worker(database_url, tmp_path):
            again = under_way(caller, job.id, attempt=2)
            done = caller.wait(job.id)
    assert again.progress.share_done >= waiting.progress.share_done
    assert checkpoints(database) == []
    assert_unbroken_training_ends_with_the_same_bits(database, done.model_id)


def test_worker_stopped_while_an_attempt_begins_gives_the_job_back(database_url: str, tmp_path: Path) -> None:
    with running_api(database_url, tmp_path) as api, Client(api.url) as caller:
        job = queued(caller, "balanced", series=20)
        with running_worker(database_url, tmp_path) as worker:
            eventually(lambda: caller.job(job.id).state == "running")
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(timeout=12) == 0
        waiting = caller.job(job.id)
    assert (waiting.state, waiting.failures) == ("queued", [])


def test_everything_killed_at_once_resumes_within_5_s_of_the_restart(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    with running_service(database_url, tmp_path) as service, Client(service.url) as caller:
        job = queued(caller, "balanced", series=20)
        under_way(caller, job.id)
        eventually(lambda: checkpoints(database))
        service.kill_everything()
    with running_service(database_url, tmp_path) as service, Client(service.url) as caller:
        resumed = eventually(lambda: if_begun_again(caller, job.id), within_s=5)
        done = caller.wait(job.id)
    assert resumed.share_done > 0
    assert done.failures == ["Attempt 1: its worker died."]
    assert_unbroken_training_ends_with_the_same_bits(database, done.model_id)
