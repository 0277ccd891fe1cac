"""Jobs. Every change by a worker names its attempt; one of a stale attempt changes no row."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, tuple_

from app.db.engine import Session
from app.db.queries.scope import changeable, visible
from app.db.tables import Job

UNFINISHED = ("queued", "running")


def add(session: Session, job: Job) -> None:
    """Store a new job."""
    session.add(job)
    session.flush()


def page(session: Session, workspace_id: str, limit: int, before: str | None) -> list[Job]:
    """Return up to `limit` jobs older than the id `before`, newest first."""
    query = visible(Job, workspace_id).order_by(Job.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Job.id < before)
    return list(session.scalars(query))


def find(session: Session, workspace_id: str, job_id: str) -> Job | None:
    """Return a job, or None."""
    return session.scalars(visible(Job, workspace_id).where(Job.id == job_id)).one_or_none()


def found(session: Session, keys: Collection[tuple[str, str]]) -> Sequence[Job]:
    """Return the jobs with these pairs of workspace and id."""
    return session.scalars(select(Job).where(tuple_(Job.workspace_id, Job.id).in_(keys))).all()


def unfinished_like(session: Session, workspace_id: str, dataset_id: str, fingerprint: str) -> Job | None:
    """Return the unfinished job with this fingerprint, or None."""
    query = visible(Job, workspace_id).where(
        Job.dataset_id == dataset_id, Job.fingerprint == fingerprint, Job.state.in_(UNFINISHED)
    )
    return session.scalars(query.order_by(Job.id).limit(1)).one_or_none()


def lock(session: Session, workspace_id: str, job_id: str) -> Job | None:
    """Return a job whose row no one else may change until the transaction ends, or None."""
    query = visible(Job, workspace_id).where(Job.id == job_id).with_for_update()
    return session.scalars(query).one_or_none()


def lock_running_of(session: Session, worker_ids: Collection[str]) -> Sequence[Job]:
    """Lock the jobs of any workspace that run on these workers, and return them."""
    query = select(Job).where(Job.worker_id.in_(worker_ids), Job.state == "running").with_for_update()
    return session.scalars(query).all()


def lock_unfinished(session: Session, job_ids: Collection[str]) -> Sequence[Job]:
    """Lock the unfinished ones of these jobs, of any workspace, and return them."""
    query = select(Job).where(Job.id.in_(job_ids), Job.state.in_(UNFINISHED)).with_for_update()
    return session.scalars(query).all()


def is_current(session: Session, workspace_id: str, job_id: str, attempt: int) -> bool:
    """Return whether a job runs in just this attempt."""
    query = visible(Job, workspace_id).where(*_current(job_id, attempt))
    return session.scalar(query) is not None


def store_progress(
    session: Session, workspace_id: str, job_id: str, attempt: int, progress: dict[str, Any]
) -> bool:
    """Store the progress of an attempt; return False if it is not current."""
    changes = {"progress": progress, "revision": Job.revision + 1}
    return _change(session, workspace_id, job_id, attempt, changes)


def store_checkpoint(
    session: Session, workspace_id: str, job_id: str, attempt: int, checkpoint: dict[str, Any]
) -> bool:
    """Store the checkpoint of an attempt, which callers do not see; return False if it is not current."""
    return _change(session, workspace_id, job_id, attempt, {"checkpoint": checkpoint})


def lock_unfinished_of(session: Session, workspace_id: str, dataset_id: str) -> Sequence[Job]:
    """Lock the unfinished jobs of a dataset until the transaction ends, and return them."""
    query = visible(Job, workspace_id).where(Job.dataset_id == dataset_id, Job.state.in_(UNFINISHED))
    return session.scalars(query.with_for_update()).all()


def _change(session: Session, workspace_id: str, job_id: str, attempt: int, changes: dict[str, Any]) -> bool:
    query = changeable(Job, workspace_id).where(*_current(job_id, attempt)).values(changes)
    return session.scalar(query.returning(Job.id)) is not None


def _current(job_id: str, attempt: int) -> tuple[ColumnElement[bool], ...]:
    return Job.id == job_id, Job.attempt == attempt, Job.state == "running"
