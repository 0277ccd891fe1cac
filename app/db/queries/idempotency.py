"""Idempotency keys: the first row under a key wins."""

from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from app.db.engine import Session
from app.db.queries.scope import changeable, removable, visible
from app.db.tables import IdempotencyKey


def insert(session: Session, row: IdempotencyKey) -> bool:
    """Store a key; False if it is taken."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def find(session: Session, workspace_id: str, key: str) -> IdempotencyKey | None:
    """Return a key, or nothing."""
    query = visible(IdempotencyKey, workspace_id).where(IdempotencyKey.key == key)
    return session.scalars(query).one_or_none()


def take_over(session: Session, row: IdempotencyKey, moment: datetime) -> bool:
    """Claim a key whose call was cut off; False if another caller was quicker."""
    query = changeable(IdempotencyKey, row.workspace_id).where(
        IdempotencyKey.key == row.key, IdempotencyKey.created_at == row.created_at
    )
    return session.scalar(query.values(created_at=moment).returning(IdempotencyKey.key)) is not None


def answer(session: Session, workspace_id: str, key: str, **values: Any) -> None:
    """Store the answer of the call under a key."""
    query = changeable(IdempotencyKey, workspace_id).where(IdempotencyKey.key == key)
    session.execute(query.values(**values))


def delete(session: Session, workspace_id: str, key: str) -> None:
    """Give a key free again."""
    session.execute(removable(IdempotencyKey, workspace_id).where(IdempotencyKey.key == key))


def delete_older(session: Session, workspace_id: str, moment: datetime) -> None:
    """Forget the keys made before a moment."""
    query = removable(IdempotencyKey, workspace_id).where(IdempotencyKey.created_at < moment)
    session.execute(query)
