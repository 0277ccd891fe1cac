"""Cancelled jobs stop and leave nothing."""

import time

import pytest

from app.db.engine import Database
from app.db.tables import Blob, Model
from benchmarks.process_tree import eventually, is_running
from gatecast_client import Client
from tests.acceptance.trainings import again, queued, under_way
from tests.processes import Service

pytestmark = pytest.mark.long


def test_running_job_stops_within_2_s_and_leaves_nothing(
    service: Service, caller: Client, database: Database
) -> None:
    job = queued(caller, "balanced")
    under_way(caller, job.id)
    worker, child = service.worker_pid(), service.training_pid()
    began = time.monotonic()
    assert caller.cancel(job.id).state == "cancelled"
    eventually(lambda: not is_running(child), within_s=2 - (time.monotonic() - began))
    assert is_running(worker)
    with database.read() as session:
        assert session.query(Blob).count() == 1  # the dataset's
        assert session.query(Model).count() == 0


def test_cancelled_job_that_waited_never_starts(caller: Client) -> None:
    first = queued(caller, "balanced")
    waiting = again(caller, first.dataset_id, "balanced", seed=1)
    last = again(caller, first.dataset_id, "quick", seed=2)
    under_way(caller, first.id)
    caller.cancel(waiting.id)
    caller.cancel(first.id)
    under_way(caller, last.id)
    job = caller.job(waiting.id)
    assert (job.state, job.attempt, job.started_at) == ("cancelled", 0, None)
