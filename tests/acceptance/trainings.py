"""Trainings that are long enough to be interrupted."""

from app.schemas.choices import Preset
from benchmarks.process_tree import eventually
from gatecast_client import Client
from gatecast_client.shapes import Job
from tests.factories import csv_bytes, trends


def queued(caller: Client, preset: Preset = "quick", series: int = 100, seed: int = 0) -> Job:
    """Upload series and ask for a training."""
    dataset = caller.upload(csv_bytes(trends(count=series)), "trends")
    return again(caller, dataset.id, preset, seed)


def again(caller: Client, dataset_id: str, preset: Preset = "quick", seed: int = 0) -> Job:
    """Ask for one more training on a dataset, from scratch: few series would keep the pretrained networks."""
    return caller.train(dataset_id, horizon=5, preset=preset, seed=seed, start="scratch")


def under_way(caller: Client, job_id: str, attempt: int = 1) -> Job:
    """Wait until an attempt learns."""
    return eventually(lambda: _if_learning(caller, job_id, attempt))


def _if_learning(caller: Client, job_id: str, attempt: int) -> Job | None:
    job = caller.job(job_id)
    return job if job.attempt == attempt and job.progress.epoch is not None else None
