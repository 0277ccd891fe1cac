"""Export observations as a table: a row for each step of each series, with the columns beside the target."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.auth import Principal
from app.db.engine import Database, Session
from app.db.queries import datasets as queries
from app.db.tables import DatasetVersion, Series
from app.errors import VersionGone
from app.intake.covariates import Cells, Covariate
from app.intake.frame import SeriesFrame
from app.intake.time.axis import TimeAxis
from app.services.datasets import catalog
from app.services.datasets import series_store as store
from app.services.shared.table_files import ZONE, table_parts

PAGE_SERIES, PAGE_ROWS = 250, 200_000  # that are held in memory until the caller has read them
OWN_NAMES = ("unique_id", "ds", "y")


@dataclass(frozen=True)
class Export:
    """The table of a version of a dataset, or of one series of it."""

    version: DatasetVersion
    unique_id: str | None

    def parts(self, database: Database, media_type: str, *, quote_formulas: bool) -> Iterator[bytes]:
        """Yield the table in parts. Each page is read in a short transaction of its own.

        Raises BadInput as `table_parts` does, VersionGone where the version is dropped meanwhile.
        """
        schema = self._schema()
        batches = (_batch(frame, schema) for frame in self._frames(database))
        return table_parts(media_type, schema, batches, quote_formulas=quote_formulas)

    def _schema(self) -> pa.Schema:
        axis = TimeAxis.from_dict(self.version.axis)
        zone = {ZONE: axis.timezone} if axis.timezone else None
        times = pa.string() if axis.kind == "datetime" else pa.int64()
        own = [("unique_id", pa.string()), pa.field("ds", times, metadata=zone), ("y", pa.float64())]
        columns = store.columns_of(self.version)
        names = _distinct([column.name for column in columns])
        kinds = {"number": pa.float64(), "category": pa.string()}
        return pa.schema(
            [*own, *((name, kinds[column.kind]) for name, column in zip(names, columns, strict=True))]
        )

    def _frames(self, database: Database) -> Iterator[SeriesFrame]:
        after = None
        while True:
            with database.read() as session:
                rows = self._page(session, after)
                frame = _frame(session, self.version, rows) if rows else None
                self._require_version(session)
            if frame is None:
                return
            yield frame
            after = rows[-1].unique_id

    def _require_version(self, session: Session) -> None:
        found = self.version
        if queries.version(session, found.workspace_id, found.dataset_id, found.version) is None:
            raise VersionGone(
                f"Version {found.version} of dataset {found.dataset_id} was dropped. Ask again."
            )

    def _page(self, session: Session, after: str | None) -> list[Series]:
        """Return the next index rows, by name: at least one while there are any."""
        if self.unique_id is not None:
            return [] if after else catalog.named_series(session, self.version, [self.unique_id])
        rows = queries.series_page(session, self.version, PAGE_SERIES, after)
        steps = np.cumsum([row.length + row.ahead for row in rows])
        return rows[: max(1, int(np.searchsorted(steps, PAGE_ROWS, side="right")))]


def find(session: Session, principal: Principal, dataset_id: str, unique_id: str | None) -> Export:
    """Return the export of a dataset's newest version. Raises NotFound if it or the series does not exist."""
    _, version = catalog.find(session, principal, dataset_id)
    if unique_id is not None:
        catalog.named_series(session, version, [unique_id])
    return Export(version, unique_id)


def _distinct(names: list[str]) -> list[str]:
    """Return the names of columns; those that are taken by the table's own get underscores."""
    taken = {*OWN_NAMES, *names}
    found = []
    for name in names:
        other = name
        while other in OWN_NAMES or (other != name and other in taken):
            other += "_"
        taken.add(other)
        found.append(other)
    return found


def _frame(session: Session, version: DatasetVersion, rows: list[Series]) -> SeriesFrame:
    """Return the frame of series, which several blobs may hold, by name."""
    blobs = [[rows[i] for i in numbers] for _, numbers in store.by_blob(rows)]
    frame = reduce(SeriesFrame.join, (store.read_frame(session, version, some) for some in blobs))
    return frame.take(np.argsort(np.array(frame.unique_ids, dtype=object), kind="stable"))


def _batch(frame: SeriesFrame, schema: pa.Schema) -> pa.RecordBatch:
    lengths = np.diff(frame.row_offsets)
    series = np.repeat(np.arange(len(lengths)), lengths)
    at = np.arange(len(frame.y)) + np.repeat(
        frame.row_offsets[:-1] - frame.offsets[:-1], np.diff(frame.offsets)
    )
    y = np.full(frame.row_offsets[-1], np.nan)
    y[at] = frame.y
    columns = [_cells(frame, column, series) for column in frame.columns]
    arrays = [
        pa.array(frame.unique_ids, pa.string()).take(series),
        pa.array(frame.axis.format(frame.row_ds), schema.field("ds").type),
        _array(y),
        *map(_array, columns),
    ]
    return pa.record_batch(arrays, schema=schema)


def _cells(frame: SeriesFrame, column: Covariate, series: NDArray[np.int64]) -> Cells:
    if frame.covariates is None:  # then it has no columns
        raise AssertionError(column)
    if column.role == "static":
        static: Cells = frame.covariates.static[column.name][series]
        return static
    return frame.covariates.steps[column.name]


def _array(cells: Cells) -> pa.Array:
    """Return cells as Arrow has them, with null for no value."""
    return pa.array(cells, pa.string() if cells.dtype == np.object_ else pa.float64(), from_pandas=True)
