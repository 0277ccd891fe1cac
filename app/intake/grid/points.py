"""Values at single times, to be put on the steps of their series or merged into them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from app.intake.arrays import Floats, Ints, Mask, rows_of
from app.intake.covariates import Cells, any_filled, is_filled
from app.intake.time.steps import DAY, Step


@dataclass(frozen=True)
class Points:
    """Values of many series at single times; NaN marks no value, or one to remove.

    Series i owns rows offsets[i] to offsets[i + 1] of `ds`, `y` and `cells`, sorted by time, without repeats.
    A column beside the target that was not sent is in neither mapping; one that some rows lack leaves theirs
    as they are stored, where `left` says so.
    """

    unique_ids: tuple[str, ...]  # (series,), sorted
    offsets: Ints  # (series + 1,)
    ds: Ints  # (rows,) ordinals
    y: Floats  # (rows,)
    cells: Mapping[str, Cells] = field(default_factory=dict)  # each (rows,): past and future columns
    static: Mapping[str, Cells] = field(default_factory=dict)  # each (series,)
    left: Mapping[str, Mask] = field(default_factory=dict)  # as the cells of its column

    @property
    def series(self) -> Ints:
        """Return the series of each row."""
        return owners(self.offsets)

    @property
    def begins(self) -> Ints:
        """Return the first time of each series."""
        return self.ds[self.offsets[:-1]]

    @property
    def says_something(self) -> Mask:
        """Return which rows have a value or a cell."""
        return ~np.isnan(self.y) | any_filled(self.cells, len(self.y))

    def values(self) -> Ints:
        """Return the number of values of each series."""
        return counted(self.series[~np.isnan(self.y)], len(self.unique_ids))

    def column(self, name: str) -> Cells:
        """Return the cells of a column that was sent, (rows,), or (series,) of a static one."""
        return self.static[name] if name in self.static else self.cells[name]

    def sent_in(self, lacking: Mapping[str, Mask]) -> "Points":
        """Return the points, some rows of which lack a column, each (rows,): their cells are left."""
        left = {}
        for name, rows in lacking.items():
            mask = np.logical_and.reduceat(rows, self.offsets[:-1]) if name in self.static else rows
            left[name] = mask & ~is_filled(self.column(name))
        return replace(self, left=left)

    def take(self, series: Ints) -> "Points":
        """Return some of the series, in the given order."""
        rows, offsets = rows_of(self.offsets, series)
        cells = {name: column[rows] for name, column in self.cells.items()}
        static = {name: column[series] for name, column in self.static.items()}
        left = {name: mask[series if name in static else rows] for name, mask in self.left.items()}
        names = tuple(self.unique_ids[i] for i in series)
        return Points(names, offsets, self.ds[rows], self.y[rows], cells, static, left)


def owners(offsets: Ints) -> Ints:
    """Return the series of each row."""
    return np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))


def counted(series: Ints, count: int) -> Ints:
    """Return how often each of `count` series occurs."""
    return np.bincount(series, minlength=count).astype(np.int64)


def off_step(ds: Ints, begins: Ints, step: Step) -> Mask:
    """Return which times are not a whole number of steps after the first time of their series."""
    wrong: Mask = ~step.fits(ds) | ((step.position(ds) - step.position(begins)) % step.size != 0)
    if step.keeps_clock:
        wrong |= (ds - begins) % DAY != 0
    return wrong
