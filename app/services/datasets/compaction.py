"""Datasets are kept small while they grow: old versions are thinned out, small blobs are packed together.

All of it goes in portions, each a short transaction, while others read and append.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial, reduce

import numpy as np

from app import blobs
from app.db.engine import Database, DatasetRef, Session
from app.db.queries import changes, dataset_blobs, versions
from app.db.queries import datasets as queries
from app.db.queries.datasets import Entry
from app.db.tables import DatasetVersion
from app.intake.frame import SeriesFrame
from app.services.datasets import series_store as store
from app.services.datasets.series_store import Packed

PORTION, AT_ONCE = 2_000, 200  # index rows that go in one transaction: alone, and along with an append
SMALL = store.ROWS_PER_BLOB // 2  # observations of a blob that is to be packed with others
MANY = 50  # small blobs that are worth it
TOGETHER = 200  # of them, read at a time
PATIENCE_S = 2.0


def tidy(database: Database, keep: int) -> bool:
    """Thin out and pack together what is due; False if there was more than takes two seconds."""
    with database.read() as session:
        crowded = versions.with_more(session, keep)
        scattered = dataset_blobs.with_many_small(session, SMALL, MANY)
    tasks: list[Callable[[], bool]] = [partial(_thin, database, ref, keep) for ref in crowded]
    tasks += [partial(pack_together, database, ref, keep) for ref in scattered]
    deadline = time.monotonic() + PATIENCE_S
    for task in tasks:
        while task():
            if time.monotonic() > deadline:
                return False
    return True


def _thin(database: Database, ref: DatasetRef, keep: int) -> bool:
    with database.write() as session:
        return thin(session, ref, keep)


def thin(session: Session, ref: DatasetRef, keep: int, room: int = PORTION) -> bool:
    """Remove a portion of what no version needs that stays; True if there is more.

    The newest `keep` versions stay, and those that models and unfinished jobs name.
    """
    queries.lock(session, *ref)
    known = versions.of_dataset(session, ref)
    there = [version.number for version in known if not version.dropped]
    stay = {*there[-keep:], *versions.in_use(session, ref)}
    dropped = [number for number in there if number not in stay]
    going = [version.number for version in known if version.number not in stay]
    kept = sorted(set(there) - set(dropped))
    for number in going:
        before = max((other for other in kept if other < number), default=0)
        after = min(other for other in kept if other > number)
        names = versions.outlived(session, ref, (before, number, after), room)
        rows = versions.remove_rows(session, ref, names, before + 1, number)
        blobs.release(session, ref.workspace_id, dataset_blobs.take_out(session, ref, rows))
        room -= len(names) + 1
        if room <= 0:
            break
        versions.remove(session, ref, number)
    if dropped:
        versions.drop(session, ref, dropped)
        changes.record(session, *ref)
    return room <= 0


def pack_together(database: Database, ref: DatasetRef, keep: int) -> bool:
    """Pack series from many small blobs into few large ones; True if some were, and there may be more.

    Those of the newest `keep` versions are left alone: what changes often is soon gone by itself.
    """
    with database.read() as session:
        found = queries.find(session, *ref)
        if found is None:
            return False
        _, newest = found
        numbers = dataset_blobs.small(session, ref, SMALL, newest.version - keep, TOGETHER)
        entries = queries.entries_in(session, newest, numbers) if len(numbers) >= MANY else []
        if len({entry.blob for entry in entries}) < MANY:
            return False
        frame = _whole(session, newest, entries)
    for packed in store.pack([frame]):
        with database.write() as session:
            _put_in_place(session, ref, newest.version, packed, entries)
    return True


def _whole(session: Session, version: DatasetVersion, entries: Sequence[Entry]) -> SeriesFrame:
    """Read series from many blobs, by name."""
    parts = [
        store.read_frame(session, version, [entries[i] for i in members])
        for _, members in store.by_blob(entries)
    ]
    frame = reduce(SeriesFrame.join, parts)
    order = sorted(range(len(frame.unique_ids)), key=lambda i: frame.unique_ids[i])
    return frame.take(np.array(order, dtype=np.int64))


def _put_in_place(
    session: Session, ref: DatasetRef, version: int, packed: Packed, entries: Sequence[Entry]
) -> None:
    """Let index rows that are still where they were read from lie in a blob together."""
    queries.lock(session, *ref)
    places = {row["unique_id"]: row["first_row"] for row in packed.rows}
    was = {entry.unique_id: entry.blob for entry in entries if entry.unique_id in places}
    found = dataset_blobs.rows_at(session, ref, list(places), set(was.values()))
    rows = [row for row in found if row.blob == was[row.unique_id]]  # older ones of a series stay behind
    if not rows:
        return
    key = blobs.put(session, ref.workspace_id, packed.data)
    number = dataset_blobs.add(session, ref, key, version, [row.length for row in rows])
    dataset_blobs.move(session, ref, rows, number, places)
    blobs.release(session, ref.workspace_id, dataset_blobs.take_out(session, ref, rows))
