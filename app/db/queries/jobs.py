"""Jobs. Every change made by a worker names the attempt it belongs to, and a stale one changes no row."""

from typing import Any

from app.db.engine import Session
from app.db.queries.scope import changeable, visible
from app.db.tables import Job

UNFINISHED = ("queued", "running")


def add(session: Session, job: Job) -> None:
    """Store a new job."""
    session.add(job)
    session.flush()


def page(session: Session, workspace_id: str, limit: int, before: str | None) -> list[Job]:
    """Return up to `limit` jobs, newest first, older than the id `before`."""
    query = visible(Job, workspace_id).order_by(Job.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Job.id < before)
    return list(session.scalars(query))


def find(session: Session, workspace_id: str, job_id: str) -> Job | None:
    """Return a job, or nothing."""
    return session.scalars(visible(Job, workspace_id).where(Job.id == job_id)).one_or_none()


def lock(session: Session, workspace_id: str, job_id: str) -> Job | None:
    """Return a job whose row no one else may change until the transaction ends, or nothing."""
    query = visible(Job, workspace_id).where(Job.id == job_id).with_for_update()
    return session.scalars(query).one_or_none()


def change(session: Session, workspace_id: str, job_id: str, attempt: int, **values: Any) -> bool:
    """Change a running job on behalf of one attempt; False if that attempt has no say any more."""
    query = changeable(Job, workspace_id).where(
        Job.id == job_id, Job.attempt == attempt, Job.state == "running"
    )
    return session.scalar(query.values(**values).returning(Job.id)) is not None


def cancel_all(session: Session, workspace_id: str, dataset_id: str, **values: Any) -> None:
    """End every unfinished job of a dataset."""
    query = changeable(Job, workspace_id).where(Job.dataset_id == dataset_id, Job.state.in_(UNFINISHED))
    session.execute(query.values(state="cancelled", **values))
