"""Whether everything that is stored is whole: all bytes are read, and everything that refers to them."""

from collections.abc import Callable
from typing import NamedTuple

from app import blobs
from app.db.engine import Database
from app.db.queries import references
from app.db.queries.references import Reference, Stray


class Damage(NamedTuple):
    """What is wrong, and what nobody can do for it."""

    what: str
    breaks: str


def check(database: Database, tell: Callable[[int, int], None] = lambda _done, _total: None) -> list[Damage]:
    """Read all bytes and compare them with their hashes; return what is damaged or missing.

    One blob at a time, each in a look of its own, so that the service goes on working meanwhile. `tell` is
    told how many were read, and of how many.
    """
    with database.read() as session:
        asked = references.every(session)
        found = [_stray(stray) for stray in references.strays(session)]
    for number, reference in enumerate(asked):
        found += _look(database, reference)
        tell(number + 1, len(asked))
    return found


def _look(database: Database, reference: Reference) -> list[Damage]:
    with database.read() as session:
        stored = blobs.stored_digest(session, *reference)
        if stored == reference.key:
            return []
        state = "is missing" if stored is None else "is damaged"
        # Of bytes that went meanwhile, with all who referred to them, there is nothing to tell.
        return [Damage(f"Blob {reference.key} {state}", told) for told in references.told(session, reference)]


def _stray(stray: Stray) -> Damage:
    what = f"Blob {stray.number} of dataset {stray.dataset_id} is not among its blobs"
    return Damage(what, f"{stray.rows:,} series of it can be forecast, but neither shown nor trained on")
