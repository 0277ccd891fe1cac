"""One cell of each column beside the target for each time, where several rows stand for it."""

from dataclasses import dataclass, replace

import numpy as np

from app.intake.arrays import Ints, Mask
from app.intake.columns.coded import Column, Floats
from app.intake.rows import combined
from app.schemas.choices import Duplicates

MOSTLY = 1 / 2  # of the times


@dataclass(frozen=True)
class Repeats:
    """Rows sorted by series and time, and which of them stand for the same time as the next."""

    rows: Ints  # (rows,) of the upload
    again: Mask  # (rows,)
    duplicates: Duplicates | None  # what becomes of them

    def settle(self, column: Column) -> Column:
        """Return a column with one cell for each time: numbers take the mean, or the last; texts the last.

        A category that mostly differs among the rows of one time is in trouble.
        """
        cells = column.cells[self.rows % len(column.cells)]  # several targets repeat the rows
        if not self.again.any():
            return replace(column, cells=cells)
        if column.texts is None and self.duplicates != "last":
            return replace(column, cells=self._mean(np.asarray(cells, dtype=np.float64)))
        settled = replace(column, cells=cells[~self.again])
        different = np.count_nonzero(np.diff(cells)[self.again[:-1]])
        if column.texts is not None and different > MOSTLY * len(settled.cells):
            return replace(settled, trouble="differs among the rows of one time")
        return settled

    def _mean(self, cells: Floats) -> Floats:
        """Return the mean for each time; of equal numbers that number, which a division may miss."""
        starts = np.flatnonzero(~np.append(False, self.again[:-1]))
        low, high = np.fmin.reduceat(cells, starts), np.fmax.reduceat(cells, starts)
        return np.where(low == high, low, combined(cells, self.again, "mean"))
