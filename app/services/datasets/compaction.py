"""Compact datasets that grow: drop old versions and pack small blobs together.

Both work in portions, each a short transaction, while other calls read and append.
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
from app.services.datasets.series_blob import SeriesBlob
from app.services.datasets.staging import ROWS_PER_BLOB, pack

PORTION, AT_ONCE = 2_000, 200  # index rows removed in one transaction: alone, and along with an append
SMALL = ROWS_PER_BLOB // 2  # rows; a smaller blob is packed together with others
MANY = 50  # small blobs that are worth packing
READ_TOGETHER = 200  # small blobs
PATIENCE_S = 2.0


def tidy(database: Database, keep: int) -> bool:
    """Compact all datasets that need it; return False if two seconds were too short."""
    with database.read() as session:
        crowded = versions.with_more_than(session, keep)
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
    """Drop old versions and remove a portion of the series that only they show; return True if more remain.

    The newest `keep` versions stay, and those that models or unfinished jobs refer to.
    """
    queries.lock(session, *ref)
    found = versions.of_dataset(session, ref)
    visible = [version.number for version in found if not version.dropped]
    needed = {*visible[-keep:], *versions.in_use(session, ref)}
    to_drop = [number for number in visible if number not in needed]
    to_remove = [version.number for version in found if version.number not in needed]
    kept = sorted(set(visible) - set(to_drop))
    for number in to_remove:
        before = max((other for other in kept if other < number), default=0)
        after = min(other for other in kept if other > number)
        names = versions.superseded(session, ref, (before, number, after), room)
        rows = versions.remove_rows(session, ref, names, before + 1, number)
        blobs.release(session, ref.workspace_id, dataset_blobs.subtract(session, ref, rows))
        room -= len(names) + 1
        if room <= 0:
            break
        versions.remove(session, ref, number)
    if to_drop:
        versions.drop(session, ref, to_drop)
        changes.record(session, *ref)
    return room <= 0


def pack_together(database: Database, ref: DatasetRef, keep: int) -> bool:
    """Pack series from many small blobs into few large ones; return True if more may remain.

    Blobs of the newest `keep` versions are left alone: series that change often leave them by themselves.
    """
    with database.read() as session:
        found = queries.find(session, *ref)
        if found is None:
            return False
        _, newest = found
        numbers = dataset_blobs.small(session, ref, SMALL, newest.version - keep, READ_TOGETHER)
        entries = queries.entries_in(session, newest, numbers) if len(numbers) >= MANY else []
        if len({entry.blob for entry in entries}) < MANY:
            return False
        frame = _whole(session, newest, entries)
    for packed in pack([frame]):
        with database.write() as session:
            _move(session, ref, newest.version, packed, entries)
    return True


def _whole(session: Session, version: DatasetVersion, entries: Sequence[Entry]) -> SeriesFrame:
    """Read series from many blobs, sorted by name."""
    parts = [
        store.read_frame(session, version, [entries[i] for i in members])
        for _, members in store.by_blob(entries)
    ]
    frame = reduce(SeriesFrame.join, parts)
    order = sorted(range(len(frame.unique_ids)), key=lambda i: frame.unique_ids[i])
    return frame.take(np.array(order, dtype=np.int64))


def _move(
    session: Session, ref: DatasetRef, version: int, packed: SeriesBlob, entries: Sequence[Entry]
) -> None:
    """Store a packed blob, and point at it the index rows that are still where they were read."""
    queries.lock(session, *ref)
    first_rows = {row["unique_id"]: row["first_row"] for row in packed.rows}
    was = {entry.unique_id: entry.blob for entry in entries if entry.unique_id in first_rows}
    found = dataset_blobs.rows_at(session, ref, list(first_rows), set(was.values()))
    rows = [row for row in found if row.blob == was[row.unique_id]]  # older rows of a series stay put
    if not rows:
        return
    key = blobs.put(session, ref.workspace_id, packed.data)
    number = dataset_blobs.add_blob(session, ref, key, version, [row.rows for row in rows])
    dataset_blobs.move(session, ref, rows, number, first_rows)
    blobs.release(session, ref.workspace_id, dataset_blobs.subtract(session, ref, rows))
