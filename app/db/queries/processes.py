"""The processes of the service, workers and API processes, and their heartbeats."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select, tuple_, type_coerce, update

from app.db.engine import Session
from app.db.tables import Job, Process, UtcDateTime

WORKER, API = "worker", "api"


class Seen(NamedTuple):
    """A worker, its running job in the caller's workspace, and the database's present time."""

    worker: Process
    job_id: str | None
    now: datetime


def add(session: Session, process: Process) -> None:
    """Store a new process."""
    session.add(process)
    session.flush()


def beat(session: Session, process_id: str) -> bool:
    """Count one heartbeat; return False if the row is gone, because others took this process for dead."""
    beat = {"beat": Process.beat + 1, "beat_at": func.now()}
    query = update(Process).where(Process.id == process_id).values(beat)
    return session.scalar(query.returning(Process.id)) is not None


def mark_stopped(session: Session, process_id: str) -> None:
    """Mark a process as stopping by itself."""
    session.execute(update(Process).where(Process.id == process_id).values(stopped=True))


def find(session: Session, process_id: str) -> Process | None:
    """Return a process, or None."""
    return session.get(Process, process_id)


def others(session: Session, process_id: str) -> Sequence[Process]:
    """Return all other processes."""
    return session.scalars(select(Process).where(Process.id != process_id)).all()


def workers_on_host(session: Session, host: str) -> Sequence[Process]:
    """Return the workers of a host that are not marked as stopped."""
    query = select(Process).where(Process.role == WORKER, Process.host == host, Process.stopped.is_(False))
    return session.scalars(query).all()


def registered(session: Session, process_ids: Collection[str]) -> set[str]:
    """Return those of the ids that have a row."""
    return set(session.scalars(select(Process.id).where(Process.id.in_(process_ids))))


def workers_page(session: Session, workspace_id: str, limit: int, before: str | None) -> list[Seen]:
    """Return up to `limit` workers older than the id `before`, newest first."""
    running = (Job.worker_id == Process.id) & (Job.workspace_id == workspace_id) & (Job.state == "running")
    query = select(Process, Job.id, type_coerce(func.now(), UtcDateTime())).outerjoin(Job, running)
    query = query.where(Process.role == WORKER, Process.stopped.is_(False))
    query = query.order_by(Process.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Process.id < before)
    return [Seen(worker, job_id, now) for worker, job_id, now in session.execute(query)]


def remove_silent(session: Session, processes: Collection[Process]) -> list[str]:
    """Remove processes without a heartbeat since they were read, and return their ids.

    Locked rows are left for the next time: such a process may be frozen in the middle of a heartbeat.
    """
    beats = [(process.id, process.beat) for process in processes]
    silent = select(Process.id).where(tuple_(Process.id, Process.beat).in_(beats))
    ids = session.scalars(silent.with_for_update(skip_locked=True)).all()
    return list(session.scalars(delete(Process).where(Process.id.in_(ids)).returning(Process.id)))


def remove(session: Session, process_id: str) -> None:
    """Remove a process."""
    session.execute(delete(Process).where(Process.id == process_id))
