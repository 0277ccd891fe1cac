"""Where rows stand among the steps of their series, and how a column is laid on these steps."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.intake.arrays import Floats, Ints, Mask
from app.intake.columns.coded import Column
from app.intake.covariates import Cells
from app.intake.problems import Place, refuse_rows


@dataclass(frozen=True)
class Places:
    """Rows sorted by series and step, one for each time; every series has at least one."""

    series: Ints  # (rows,)
    since: Ints  # (rows,) steps since the first value of the series, negative before it
    lengths: Ints  # (series,) steps of the target
    y: Floats  # (rows,)

    @property
    def count(self) -> int:
        """The number of series."""
        return len(self.lengths)

    @cached_property
    def starts(self) -> Ints:
        """The first row of each series."""
        return np.searchsorted(self.series, np.arange(self.count))

    @cached_property
    def before(self) -> Mask:
        """Which rows stand before the first value of their series."""
        early: Mask = self.since < 0
        return early

    @cached_property
    def ahead(self) -> Mask:
        """Which rows stand after the target's end."""
        late: Mask = self.since >= self.lengths[self.series]
        return late

    @cached_property
    def inside(self) -> Mask:
        """Which rows stand among the steps of the target."""
        return ~(self.before | self.ahead)

    def counted(self, rows: Mask) -> Ints:
        """Return the number of some rows in each series."""
        return np.bincount(self.series[rows], minlength=self.count).astype(np.int64)

    def reach(self, rows: Mask) -> Ints:
        """Return how many steps ahead of the target's end some rows reach; shape (series,)."""
        reached = np.zeros(self.count, dtype=np.int64)
        series = self.series[rows]
        np.maximum.at(reached, series, self.since[rows] + 1 - self.lengths[series])
        return reached

    def lay(self, column: Column, ahead: Ints, *, ends: bool) -> Cells:
        """Return the cells on the steps of all series, and on `ahead` (series,) steps after the target's end.

        A column that `ends` with the target is empty there.
        """
        steps = self.lengths + ahead
        held = self.lengths if ends else steps
        rows = np.flatnonzero(~self.before & (self.since < held[self.series]))
        offsets = np.append(0, np.cumsum(steps))
        return _scattered(column, rows, offsets[self.series[rows]] + self.since[rows], int(offsets[-1]))


def first_of_each(column: Column, series: Ints, count: int) -> tuple[Cells, Ints]:
    """Return the first cell of each of `count` series that is not empty, and the rows with another one.

    `series` (rows,) is sorted.
    """
    filled = np.flatnonzero(column.is_filled)
    first = filled[np.flatnonzero(np.diff(series[filled], prepend=-1))]
    of_series = np.full(count, -1, dtype=np.int64)
    of_series[series[first]] = first
    others = filled[column.cells[filled] != column.cells[of_series[series[filled]]]]
    return _scattered(column, first, series[first], count), others


def static_cells(column: Column, series: Ints, count: int, rows: Ints, place: Place) -> Cells:
    """Return the cell of each series; raises BadInput naming the rows where one has several."""
    cells, others = first_of_each(column, series, count)
    if len(others):
        name, shown = column.candidate.name, column.shown()
        wrong = dict(zip(rows[others].tolist(), others.tolist(), strict=True))
        raise refuse_rows(
            place,
            name,
            np.sort(rows[others]),
            lambda row: f"{str(shown[wrong[row]])[:40]!r} is another value than in the rows before",
            f"Column {name!r} is static, one value for each series, and some series have several; correct"
            " these rows, or name it by past_columns or future_columns",
        )
    return cells


def _scattered(column: Column, rows: Ints, at: Ints, count: int) -> Cells:
    """Return `count` cells, empty but for those of `rows`, which go to `at`."""
    if column.texts is None:
        numbers = np.full(count, np.nan)
        numbers[at] = column.cells[rows]
        return numbers
    codes = np.full(count, -1, dtype=np.int64)
    codes[at] = column.cells[rows]
    texts: Cells = np.array([*column.texts, None], dtype=object)[codes]
    return texts
