"""Drafts: versions of a dataset that take several transactions to store, hidden until one publishes them."""

from datetime import timedelta

from app import blobs
from app.db.engine import Database, DatasetRef, Session
from app.db.queries import dataset_blobs
from app.db.queries import datasets as dataset_queries
from app.db.queries import drafts as queries
from app.db.tables import Draft, new_id
from app.errors import Unavailable
from app.services.shared.heartbeats import Heartbeat

REMOVED = 1_000  # index rows, in one transaction
# Longer than any portion takes: such a draft is abandoned, even if its process lives.
ABANDONED_AFTER = timedelta(minutes=10)


class Busy(Unavailable):
    """Another call is adding rows to the dataset in several transactions."""


def begin(session: Session, ref: DatasetRef, process_id: str) -> str:
    """Store a draft of a process and return its id; the caller has locked or just created the dataset."""
    draft = Draft(**ref._asdict(), id=new_id("draft"), process_id=process_id)
    queries.add(session, draft)
    return draft.id


def touch(session: Session, ref: DatasetRef, draft_id: str) -> None:
    """Lock a dataset and mark its draft as still in progress.

    Raises Unavailable if the draft was taken away, as abandoned or with its dataset.
    """
    dataset_queries.lock(session, *ref)
    if not queries.touch(session, ref, draft_id):
        raise Unavailable("What was stored so far was taken for abandoned, or its dataset was deleted.")


def finish(session: Session, ref: DatasetRef, draft_id: str) -> None:
    """Remove a draft in the transaction that publishes its version; raises as `touch` does."""
    touch(session, ref, draft_id)
    queries.remove(session, ref)


def refuse_busy(session: Session, ref: DatasetRef) -> None:
    """Raise Busy if a dataset has a draft."""
    if queries.find(session, ref) is not None:
        raise Busy(f"Many rows are being added to dataset {ref.dataset_id} just now; send these in a moment.")


def sweep(database: Database, heartbeat: Heartbeat) -> None:
    """Remove the drafts of dead processes, and what remains of deleted datasets."""
    with database.read() as session:
        abandoned = [
            draft
            for draft, now in queries.every(session)
            if now - draft.touched_at > ABANDONED_AFTER
            or heartbeat.is_dead_or_removed(session, draft.process_id)
        ]
        deleted = queries.hidden(session)
    for draft in abandoned:
        draft_id = new_id("draft")
        with database.write() as session:
            is_ours = queries.take_over(session, draft, draft_id)
        if is_ours:
            clear(database, DatasetRef(draft.workspace_id, draft.dataset_id), draft_id)
    for ref in deleted:
        clear(database, ref)


def clear(database: Database, ref: DatasetRef, draft_id: str | None = None) -> None:
    """Remove the series of a draft, or what remains of a deleted dataset, portion by portion."""
    is_done = False
    while not is_done:
        with database.write() as session:
            dataset_queries.lock(session, *ref)
            if draft_id is not None and not queries.touch(session, ref, draft_id):
                return
            is_done = remove_portion(session, ref)


def remove_portion(session: Session, ref: DatasetRef) -> bool:
    """Remove a portion of the series that no version of a dataset shows; return True if it was the last.

    The last call also removes the draft, and the dataset if it shows no version.
    """
    shown = dataset_queries.shown(session, ref)
    if shown is None:
        return True
    rows = queries.remove_rows(session, ref, shown, REMOVED)
    blobs.release(session, ref.workspace_id, dataset_blobs.subtract(session, ref, rows))
    if len(rows) == REMOVED:
        return False
    queries.remove(session, ref)
    if shown == 0:
        dataset_queries.delete(session, *ref)
    return True
