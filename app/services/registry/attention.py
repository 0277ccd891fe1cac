"""What an operator should look at: trainings that failed, champions that lost or are older than the data."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from app.auth import Principal
from app.db.engine import Session
from app.schemas.datasets import DatasetSummary
from app.schemas.jobs import JobOut
from app.schemas.models import ModelSummary
from app.services.datasets import catalog
from app.services.jobs import states
from app.services.registry import models
from app.services.shared.paging import PageRequest

NEWEST = PageRequest(25)  # of datasets, jobs and models
Kind = Literal["failed", "loses", "old"]


class Matter(NamedTuple):
    """One thing to look at: a job or a model, its dataset, and the reason in a sentence if there is one."""

    kind: Kind
    subject_id: str
    dataset: DatasetSummary
    reason: str | None


def find(session: Session, principal: Principal) -> list[Matter]:
    """Return what stands out among the caller's newest datasets, jobs and models."""
    datasets = {each.id: each for each in catalog.page(session, principal, NEWEST).datasets}
    jobs = states.page(session, principal, NEWEST).jobs
    champions = [each for each in models.page(session, principal, None, NEWEST).models if each.champion]
    return [*_failed(jobs, datasets), *_judged(champions, datasets)]


def _failed(jobs: list[JobOut], datasets: dict[str, DatasetSummary]) -> Iterator[Matter]:
    """Yield the datasets whose newest ended training failed."""
    for dataset_id in dict.fromkeys(job.dataset_id for job in jobs if job.dataset_id in datasets):
        ended = (job for job in jobs if job.dataset_id == dataset_id and job.finished_at)
        newest = next(ended, None)
        if newest is not None and newest.state == "failed":
            yield Matter("failed", newest.id, datasets[dataset_id], newest.error)


def _judged(champions: list[ModelSummary], datasets: dict[str, DatasetSummary]) -> Iterator[Matter]:
    for model in champions:
        dataset = datasets.get(model.dataset_id)
        if dataset is None:
            continue
        if model.verdict and model.verdict.outcome == "loses":
            yield Matter("loses", model.id, dataset, model.verdict.sentence)
        elif model.dataset_version < dataset.version:
            yield Matter("old", model.id, dataset, None)
