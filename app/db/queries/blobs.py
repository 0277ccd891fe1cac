"""Stored bytes, each under its hash, with the number of references to it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite

from app.db.engine import Session
from app.db.queries.scope import changeable, chunks, removable, visible
from app.db.tables import Blob


def add(session: Session, workspace_id: str, key: str, data: bytes) -> None:
    """Store bytes; if the key exists, count one more use and replace its bytes, in case of damage."""
    insert = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    stored = insert(Blob).values(workspace_id=workspace_id, key=key, data=data, uses=1)
    more = {"uses": Blob.uses + 1, "data": stored.excluded.data}
    session.execute(stored.on_conflict_do_update(index_elements=["workspace_id", "key"], set_=more))


def hold(session: Session, workspace_id: str, key: str) -> bool:
    """Count one more use; return False if there are no bytes under the key."""
    query = changeable(Blob, workspace_id).where(Blob.key == key).values(uses=Blob.uses + 1)
    return session.scalar(query.returning(Blob.key)) is not None


def find(session: Session, workspace_id: str, key: str) -> Blob | None:
    """Return a blob, or None."""
    return session.scalars(visible(Blob, workspace_id).where(Blob.key == key)).one_or_none()


def release(session: Session, workspace_id: str, keys: Iterable[str]) -> None:
    """Subtract one use for each time a key is named, and remove the blobs that have none left."""
    for times, some in _by_times(keys):
        named = update(Blob).where(Blob.workspace_id == workspace_id, Blob.key.in_(some))
        session.execute(named.values(uses=Blob.uses - times))
        session.execute(removable(Blob, workspace_id).where(Blob.key.in_(some), Blob.uses <= 0))


def _by_times(keys: Iterable[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield keys in portions, with how often each key of a portion was named."""
    # In the order of their names, so that two transactions lock blobs in one order and cannot deadlock.
    counted = sorted(Counter(keys).items(), key=lambda item: (item[1], item[0]))
    for times, group in groupby(counted, key=lambda item: item[1]):
        yield from ((times, some) for some in chunks([key for key, _ in group]))
