"""The bytes of a blob: the rows of whole series as Parquet, and the index row of each series.

The rows of a series are its steps and then those ahead, which have no value of the target. Beside the
target, each past or future column is one of numbers (NaN for none) or texts (null for none).
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.intake.arrays import Floats, Ints
from app.intake.covariates import Cells, Covariate, Covariates, is_filled, static_columns, step_columns
from app.intake.frame import SeriesFrame
from models.config import history_limit

TYPES = {"number": pa.float64(), "category": pa.string()}
TARGET = ["ds", "y"]
BESIDE = "beside "  # before the names of the other columns, which may be called ds or y as well

Static = dict[str, float | str | None]


@dataclass(frozen=True)
class SeriesBlob:
    """Series packed into one Parquet file, with the index row of each; it has no number yet."""

    data: bytes
    rows: list[dict[str, Any]]

    @classmethod
    def of(cls, frame: SeriesFrame) -> "SeriesBlob":
        """Pack series."""
        buffer = io.BytesIO()
        pq.write_table(_table(frame), buffer, compression="zstd")
        kept = history_limit(frame.axis.seasons.lengths)
        return cls(buffer.getvalue(), [_index_row(frame, i, kept) for i in range(len(frame.unique_ids))])


@dataclass(frozen=True)
class BlobRows:
    """The rows of a blob, or some of them."""

    ds: Ints  # (rows,) ordinals
    y: Floats  # (rows,)
    cells: Mapping[str, Cells]  # each (rows,)

    @classmethod
    def unpack(cls, data: bytes, columns: tuple[Covariate, ...]) -> "BlobRows":
        """Read the target from a blob, and the columns beside it."""
        beside = {column.name: f"{BESIDE}{column.name}" for column in step_columns(columns)}
        table = pq.read_table(io.BytesIO(data), columns=[*TARGET, *beside.values()])
        cells = {name: table[stored].to_numpy() for name, stored in beside.items()}
        return cls(table["ds"].to_numpy(), table["y"].to_numpy(), cells)


def static_cells(column: Covariate, kept: Sequence[Static | None]) -> Cells:
    """Return the cells of a static column, (series,), from what the index rows hold."""
    cells = column.empty(len(kept))
    for number, static in enumerate(kept):
        if static is not None and static.get(column.name) is not None:
            cells[number] = static[column.name]
    return cells


def shown_cells(cells: Cells) -> list[float | str | None]:
    """Return cells as JSON has them: null for none."""
    plain = zip(cells.tolist(), is_filled(cells).tolist(), strict=True)
    return [cell if filled else None for cell, filled in plain]


def _table(frame: SeriesFrame) -> pa.Table:
    """Return the rows of series end to end."""
    if frame.covariates is None:
        return pa.table({"ds": pa.array(frame.ds), "y": pa.array(frame.y)})
    lengths = np.diff(frame.offsets)
    at = np.arange(len(frame.y)) + np.repeat(frame.row_offsets[:-1] - frame.offsets[:-1], lengths)
    y = np.full(frame.row_offsets[-1], np.nan)
    y[at] = frame.y
    beside = {
        f"{BESIDE}{column.name}": pa.array(frame.covariates.steps[column.name], TYPES[column.kind])
        for column in step_columns(frame.columns)
    }
    return pa.table({"ds": pa.array(frame.row_ds), "y": pa.array(y), **beside})


def _index_row(frame: SeriesFrame, i: int, kept: int) -> dict[str, Any]:
    begin, end = int(frame.offsets[i]), int(frame.offsets[i + 1])
    values = frame.y[begin:end]
    return {
        "unique_id": frame.unique_ids[i],
        "first_row": int(frame.row_offsets[i]),
        "length": end - begin,
        "ahead": int(frame.ahead[i]),
        "observations": int(np.isfinite(values).sum()),
        "start": int(frame.ds[begin]),
        "end": int(frame.ds[end - 1]),
        "tail": values[-kept:].astype("<f8").tobytes(),
        "static": _static(frame.covariates, i),
    }


def _static(beside: Covariates | None, i: int) -> Static | None:
    if beside is None or not static_columns(beside.columns):
        return None
    return {name: shown_cells(cells[i : i + 1])[0] for name, cells in beside.static.items()}
