"""Store and read backtests: one Parquet table of rows, and one of measures for each series.

The columns are those of statsforecast's cross-validation: for each method NAME its median in NAME and its
bounds in NAME-lo-80, NAME-hi-80 and so on. Times are ordinals of the dataset's axis. Equal backtests
produce equal bytes, so equal hashes mean equal backtests.
"""

import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app import blobs
from app.db.engine import Session
from app.db.tables import Model
from app.services.datasets.panels import DatasetPanel
from models.evaluation.backtest import Backtest
from models.methods.forecast import Forecast

if TYPE_CHECKING:
    import pandas as pd  # which the worker, who reads no table, does without


def row_table(dataset: DatasetPanel, backtest: Backtest) -> bytes:
    """Return the table of rows as bytes: one for each window and step, sorted by series, cutoff and step."""
    held_out = backtest.held_out
    order = np.lexsort((-held_out.cut, held_out.series))
    series, step = held_out.series[order], dataset.axis.step
    length = dataset.panel.lengths[series] - held_out.cut[order] * held_out.stride - held_out.horizon
    cutoffs = step.shift(dataset.starts[series], length - 1).repeat(held_out.horizon)
    steps = np.tile(np.arange(1, held_out.horizon + 1), len(held_out))
    columns: dict[str, NDArray[np.generic]] = {
        "unique_id": dataset.unique_ids[series].repeat(held_out.horizon),
        "cutoff": cutoffs,
        "ds": step.shift(cutoffs, steps),
        "step": steps,
        "y": held_out.target[order].ravel(),
        "scale": held_out.scale[order].repeat(held_out.horizon),
        "root_scale": held_out.root_scale[order].repeat(held_out.horizon),
    }
    for name, forecast in backtest.forecasts.items():
        columns |= {
            column: values[order].ravel() for column, values in _wide(name, forecast, backtest.levels)
        }
    return _to_bytes(pa.table(columns))


def series_table(dataset: DatasetPanel, backtest: Backtest) -> bytes:
    """Return the table of measures as bytes: a row for each series and method, over all windows and steps."""
    names = dataset.unique_ids[backtest.held_out.tested]
    rows = [
        {"unique_id": name, "method": method, **_flat(asdict(measures))}
        for method in backtest.forecasts
        for name, measures in zip(names, backtest.measures_by_series(method), strict=True)
    ]
    return _to_bytes(pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["unique_id"]))))


def read_rows(session: Session, model: Model, columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """Return the rows of a model's backtest, or some of their columns."""
    return _pandas(_read(session, model, model.backtest_key, columns))


def read_series(session: Session, model: Model) -> "pd.DataFrame":
    """Return the measures for each series of a model's backtest."""
    return _pandas(_read(session, model, model.series_key))


def row_slice(session: Session, model: Model, first: int, count: int) -> tuple[list[dict[str, Any]], int]:
    """Return up to `count` rows of a model's backtest from the row `first` on, and the number of all rows.

    It uses no data frame, which would cost more than the rest of a page.
    """
    table = _read(session, model, model.backtest_key)
    return table.slice(first, count).to_pylist(), len(table)


def rows_of(session: Session, model: Model, unique_id: str) -> list[dict[str, Any]]:
    """Return the rows of one series in a model's backtest, by cutoff and step."""
    table = _read(session, model, model.backtest_key)
    rows: list[dict[str, Any]] = table.filter(pc.equal(table["unique_id"], unique_id)).to_pylist()
    return rows


def series_slice(session: Session, model: Model, first: int, count: int) -> tuple[list[dict[str, Any]], int]:
    """Return the measures of up to `count` series from number `first` on, and the number of all series."""
    table = _read(session, model, model.series_key)
    names = table["unique_id"].to_numpy()  # sorted, each once for each method
    begins = np.append(np.flatnonzero(np.append(True, names[1:] != names[:-1])), len(names))
    begin, end = (int(begins[min(at, len(begins) - 1)]) for at in (first, first + count))
    return table.slice(begin, end - begin).to_pylist(), len(begins) - 1


def _wide(name: str, forecast: Forecast, levels: Sequence[int]) -> list[tuple[str, NDArray[np.float64]]]:
    bounds = [
        (f"{name}-{side}-{level}", values[level])
        for level in levels
        for side, values in (("lo", forecast.lo), ("hi", forecast.hi))
    ]
    return [(name, forecast.median), *bounds]


def _flat(measures: dict[str, object]) -> dict[str, object]:
    coverage = measures.pop("coverage")
    assert isinstance(coverage, dict)  # noqa: S101  # the shape of the core's own measures
    return measures | {f"coverage-{level}": share for level, share in coverage.items()}


def _to_bytes(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _read(session: Session, model: Model, key: str | None, columns: Sequence[str] | None = None) -> pa.Table:
    assert key is not None  # noqa: S101  # callers have checked that there is a backtest
    data = blobs.get(session, model.workspace_id, key)
    # Without threads: passing small columns to them costs more than reading these.
    wanted = None if columns is None else list(columns)
    return pq.read_table(io.BytesIO(data), columns=wanted, use_threads=False)


def _pandas(table: pa.Table) -> "pd.DataFrame":
    frame: pd.DataFrame = table.to_pandas()
    return frame
