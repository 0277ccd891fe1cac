"""Trainings as these tests need them: long enough to be met at work."""

from app.client import Client
from app.schemas.jobs import JobOut
from tests.factories import csv_bytes, trends
from tests.processes import eventually


def asked(caller: Client, preset: str = "quick", series: int = 20, seed: int = 0) -> JobOut:
    """Upload series and ask for a training."""
    dataset = caller.upload_csv("trends", csv_bytes(trends(count=series)))
    return again(caller, dataset.id, preset, seed)


def again(caller: Client, dataset_id: str, preset: str = "quick", seed: int = 0) -> JobOut:
    """Ask for one more training on a dataset."""
    body = {"dataset_id": dataset_id, "horizon": 5, "preset": preset, "seed": seed}
    return JobOut.model_validate(caller._call("POST", "/train", json=body))


def under_way(caller: Client, job_id: str, attempt: int = 1) -> JobOut:
    """Wait until an attempt learns."""
    return eventually(lambda: _if_learning(caller, job_id, attempt))


def _if_learning(caller: Client, job_id: str, attempt: int) -> JobOut | None:
    job = caller.job(job_id)
    return job if job.attempt == attempt and job.progress.epoch is not None else None
