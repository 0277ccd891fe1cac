"""Versions that are written in many short transactions before one more publishes them.

Series are packed and compressed before the first statement. What fits one portion goes in with the
publication; of more, all but the last portion is stored beforehand as a draft, which nobody sees.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from app import blobs
from app.db.engine import Database, DatasetRef, Session
from app.db.ids import new_id
from app.db.queries import dataset_blobs
from app.db.queries import datasets as dataset_queries
from app.db.queries import drafts as queries
from app.db.queries.datasets import Entry
from app.db.tables import Draft
from app.errors import Unavailable
from app.services.datasets import series_store as store
from app.services.datasets.series_store import Packed
from app.services.shared.processes import Heartbeat

PORTION_SERIES, PORTION_BYTES = 2_000, 4 * 1024 * 1024  # in one transaction
REMOVED = 1_000  # index rows, in one transaction
# So long no portion takes: nobody goes on with it, though its process lives.
ABANDONED_AFTER = timedelta(minutes=10)


class Busy(Unavailable):
    """A dataset to which somebody else is adding so much that it takes several transactions."""


class Staging:
    """Series on their way into a version of a dataset, portion by portion.

    `prepare` packs the next portion and tells whether `store` is to store it; the last one goes in with
    `finish`, in the transaction that publishes. `draft` is its id, or what begins it in the first
    transaction that stores.
    """

    def __init__(
        self,
        database: Database,
        ref: DatasetRef,
        version: int,
        runs: Iterable[Packed],
        draft: str | Callable[[Session], str],
    ) -> None:
        self.ref, self.version = ref, version
        self.draft_id = draft if isinstance(draft, str) else None
        self._database, self._draft = database, draft
        self._portions = _portions(runs)
        self._portion: list[Packed] = []
        self._following: list[Packed] | None = None
        self._is_begun = False
        self._entries: list[Entry] = []

    def prepare(self) -> bool:
        """Pack the next portion; False for the last one."""
        if not self._is_begun:
            self._following, self._is_begun = next(self._portions, []), True
        self._portion, self._following = self._following or [], next(self._portions, None)
        return self._following is not None

    def store(self) -> None:
        """Store the portion that was packed.

        Raises Unavailable if the draft was taken away meanwhile.
        """
        with self._database.write() as session:
            draft_id = self._draft if isinstance(self._draft, str) else self._draft(session)
            entries = self._written(session, draft_id)
        self.draft_id = self._draft = draft_id
        self._entries += entries

    def finish(self, session: Session) -> list[Entry]:
        """Store the last portion with the caller's transaction, and return the entries of all."""
        entries = self._entries + self._written(session, self.draft_id)
        if self.draft_id is not None:
            queries.remove(session, self.ref)
        return entries

    def discard(self) -> None:
        """Remove what was stored, if it was not published."""
        if self.draft_id is not None:
            clear(self._database, self.ref, self.draft_id)

    def _written(self, session: Session, draft_id: str | None) -> list[Entry]:
        dataset_queries.lock(session, *self.ref)
        if draft_id is not None and not queries.touch(session, self.ref, draft_id):
            raise Unavailable("What was stored so far was taken for abandoned, or its dataset was deleted.")
        return store.write(session, self.ref, self.version, self._portion)


class Staged(Protocol):
    """What goes into a dataset in portions."""

    def prepare(self) -> bool:
        """Do all for the next portion that takes no transaction; False for the last one."""

    def store(self) -> None:
        """Store the portion that was prepared."""

    def discard(self) -> None:
        """Remove what was stored and will not be published."""


@contextmanager
def stored(staged: Staged) -> Iterator[None]:
    """Store all but the last portion, and remove it again if it is not published within."""
    try:
        while staged.prepare():
            staged.store()
        yield
    except BaseException:
        staged.discard()
        raise


def _portions(runs: Iterable[Packed]) -> Iterator[list[Packed]]:
    portion: list[Packed] = []
    series = size = 0
    for packed in runs:
        portion.append(packed)
        series += len(packed.rows)
        size += len(packed.data) + sum(len(row["tail"]) for row in packed.rows)
        if series >= PORTION_SERIES or size >= PORTION_BYTES:
            yield portion
            portion, series, size = [], 0, 0
    if portion:
        yield portion


def begin(session: Session, ref: DatasetRef, process_id: str) -> str:
    """Write down that a process writes a version of a dataset, which the caller has locked or just made."""
    draft = Draft(**ref._asdict(), id=new_id("draft"), process_id=process_id)
    queries.add(session, draft)
    return draft.id


def refuse_busy(session: Session, ref: DatasetRef) -> None:
    """Raise Busy if somebody writes a version of a dataset."""
    if queries.find(session, ref) is not None:
        raise Busy(f"Many rows are being added to dataset {ref.dataset_id} just now; send these in a moment.")


def sweep(database: Database, heartbeat: Heartbeat) -> None:
    """Remove what was written by processes that are gone, and what is left of deleted datasets."""
    with database.read() as session:
        left = [
            draft
            for draft, now in queries.every(session)
            if now - draft.touched_at > ABANDONED_AFTER or heartbeat.has_lost(session, draft.process_id)
        ]
        deleted = queries.unseen(session)
    for draft in left:
        draft_id = new_id("draft")
        with database.write() as session:
            is_ours = queries.take_over(session, draft, draft_id)
        if is_ours:
            clear(database, DatasetRef(draft.workspace_id, draft.dataset_id), draft_id)
    for ref in deleted:
        clear(database, ref)


def clear(database: Database, ref: DatasetRef, draft_id: str | None = None) -> None:
    """Remove what was written of a draft, or is left of a deleted dataset, portion by portion."""
    is_done = False
    while not is_done:
        with database.write() as session:
            dataset_queries.lock(session, *ref)
            if draft_id is not None and not queries.touch(session, ref, draft_id):
                return
            is_done = remove_portion(session, ref)


def remove_portion(session: Session, ref: DatasetRef) -> bool:
    """Remove a portion of what no version of a dataset shows; True if that was all.

    The draft goes with the last of it, and so does a dataset that has no version at all.
    """
    shown = dataset_queries.shown(session, ref)
    if shown is None:
        return True
    rows = queries.remove_rows(session, ref, shown, REMOVED)
    blobs.release(session, ref.workspace_id, dataset_blobs.take_out(session, ref, rows))
    if len(rows) == REMOVED:
        return False
    queries.remove(session, ref)
    if shown == 0:
        dataset_queries.delete(session, *ref)
    return True
