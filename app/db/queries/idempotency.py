"""Idempotency keys; the first call with a key holds it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Update
from sqlalchemy.exc import IntegrityError

from app.db.engine import Session
from app.db.queries.scope import changeable, removable, visible
from app.db.tables import IdempotencyKey


def insert(session: Session, row: IdempotencyKey) -> bool:
    """Store a key; return False if it exists."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def find(session: Session, workspace_id: str, key: str) -> IdempotencyKey | None:
    """Return a key, or None."""
    query = visible(IdempotencyKey, workspace_id).where(IdempotencyKey.key == key)
    return session.scalars(query).one_or_none()


def take_over(session: Session, row: IdempotencyKey, owner_id: str, moment: datetime) -> bool:
    """Claim a key whose process has died; return False if another call was first."""
    query = _without_response(row.workspace_id, row.key, row.owner_id).values(
        owner_id=owner_id, created_at=moment
    )
    return session.scalar(query.returning(IdempotencyKey.key)) is not None


def store_response(
    session: Session, workspace_id: str, key: str, owner_id: str, values: dict[str, Any]
) -> bool:
    """Store the response of the call under a key; return False if it has one, or was taken over."""
    query = _without_response(workspace_id, key, owner_id).values(values)
    return session.scalar(query.returning(IdempotencyKey.key)) is not None


def release(session: Session, workspace_id: str, key: str, owner_id: str) -> None:
    """Remove a key without a response, so that it can be used again."""
    query = removable(IdempotencyKey, workspace_id).where(*_held(key, owner_id))
    session.execute(query)


def delete_older(session: Session, workspace_id: str, moment: datetime) -> None:
    """Remove the keys created before a moment."""
    query = removable(IdempotencyKey, workspace_id).where(IdempotencyKey.created_at < moment)
    session.execute(query)


def _without_response(workspace_id: str, key: str, owner_id: str) -> Update:
    return changeable(IdempotencyKey, workspace_id).where(*_held(key, owner_id))


def _held(key: str, owner_id: str) -> tuple[ColumnElement[bool], ...]:
    return IdempotencyKey.key == key, IdempotencyKey.owner_id == owner_id, IdempotencyKey.status.is_(None)
