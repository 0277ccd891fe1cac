"""Store and read series: Parquet blobs of whole series, and an index row for each series."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from app import blobs
from app.db.engine import DatasetRef, Session
from app.db.queries import dataset_blobs
from app.db.queries.datasets import Entry, LastWindow
from app.db.tables import DatasetVersion, Series
from app.intake.arrays import Ints
from app.intake.covariates import Covariate, Covariates, static_columns
from app.intake.frame import SeriesFrame
from app.intake.time.axis import TimeAxis
from app.services.datasets.series_blob import BlobRows, SeriesBlob, static_cells


def write(session: Session, ref: DatasetRef, version: int, packed: Iterable[SeriesBlob]) -> list[Entry]:
    """Store series under a version of a dataset: their blobs, and an index row for each series."""
    entries = []
    for blob in packed:
        key = blobs.put(session, ref.workspace_id, blob.data)
        entries += dataset_blobs.add(session, ref, key, version, blob.rows)
    return entries


def is_single(row: LastWindow) -> bool:
    """Return whether a series has a single value."""
    return len(row.tail) == np.dtype("<f8").itemsize


def tail(row: LastWindow) -> NDArray[np.float64]:
    """Return the last values of a series, as many as a forecast depends on; NaN marks a gap.

    Versions of before seasons of more than 512 steps were known hold 1,024 at most.
    """
    return np.frombuffer(row.tail, "<f8").astype(np.float64)


def columns_of(version: DatasetVersion) -> tuple[Covariate, ...]:
    """Return the columns beside the target of a version."""
    return tuple(Covariate(**column) for column in version.columns or ())


def read_frame(session: Session, version: DatasetVersion, entries: Sequence[Entry | Series]) -> SeriesFrame:
    """Return the frame of series that share one blob."""
    columns = columns_of(version)
    blob = BlobRows.unpack(_bytes(session, version, entries[0].blob), columns)
    first = np.array([entry.first_row for entry in entries], dtype=np.int64)
    lengths = np.array([entry.length for entry in entries], dtype=np.int64)
    ahead = np.array([entry.ahead for entry in entries], dtype=np.int64)
    rows, offsets = _rows(first, lengths)
    beside = None
    if columns:
        at, row_offsets = _rows(first, lengths + ahead)
        steps = {name: cells[at] for name, cells in blob.cells.items()}
        kept = [entry.static for entry in entries]
        static = {column.name: static_cells(column, kept) for column in static_columns(columns)}
        beside = Covariates(columns, row_offsets, steps, static)
    axis, names = TimeAxis.from_dict(version.axis), tuple(entry.unique_id for entry in entries)
    return SeriesFrame(axis, names, offsets, blob.ds[rows], blob.y[rows], beside)


def read_values(session: Session, version: DatasetVersion, entries: Sequence[Entry]) -> NDArray[np.float64]:
    """Return the values of series end to end, in the order of their entries; read each blob once."""
    offsets = np.cumsum([0, *(entry.length for entry in entries)])
    values = np.empty(offsets[-1])
    for blob, numbers in by_blob(entries):
        y = BlobRows.unpack(_bytes(session, version, blob), ()).y
        for i in numbers:
            first = entries[i].first_row
            values[offsets[i] : offsets[i + 1]] = y[first : first + entries[i].length]
    return values


def by_blob(entries: Sequence[Entry | Series]) -> Iterator[tuple[int, list[int]]]:
    """Yield each blob with the positions of its entries."""
    order = sorted(range(len(entries)), key=lambda i: entries[i].blob)
    for blob, numbers in groupby(order, key=lambda i: entries[i].blob):
        yield blob, list(numbers)


def _rows(first: Ints, lengths: Ints) -> tuple[Ints, Ints]:
    """Return the rows of series that begin at the rows `first`, end to end, and their offsets."""
    offsets = np.append(0, np.cumsum(lengths))
    return np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], lengths), offsets


def _bytes(session: Session, version: DatasetVersion, blob: int) -> bytes:
    key = dataset_blobs.key(session, DatasetRef(version.workspace_id, version.dataset_id), blob)
    return blobs.get(session, version.workspace_id, key)
