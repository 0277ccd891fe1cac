"""Baseline forecasts, stored with a model for each series so that no request waits for these methods."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.db.queries.datasets import LastWindow
from app.services.datasets.panels import DatasetPanel
from models.panel import Floats

NAME_BYTES = 120  # roughly the memory of a name and its row


@dataclass(frozen=True, eq=False)
class BaselineForecasts:
    """`medians` (series, horizon) of each baseline, and the row of each series by name.

    A forecast is valid while its series is unchanged since `version`.
    """

    version: int
    rows: Mapping[str, int]
    medians: Mapping[str, Floats]

    @property
    def nbytes(self) -> int:
        """Return roughly their size in memory."""
        return len(self.rows) * NAME_BYTES + sum(values.nbytes for values in self.medians.values())

    def of(self, windows: Sequence[LastWindow]) -> Mapping[str, Floats]:
        """Return the medians (series, horizon) by method; NaN for a series that has none or has changed."""
        at = np.array([self._row(window) for window in windows])
        return {
            name: np.where((at >= 0)[:, None], values[at], np.nan) for name, values in self.medians.items()
        }

    def _row(self, window: LastWindow) -> int:
        return self.rows.get(window.unique_id, -1) if window.version <= self.version else -1


def table(dataset: DatasetPanel, medians: Mapping[str, Floats]) -> bytes:
    """Write the medians of all series as Parquet."""
    columns = {
        name: pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
        for name, values in medians.items()
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table({"unique_id": dataset.unique_ids, **columns}), buffer, compression="zstd")
    return buffer.getvalue()


def read(data: bytes, version: int) -> BaselineForecasts:
    """Read what `table` wrote for a version of a dataset."""
    stored = pq.read_table(io.BytesIO(data))
    names = stored["unique_id"].to_pylist()
    medians = {
        name: stored[name].combine_chunks().flatten().to_numpy().reshape(len(names), -1)
        for name in stored.column_names
        if name != "unique_id"
    }
    return BaselineForecasts(version, {name: row for row, name in enumerate(names)}, medians)
