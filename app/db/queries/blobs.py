"""Stored bytes."""

from app.db.engine import Session
from app.db.queries.scope import removable, visible
from app.db.tables import Blob

CHUNK = 500  # keys in one statement: SQLite limits the number of variables


def insert(session: Session, workspace_id: str, key: str, data: bytes, sha256: str) -> None:
    """Add a blob."""
    session.add(Blob(workspace_id=workspace_id, key=key, data=data, sha256=sha256))
    session.flush()


def find(session: Session, workspace_id: str, key: str) -> Blob | None:
    """Return a blob, or nothing."""
    return session.scalars(visible(Blob, workspace_id).where(Blob.key == key)).one_or_none()


def delete(session: Session, workspace_id: str, keys: list[str]) -> None:
    """Remove blobs."""
    for first in range(0, len(keys), CHUNK):
        some = keys[first : first + CHUNK]
        session.execute(removable(Blob, workspace_id).where(Blob.key.in_(some)))
