"""Worker processes and their heartbeats."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select, type_coerce, update

from app.db.engine import Session
from app.db.tables import Job, UtcDateTime, Worker


class Seen(NamedTuple):
    """A worker, the job of the caller's workspace that it works on, and the database's present moment."""

    worker: Worker
    job_id: str | None
    now: datetime


def add(session: Session, worker: Worker) -> None:
    """Store a worker that starts."""
    session.add(worker)
    session.flush()


def beat(session: Session, worker_id: str) -> bool:
    """Count one more heartbeat; False if the row is gone, because others took this worker for dead."""
    beat = {"beat": Worker.beat + 1, "beat_at": func.now()}
    query = update(Worker).where(Worker.id == worker_id).values(beat)
    return session.scalar(query.returning(Worker.id)) is not None


def mark_stopped(session: Session, worker_id: str) -> None:
    """Say that a worker is about to go of its own will."""
    session.execute(update(Worker).where(Worker.id == worker_id).values(stopped=True))


def others(session: Session, worker_id: str) -> Sequence[Worker]:
    """Return every worker but this one."""
    return session.scalars(select(Worker).where(Worker.id != worker_id)).all()


def on_host(session: Session, host: str) -> Sequence[Worker]:
    """Return the workers of one host that have not said that they go."""
    query = select(Worker).where(Worker.host == host, Worker.stopped.is_(False))
    return session.scalars(query).all()


def known(session: Session, worker_ids: Collection[str]) -> set[str]:
    """Return those of the ids that have a row."""
    return set(session.scalars(select(Worker.id).where(Worker.id.in_(worker_ids))))


def page(session: Session, workspace_id: str, limit: int, before: str | None) -> list[Seen]:
    """Return up to `limit` workers, newest first, older than the id `before`."""
    running = (Job.worker_id == Worker.id) & (Job.workspace_id == workspace_id) & (Job.state == "running")
    query = select(Worker, Job.id, type_coerce(func.now(), UtcDateTime())).outerjoin(Job, running)
    query = query.where(Worker.stopped.is_(False)).order_by(Worker.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Worker.id < before)
    return [Seen(worker, job_id, now) for worker, job_id, now in session.execute(query)]


def remove(session: Session, worker_ids: Collection[str]) -> None:
    """Forget workers that are dead."""
    session.execute(delete(Worker).where(Worker.id.in_(worker_ids)))
