"""The blob store: bytes under their SHA-256, in the database; another store can replace it here.

Each `put` or `hold` counts a reference, which `release` takes back; the last one removes the bytes.
"""

from collections.abc import Iterable

from app.db.engine import Session
from app.db.queries import blobs as queries
from app.digest import sha256
from app.errors import AppError


class BlobDamaged(AppError):
    """Stored bytes are missing, or do not have the hash of their key."""

    code = "blob-damaged"
    title = "Stored data is damaged"


def put(session: Session, workspace_id: str, data: bytes) -> str:
    """Store bytes, or count one more reference to equal ones, and return their key."""
    key = sha256(data)
    queries.add(session, workspace_id, key, data)
    return key


def hold(session: Session, workspace_id: str, key: str) -> None:
    """Count one more reference to the bytes under a key.

    Raises BlobDamaged if it is gone.
    """
    if not queries.hold(session, workspace_id, key):
        raise _damaged(key)


def get(session: Session, workspace_id: str, key: str) -> bytes:
    """Return the bytes under a key.

    Raises BlobDamaged if they are gone or do not have the hash they were stored with.
    """
    data = find(session, workspace_id, key)
    if data is None:
        raise _damaged(key)
    return data


def find(session: Session, workspace_id: str, key: str) -> bytes | None:
    """Return the bytes under a key, or None.

    Raises BlobDamaged if they do not have the hash they were stored with.
    """
    blob = queries.find(session, workspace_id, key)
    if blob is None:
        return None
    if sha256(blob.data) != key:
        raise _damaged(key)
    return blob.data


def stored_digest(session: Session, workspace_id: str, key: str) -> str | None:
    """Return the hash that the bytes under a key have now, or None if they are gone."""
    blob = queries.find(session, workspace_id, key)
    return None if blob is None else sha256(blob.data)


def release(session: Session, workspace_id: str, keys: Iterable[str]) -> None:
    """Subtract one reference from each key, and remove the bytes that have none left."""
    queries.release(session, workspace_id, keys)


def _damaged(key: str) -> BlobDamaged:
    return BlobDamaged(
        f"The stored object {key} is missing or damaged. `gatecast check` tells what else is; restore it "
        "from a backup."
    )
