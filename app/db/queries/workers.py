"""Worker processes and their heartbeats."""

from collections.abc import Sequence

from sqlalchemy import delete, select, update

from app.db.engine import Session
from app.db.tables import Worker


def add(session: Session, worker: Worker) -> None:
    """Store a worker that starts."""
    session.add(worker)
    session.flush()


def beat(session: Session, worker_id: str) -> bool:
    """Count one more heartbeat; False if the row is gone, because others took this worker for dead."""
    query = update(Worker).where(Worker.id == worker_id).values(beat=Worker.beat + 1)
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


def remove(session: Session, worker_ids: list[str]) -> None:
    """Forget workers that are dead."""
    session.execute(delete(Worker).where(Worker.id.in_(worker_ids)))
