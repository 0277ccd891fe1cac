"""Schedules. The worker that advances `next_at` has fired the schedule."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app.db.engine import Session
from app.db.queries.scope import changeable, removable, visible
from app.db.tables import Schedule


def add(session: Session, schedule: Schedule) -> None:
    """Store a new schedule."""
    session.add(schedule)
    session.flush()


def page(
    session: Session, workspace_id: str, dataset_id: str | None, limit: int, before: str | None
) -> list[Schedule]:
    """Return up to `limit` schedules older than the id `before`, newest first."""
    query = visible(Schedule, workspace_id).order_by(Schedule.id.desc()).limit(limit)
    if dataset_id is not None:
        query = query.where(Schedule.dataset_id == dataset_id)
    if before is not None:
        query = query.where(Schedule.id < before)
    return list(session.scalars(query))


def find(session: Session, workspace_id: str, schedule_id: str) -> Schedule | None:
    """Return a schedule, or None."""
    return session.scalars(visible(Schedule, workspace_id).where(Schedule.id == schedule_id)).one_or_none()


def lock(session: Session, workspace_id: str, schedule_id: str) -> Schedule | None:
    """Lock a schedule until the transaction ends, and return it, or None."""
    query = visible(Schedule, workspace_id).where(Schedule.id == schedule_id).with_for_update()
    return session.scalars(query).one_or_none()


def due(session: Session, moment: datetime, limit: int) -> Sequence[Schedule]:
    """Return up to `limit` schedules of any workspace that are due, longest overdue first."""
    query = select(Schedule).where(Schedule.paused.is_(False), Schedule.next_at <= moment)
    return session.scalars(query.order_by(Schedule.next_at, Schedule.id).limit(limit)).all()


def move_on(session: Session, schedule: Schedule, next_at: datetime) -> Schedule | None:
    """Advance a schedule and return it; return None if another worker was first."""
    query = changeable(Schedule, schedule.workspace_id).where(
        Schedule.id == schedule.id, Schedule.next_at == schedule.next_at, Schedule.paused.is_(False)
    )
    moved = session.scalar(query.values(next_at=next_at).returning(Schedule.id))
    return None if moved is None else find(session, schedule.workspace_id, schedule.id)


def delete(session: Session, workspace_id: str, schedule_id: str) -> None:
    """Remove a schedule."""
    session.execute(removable(Schedule, workspace_id).where(Schedule.id == schedule_id))
