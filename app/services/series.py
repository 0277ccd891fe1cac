"""Series to stored bytes and back: Parquet blobs, whole series together, and an index row for each series."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app import blobs
from app.db.engine import Session
from app.db.tables import DatasetVersion, Series
from app.intake.frame import SeriesFrame
from models.config import HISTORY_LIMIT

ROWS_PER_BLOB = 20_000


@dataclass(frozen=True)
class Packed:
    """A run of series as one Parquet file, with the index row of each (blob number left open)."""

    data: bytes
    rows: list[dict[str, Any]]


def pack(frame: SeriesFrame) -> Iterator[Packed]:
    """Cut a frame into Parquet files of about ROWS_PER_BLOB rows; no series is split."""
    for first, last in _batches(frame.offsets):
        begin, end = frame.offsets[first], frame.offsets[last]
        table = pa.table({"ds": pa.array(frame.ds[begin:end]), "y": pa.array(frame.y[begin:end])})
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        yield Packed(buffer.getvalue(), [_index_row(frame, i, int(begin)) for i in range(first, last)])


def _batches(offsets: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield runs of series [first, last) that together reach ROWS_PER_BLOB rows, or are the rest."""
    first, count = 0, len(offsets) - 1
    while first < count:
        full = int(np.searchsorted(offsets, offsets[first] + ROWS_PER_BLOB))
        last = min(max(full, first + 1), count)
        yield first, last
        first = last


def _index_row(frame: SeriesFrame, i: int, blob_begin: int) -> dict[str, Any]:
    begin, end = int(frame.offsets[i]), int(frame.offsets[i + 1])
    values = frame.y[begin:end]
    return {
        "unique_id": frame.unique_ids[i],
        "first_row": begin - blob_begin,
        "length": end - begin,
        "observations": int(np.isfinite(values).sum()),
        "start": int(frame.ds[begin]),
        "end": int(frame.ds[end - 1]),
        "tail": values[-HISTORY_LIMIT:].astype("<f8").tobytes(),
    }


def tail(row: Series) -> NDArray[np.float64]:
    """Return the last values of a series, at most HISTORY_LIMIT, NaN for gaps."""
    return np.frombuffer(row.tail, "<f8").astype(np.float64)


def read(
    session: Session, version: DatasetVersion, row: Series
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return times (ordinals) and values of one series."""
    ds, y = _unpack(session, version, row.blob)
    rows = slice(row.first_row, row.first_row + row.length)
    return ds[rows], y[rows]


def read_all(session: Session, version: DatasetVersion) -> NDArray[np.float64]:
    """Return the values of every series end to end, in the order they were packed: by name."""
    parts = [_unpack(session, version, i)[1] for i in range(len(version.blob_keys))]
    return np.concatenate(parts)


def _unpack(
    session: Session, version: DatasetVersion, blob: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    data = blobs.get(session, version.workspace_id, version.blob_keys[blob])
    table = pq.read_table(io.BytesIO(data))
    return table["ds"].to_numpy(), table["y"].to_numpy()
