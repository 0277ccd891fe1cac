"""Store and read series: Parquet blobs of whole series, and an index row for each series."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app import blobs
from app.db.engine import DatasetRef, Session
from app.db.queries import dataset_blobs
from app.db.queries.datasets import Entry, LastWindow
from app.db.tables import DatasetVersion, Series
from app.intake.frame import SeriesFrame
from app.intake.time.axis import TimeAxis


@dataclass(frozen=True)
class SeriesBlob:
    """Series packed into one Parquet file, with the index row of each; it has no number yet."""

    data: bytes
    rows: list[dict[str, Any]]


def write(session: Session, ref: DatasetRef, version: int, packed: Iterable[SeriesBlob]) -> list[Entry]:
    """Store series under a version of a dataset: their blobs, and an index row for each series."""
    entries = []
    for blob in packed:
        key = blobs.put(session, ref.workspace_id, blob.data)
        entries += dataset_blobs.add(session, ref, key, version, blob.rows)
    return entries


def tail(row: LastWindow) -> NDArray[np.float64]:
    """Return the last values of a series, as many as a forecast depends on; NaN marks a gap.

    Versions of before seasons of more than 512 steps were known hold 1,024 at most.
    """
    return np.frombuffer(row.tail, "<f8").astype(np.float64)


def read(
    session: Session, version: DatasetVersion, row: Series
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the times (ordinals) and values of one series, both (length,)."""
    ds, y = _unpack(session, version, row.blob)
    rows = slice(row.first_row, row.first_row + row.length)
    return ds[rows], y[rows]


def read_frame(session: Session, version: DatasetVersion, entries: Sequence[Entry]) -> SeriesFrame:
    """Return the frame of series that share one blob."""
    ds, y = _unpack(session, version, entries[0].blob)
    names = tuple(entry.unique_id for entry in entries)
    rows = np.concatenate([np.arange(entry.first_row, entry.first_row + entry.length) for entry in entries])
    offsets = np.cumsum([0, *(entry.length for entry in entries)])
    return SeriesFrame(TimeAxis.from_dict(version.axis), names, offsets, ds[rows], y[rows])


def read_values(session: Session, version: DatasetVersion, entries: Sequence[Entry]) -> NDArray[np.float64]:
    """Return the values of series end to end, in the order of their entries; read each blob once."""
    offsets = np.cumsum([0, *(entry.length for entry in entries)])
    values = np.empty(offsets[-1])
    for blob, numbers in by_blob(entries):
        y = _unpack(session, version, blob)[1]
        for i in numbers:
            first = entries[i].first_row
            values[offsets[i] : offsets[i + 1]] = y[first : first + entries[i].length]
    return values


def by_blob(entries: Sequence[Entry]) -> Iterator[tuple[int, list[int]]]:
    """Yield each blob with the positions of its entries."""
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
