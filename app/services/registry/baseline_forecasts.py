"""What the simple methods said of every series when a model was trained: forecasts need not wait for them."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.db.queries.datasets import LastWindow
from app.services.datasets.panels import DatasetPanel
from models.panel import Floats

NAME_BYTES = 120  # about what a name and its place take in memory


@dataclass(frozen=True, eq=False)
class SimpleMedians:
    """`medians` (series, horizon) by method, with the place of each series by name.

    They hold for a series as it was in `version`: its index row is no younger.
    """

    version: int
    places: Mapping[str, int]
    medians: Mapping[str, Floats]

    @property
    def nbytes(self) -> int:
        """Bytes they take in memory."""
        return len(self.places) * NAME_BYTES + sum(values.nbytes for values in self.medians.values())

    def of(self, rows: Sequence[LastWindow]) -> Mapping[str, Floats]:
        """Return by method the medians of some series, NaN where they do not hold."""
        at = np.array([self._place(row) for row in rows])
        return {
            name: np.where((at >= 0)[:, None], values[at], np.nan) for name, values in self.medians.items()
        }

    def _place(self, row: LastWindow) -> int:
        return self.places.get(row.unique_id, -1) if row.version <= self.version else -1


def table(dataset: DatasetPanel, medians: Mapping[str, Floats]) -> bytes:
    """Write medians of every series as Parquet."""
    columns = {
        name: pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
        for name, values in medians.items()
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table({"unique_id": dataset.unique_ids, **columns}), buffer, compression="zstd")
    return buffer.getvalue()


def read(data: bytes, version: int) -> SimpleMedians:
    """Read what `table` wrote of a version's series."""
    stored = pq.read_table(io.BytesIO(data))
    names = stored["unique_id"].to_pylist()
    medians = {
        name: stored[name].combine_chunks().flatten().to_numpy().reshape(len(names), -1)
        for name in stored.column_names
        if name != "unique_id"
    }
    return SimpleMedians(version, {name: place for place, name in enumerate(names)}, medians)
