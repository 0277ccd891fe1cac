"""Series to stored bytes and back: Parquet blobs, whole series together, and an index row for each series."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app import blobs
from app.db.engine import DatasetRef, Session
from app.db.queries import dataset_blobs
from app.db.queries import datasets as queries
from app.db.queries.datasets import Entry, LastWindow
from app.db.tables import DatasetVersion, Series
from app.intake.frame import SeriesFrame
from app.intake.time.axis import TimeAxis
from models.config import HISTORY_LIMIT

ROWS_PER_BLOB = 20_000


@dataclass(frozen=True)
class Packed:
    """A run of series as one Parquet file, with the index row of each (blob number left open)."""

    data: bytes
    rows: list[dict[str, Any]]


def pack(frames: Iterable[SeriesFrame]) -> Iterator[Packed]:
    """Write series, as they come, into Parquet files of about ROWS_PER_BLOB rows; no series is split."""
    for frame in _blob_by_blob(frames):
        table = pa.table({"ds": pa.array(frame.ds), "y": pa.array(frame.y)})
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        yield Packed(buffer.getvalue(), [_index_row(frame, i) for i in range(len(frame.unique_ids))])


def write(session: Session, ref: DatasetRef, version: int, runs: Iterable[Packed]) -> list[Entry]:
    """Store series under a version of a dataset: further blobs, and an index row for each."""
    entries = []
    for packed in runs:
        key = blobs.put(session, ref.workspace_id, packed.data)
        number = dataset_blobs.add(session, ref, key, version, [row["length"] for row in packed.rows])
        rows = [{**ref._asdict(), "version": version, **row, "blob": number} for row in packed.rows]
        queries.add_series(session, rows)
        entries += [Entry(*(row[name] for name in Entry._fields)) for row in rows]
    return entries


def _blob_by_blob(frames: Iterable[SeriesFrame]) -> Iterator[SeriesFrame]:
    rest: SeriesFrame | None = None
    for frame in frames:
        *full, rest = _split(frame if rest is None else rest.join(frame))
        yield from full
    if rest is not None:
        yield rest


def _split(frame: SeriesFrame) -> list[SeriesFrame]:
    """Cut a frame into runs of series that together reach ROWS_PER_BLOB rows, or are the rest."""
    runs, first, count = [], 0, len(frame.unique_ids)
    while first < count:
        full = int(np.searchsorted(frame.offsets, frame.offsets[first] + ROWS_PER_BLOB))
        last = min(max(full, first + 1), count)
        runs.append(frame.run(first, last))
        first = last
    return runs


def _index_row(frame: SeriesFrame, i: int) -> dict[str, Any]:
    begin, end = int(frame.offsets[i]), int(frame.offsets[i + 1])
    values = frame.y[begin:end]
    return {
        "unique_id": frame.unique_ids[i],
        "first_row": begin,
        "length": end - begin,
        "observations": int(np.isfinite(values).sum()),
        "start": int(frame.ds[begin]),
        "end": int(frame.ds[end - 1]),
        "tail": values[-HISTORY_LIMIT:].astype("<f8").tobytes(),
    }


def tail(row: LastWindow) -> NDArray[np.float64]:
    """Return the last values of a series, at most HISTORY_LIMIT, NaN for gaps."""
    return np.frombuffer(row.tail, "<f8").astype(np.float64)


def read(
    session: Session, version: DatasetVersion, row: Series
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return times (ordinals) and values of one series."""
    ds, y = _unpack(session, version, row.blob)
    rows = slice(row.first_row, row.first_row + row.length)
    return ds[rows], y[rows]


def read_frame(session: Session, version: DatasetVersion, entries: Sequence[Entry]) -> SeriesFrame:
    """Return series that lie in one blob."""
    ds, y = _unpack(session, version, entries[0].blob)
    names = tuple(entry.unique_id for entry in entries)
    rows = np.concatenate([np.arange(entry.first_row, entry.first_row + entry.length) for entry in entries])
    offsets = np.cumsum([0, *(entry.length for entry in entries)])
    return SeriesFrame(TimeAxis.from_dict(version.axis), names, offsets, ds[rows], y[rows])


def read_values(session: Session, version: DatasetVersion, entries: Sequence[Entry]) -> NDArray[np.float64]:
    """Return the values of series end to end, in the order of their entries; each blob is read once."""
    offsets = np.cumsum([0, *(entry.length for entry in entries)])
    values = np.empty(offsets[-1])
    for blob, numbers in by_blob(entries):
        y = _unpack(session, version, blob)[1]
        for i in numbers:
            first = entries[i].first_row
            values[offsets[i] : offsets[i + 1]] = y[first : first + entries[i].length]
    return values


def by_blob(entries: Sequence[Entry]) -> Iterator[tuple[int, list[int]]]:
    """Yield each blob with the numbers of the entries that lie in it."""
    order = sorted(range(len(entries)), key=lambda i: entries[i].blob)
    for blob, numbers in groupby(order, key=lambda i: entries[i].blob):
        yield blob, list(numbers)


def _unpack(
    session: Session, version: DatasetVersion, blob: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    key = dataset_blobs.key(session, DatasetRef(version.workspace_id, version.dataset_id), blob)
    data = blobs.get(session, version.workspace_id, key)
    table = pq.read_table(io.BytesIO(data))
    return table["ds"].to_numpy(), table["y"].to_numpy()
