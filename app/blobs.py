"""Bytes by key, in the database: three calls, behind which another store may stand one day."""

import hashlib

from app.db.engine import Session
from app.db.queries import blobs as queries
from app.errors import AppError


class BlobDamaged(AppError):
    """Stored bytes that are not the ones that were put in."""

    code = "blob-damaged"
    title = "Stored data is damaged"


def digest(data: bytes) -> str:
    """Return the hash that bytes are stored under, their SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def put(session: Session, workspace_id: str, key: str, data: bytes) -> None:
    """Store bytes."""
    queries.insert(session, workspace_id, key, data, digest(data))


def get(session: Session, workspace_id: str, key: str) -> bytes:
    """Return the bytes under a key.

    Raises BlobDamaged if they are gone or do not have the hash they were stored with.
    """
    data = find(session, workspace_id, key)
    if data is None:
        raise _damaged(key)
    return data


def find(session: Session, workspace_id: str, key: str) -> bytes | None:
    """Return the bytes under a key, if there are any.

    Raises BlobDamaged if they do not have the hash they were stored with.
    """
    blob = queries.find(session, workspace_id, key)
    if blob is None:
        return None
    if digest(blob.data) != blob.sha256:
        raise _damaged(key)
    return blob.data


def stored_digest(session: Session, workspace_id: str, key: str) -> str | None:
    """Return the hash of the bytes that are under a key now, whatever it was when they were put in."""
    blob = queries.find(session, workspace_id, key)
    return None if blob is None else digest(blob.data)


def delete(session: Session, workspace_id: str, keys: list[str]) -> None:
    """Remove what lies under the keys."""
    queries.delete(session, workspace_id, keys)


def _damaged(key: str) -> BlobDamaged:
    return BlobDamaged(f"The stored object {key} is missing or damaged; restore it from a backup.")
