"""References to blobs from datasets, models and checkpoints, for the check of all stored data."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import func, select

from app.db.engine import Session
from app.db.tables import Blob, DatasetBlob, Job, Model, Series

SHOWN = 5  # names, of many
PARTS = {
    "weights_key": "its weights: it cannot forecast",
    "backtest_key": "the rows of its backtest: they cannot be shown, nor compared with another model's",
    "series_key": "its measures for each series: they cannot be shown",
    "simple_key": "the baseline forecasts in its blend: it cannot forecast",
}


class Reference(NamedTuple):
    """A blob that is stored or referred to."""

    workspace_id: str
    key: str


class Orphan(NamedTuple):
    """Index rows that refer to a blob which their dataset does not have."""

    workspace_id: str
    dataset_id: str
    number: int
    rows: int


def every(session: Session) -> list[Reference]:
    """Return all blobs that are stored or referred to, each once."""
    found = {Reference(*row) for row in session.execute(select(Blob.workspace_id, Blob.key))}
    found |= {Reference(*row) for row in session.execute(select(DatasetBlob.workspace_id, DatasetBlob.key))}
    for name in PARTS:
        column = getattr(Model, name)
        found |= {Reference(*row) for row in session.execute(select(Model.workspace_id, column)) if row[1]}
    found |= {Reference(job.workspace_id, part["key"]) for job, part in _checkpoints(session)}
    return sorted(found)


def orphans(session: Session) -> list[Orphan]:
    """Return the index rows that refer to a blob which their dataset does not have."""
    same_blob = (
        (DatasetBlob.workspace_id == Series.workspace_id)
        & (DatasetBlob.dataset_id == Series.dataset_id)
        & (DatasetBlob.number == Series.blob)
    )
    at = Series.workspace_id, Series.dataset_id, Series.blob
    query = select(*at, func.count()).outerjoin(DatasetBlob, same_blob).where(DatasetBlob.key.is_(None))
    return [Orphan(*row) for row in session.execute(query.group_by(*at))]


def consequences(session: Session, reference: Reference) -> list[str]:
    """Return in words what no longer works without these bytes."""
    return [*_datasets(session, reference), *_models(session, reference), *_jobs(session, reference)]


def _datasets(session: Session, reference: Reference) -> Iterator[str]:
    query = select(DatasetBlob).where(
        DatasetBlob.workspace_id == reference.workspace_id, DatasetBlob.key == reference.key
    )
    for blob in session.scalars(query):
        rows = select(Series.unique_id).where(
            Series.workspace_id == blob.workspace_id,
            Series.dataset_id == blob.dataset_id,
            Series.blob == blob.number,
        )
        names = session.scalars(rows.limit(SHOWN)).all()
        more = f" and {blob.series - SHOWN:,} others" if blob.series > SHOWN else ""
        listed = ", ".join(map(repr, names))
        yield f"dataset {blob.dataset_id}, series {listed}{more}: neither shown, trained on nor appended to"


def _models(session: Session, reference: Reference) -> Iterator[str]:
    for name, lost in PARTS.items():
        query = select(Model.id).where(
            Model.workspace_id == reference.workspace_id, getattr(Model, name) == reference.key
        )
        yield from (f"model {model_id} lacks {lost}" for model_id in session.scalars(query))


def _jobs(session: Session, reference: Reference) -> Iterator[str]:
    for job, part in _checkpoints(session):
        if (job.workspace_id, part["key"]) == reference:
            yield f"job {job.id} lacks a checkpoint: that part of its training starts again"


def _checkpoints(session: Session) -> Iterator[tuple[Job, dict[str, str]]]:
    for job in session.scalars(select(Job).where(Job.checkpoint.is_not(None))):
        yield from ((job, part) for part in (job.checkpoint or {}).get("parts", {}).values())
