"""Check all stored data: read every blob, and every reference to one."""

from collections.abc import Callable
from typing import NamedTuple

from app import blobs
from app.db.engine import Database
from app.db.queries import blob_references
from app.db.queries.blob_references import Orphan, Reference


class Damage(NamedTuple):
    """What is damaged, and what no longer works because of it."""

    what: str
    breaks: str


def check(
    database: Database, report: Callable[[int, int], None] = lambda _done, _total: None
) -> list[Damage]:
    """Compare all blobs with their hashes, and return what is damaged or missing.

    Each blob is read in a transaction of its own, so that the service keeps running. `report` is called with
    the number of blobs read, and that of all.
    """
    with database.read() as session:
        every = blob_references.every(session)
        found = [_orphan(orphan) for orphan in blob_references.orphans(session)]
    for number, reference in enumerate(every):
        found += _damage(database, reference)
        report(number + 1, len(every))
    return found


def _damage(database: Database, reference: Reference) -> list[Damage]:
    with database.read() as session:
        stored = blobs.stored_digest(session, *reference)
        if stored == reference.key:
            return []
        state = "is missing" if stored is None else "is damaged"
        # A blob that was removed meanwhile has no references left, and causes no damage.
        return [
            Damage(f"Blob {reference.key} {state}", breaks)
            for breaks in blob_references.consequences(session, reference)
        ]


def _orphan(orphan: Orphan) -> Damage:
    what = f"Blob {orphan.number} of dataset {orphan.dataset_id} is not among its blobs"
    return Damage(what, f"{orphan.rows:,} series of it can be forecast, but neither shown nor trained on")
