"""Read what a job trains on: its request, the series of its dataset, and its checkpoint."""

from dataclasses import dataclass
from typing import Any

from app.db.engine import Session
from app.db.queries import datasets as dataset_queries
from app.db.queries import jobs as job_queries
from app.errors import AppError
from app.queue import JobRef
from app.schemas.train import TrainRequest
from app.services.datasets import panels
from app.services.datasets.panels import DatasetPanel
from app.services.jobs import states
from app.version import VERSION


class Unreadable(AppError):
    """The input of a job is gone, or this version cannot read it."""

    code = "unreadable"
    title = "What the job is made of cannot be read"


@dataclass(frozen=True)
class JobInput:
    """The input of a training run; `checkpoint` is what earlier attempts at the job saved, if any."""

    ref: JobRef
    dataset_id: str
    request: TrainRequest
    dataset: DatasetPanel
    checkpoint: dict[str, Any] | None


def read(session: Session, ref: JobRef) -> JobInput:
    """Read the input of a job.

    Raises Superseded if the job is gone, Unreadable if its dataset is, and BlobDamaged.
    """
    job = job_queries.find(session, ref.workspace_id, ref.job_id)
    if job is None:
        raise states.Superseded(f"Job {ref.job_id} is gone.")
    version = dataset_queries.version(session, ref.workspace_id, job.dataset_id, job.dataset_version)
    if version is None:
        raise Unreadable(f"Version {job.dataset_version} of its dataset {job.dataset_id} is gone.")
    try:
        request = TrainRequest.model_validate(job.request)
        return JobInput(ref, job.dataset_id, request, panels.read(session, version), job.checkpoint)
    except (ValueError, LookupError, TypeError) as error:  # of pydantic, numpy and Arrow
        raise Unreadable(
            f"What it asks for, or dataset {job.dataset_id}, cannot be read by version {VERSION}: {error}. "
            "`gatecast check` tells what is damaged."
        ) from error
