"""Values at single times, to be put on the steps of their series or merged into them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.intake.arrays import Ints, Mask, rows_of
from app.intake.covariates import Cells, any_filled
from app.intake.time.steps import DAY, Step

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """Values of many series at single times; NaN marks no value, or one to remove.

    Series i owns rows offsets[i] to offsets[i + 1] of `ds`, `y` and `cells`, sorted by time, without repeats.
    A column beside the target that was not sent is in neither mapping.
    """

    unique_ids: tuple[str, ...]  # (series,), sorted
    offsets: Ints  # (series + 1,)
    ds: Ints  # (rows,) ordinals
    y: Floats  # (rows,)
    cells: Mapping[str, Cells] = field(default_factory=dict)  # each (rows,): past and future columns
    static: Mapping[str, Cells] = field(default_factory=dict)  # each (series,)

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

    def take(self, series: Ints) -> "Points":
        """Return some of the series, in the given order."""
        rows, offsets = rows_of(self.offsets, series)
        cells = {name: column[rows] for name, column in self.cells.items()}
        static = {name: column[series] for name, column in self.static.items()}
        names = tuple(self.unique_ids[i] for i in series)
        return Points(names, offsets, self.ds[rows], self.y[rows], cells, static)


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
