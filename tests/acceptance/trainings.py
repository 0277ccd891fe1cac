"""Trainings that are long enough to be interrupted."""

from app.client import Client
from app.schemas.choices import Preset
from app.schemas.jobs import JobOut
from benchmarks.process_tree import eventually
from tests.factories import csv_bytes, trends


def queued(caller: Client, preset: Preset = "quick", series: int = 100, seed: int = 0) -> JobOut:
    """Upload series and ask for a training."""
    dataset = caller.upload_csv("trends", csv_bytes(trends(count=series)))
    return again(caller, dataset.id, preset, seed)


def again(caller: Client, dataset_id: str, preset: Preset = "quick", seed: int = 0) -> JobOut:
    """Ask for one more training on a dataset, from scratch: few series would keep the pretrained networks."""
    return caller.train(dataset_id, horizon=5, preset=preset, seed=seed, start="scratch")


def under_way(caller: Client, job_id: str, attempt: int = 1) -> JobOut:
    """Wait until an attempt learns."""
    return eventually(lambda: _if_learning(caller, job_id, attempt))


def _if_learning(caller: Client, job_id: str, attempt: int) -> JobOut | None:
    job = caller.job(job_id)
    return job if job.attempt == attempt and job.progress.epoch is not None else None
