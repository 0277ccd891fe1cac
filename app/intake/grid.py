"""Values at times become series on a regular grid, and further values are laid into those that are there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInput
from app.intake.arrays import Ints, Mask
from app.intake.frame import SeriesFrame, rows_of
from app.intake.problems import listed
from app.intake.time.axis import TimeAxis
from app.intake.time.steps import DAY, Step

Floats = NDArray[np.float64]
LEAST_VALUES = 2
MOST_STEPS = 100_000_000  # two arrays of 0.8 GB; more means that nearly all of it would be gaps
MOST_STEPS_A_ROW = 1_000


@dataclass(frozen=True)
class Points:
    """Values of many series at single times; NaN where there is none, or none any more.

    Series i owns rows offsets[i] to offsets[i + 1] of `ds` and `y`, by time, each time once.
    """

    unique_ids: tuple[str, ...]  # (series,), sorted
    offsets: Ints  # (series + 1,)
    ds: Ints  # (rows,) ordinals
    y: Floats  # (rows,)

    @property
    def series(self) -> Ints:
        """The series of each row."""
        return owners(self.offsets)

    @property
    def begins(self) -> Ints:
        """The first time of each series."""
        return self.ds[self.offsets[:-1]]

    def values(self) -> Ints:
        """How many values each series has."""
        return counted(self.series[~np.isnan(self.y)], len(self.unique_ids))

    def take(self, series: Ints) -> "Points":
        """Some of the series, in the order given."""
        rows, offsets = rows_of(self.offsets, series)
        return Points(tuple(self.unique_ids[i] for i in series), offsets, self.ds[rows], self.y[rows])


@dataclass(frozen=True)
class Cells:
    """Values by series and step, in that order; NaN where there is none, and one at least in each series."""

    series: Ints  # (rows,)
    number: Ints  # (rows,) steps from where the series begins
    begins: Ints  # (series,) the time of step 0
    y: Floats  # (rows,)


@dataclass(frozen=True)
class Merged:
    """Series with further values laid into them."""

    frame: SeriesFrame
    changed: Mask  # (series,)
    gaps: Mask  # (total,) steps without a value that had one, or were not there
    appended: int
    corrected: int


def owners(offsets: Ints) -> Ints:
    """The series that each row belongs to."""
    return np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))


def counted(series: Ints, count: int) -> Ints:
    return np.bincount(series, minlength=count).astype(np.int64)


def off_step(ds: Ints, begins: Ints, step: Step) -> Mask:
    """The times that the step does not reach from the beginning of their series."""
    wrong: Mask = ~step.fits(ds) | ((step.position(ds) - step.position(begins)) % step.size != 0)
    if step.keeps_clock:
        wrong |= (ds - begins) % DAY != 0
    return wrong


def fill(axis: TimeAxis, names: tuple[str, ...], cells: Cells) -> SeriesFrame:
    """Every series from its first value to its last, NaN at the steps without one."""
    there = ~np.isnan(cells.y)
    series, number = cells.series[there], cells.number[there]
    first = np.searchsorted(series, np.arange(len(names)))
    last = np.append(first[1:], len(series)) - 1
    lengths = number[last] - number[first] + 1
    offsets = np.append(0, np.cumsum(lengths))
    y = np.full(offsets[-1], np.nan)
    y[(offsets[:-1] - number[first])[series] + number] = cells.y[there]
    starts = np.repeat(axis.step.shift(cells.begins, number[first]), lengths)
    ds = axis.step.shift(starts, np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths))
    return SeriesFrame(axis, names, offsets, ds, y)


def grid_frame(axis: TimeAxis, points: Points) -> SeriesFrame:
    """New series; their times take the axis' steps, and each has two values at least."""
    series, begins, step = points.series, points.begins, axis.step
    number = (step.position(points.ds) - step.position(begins)[series]) // step.size
    refuse_vast(axis, int((number[points.offsets[1:] - 1] + 1).sum()), len(number))
    return fill(axis, points.unique_ids, Cells(series, number, begins, points.y))


def merge(old: SeriesFrame, points: Points) -> Merged:
    """Lay points into the series of the same names; their times take the axis' steps from where those begin.

    A point puts its value in place of the one at its time, and NaN takes that away. BadInput where a series
    would be left with fewer than two values.
    """
    step, begins = old.axis.step, old.ds[old.offsets[:-1]]
    lengths, series = np.diff(old.offsets), points.series
    number = (step.position(points.ds) - step.position(begins)[series]) // step.size
    beyond = (number < 0) | (number >= lengths[series])
    counts = beyond <= ~np.isnan(points.y)  # where nothing was, there is nothing to take away
    number, series, beyond, y = number[counts], series[counts], beyond[counts], points.y[counts]

    low, high = np.zeros_like(lengths), lengths - 1
    np.minimum.at(low, series, number)
    np.maximum.at(high, series, number)
    refuse_vast(old.axis, int((high - low + 1).sum()), len(old.y) + len(y))
    offsets = np.append(0, np.cumsum(high - low + 1))
    zero = offsets[:-1] - low  # where on the canvas the first step of each old series lies
    canvas = np.full(offsets[-1], np.nan)
    old_series = owners(old.offsets)
    canvas[(zero - old.offsets[:-1])[old_series] + np.arange(len(old.y))] = old.y
    at = zero[series] + number
    differs = ~((canvas[at] == y) | (np.isnan(canvas[at]) & np.isnan(y)))
    canvas[at] = y

    cell_series = owners(offsets)
    _refuse_short(old.unique_ids, counted(cell_series[~np.isnan(canvas)], len(lengths)))
    steps = np.arange(len(canvas)) - zero[cell_series]
    frame = fill(old.axis, old.unique_ids, Cells(cell_series, steps, begins, canvas))
    changed = counted(series[differs], len(lengths)) > 0
    return Merged(
        frame, changed, _new_gaps(old, frame), int(beyond.sum()), int(np.count_nonzero(differs & ~beyond))
    )


def refuse_vast(axis: TimeAxis, steps: int, rows: int) -> None:
    """BadInput where nearly all steps would be gaps."""
    most = min(MOST_STEPS, MOST_STEPS_A_ROW * (1 + rows))
    if steps > most:
        raise BadInput(
            f"At frequency {axis.frequency!r} these series would have {steps:,} steps for {rows:,} values,"
            f" and {most:,} is the most. Look for times that are far away from the others."
        )


def _refuse_short(names: tuple[str, ...], values: Ints) -> None:
    short = [names[i] for i in np.flatnonzero(values < LEAST_VALUES)]
    if short:
        raise BadInput(
            f"Every series needs at least {LEAST_VALUES} values, and with these rows {listed(short)} would"
            " have fewer. Send values in their place, or leave these rows out."
        )


def _new_gaps(old: SeriesFrame, new: SeriesFrame) -> Mask:
    step = old.axis.step
    ahead = step.position(new.ds[new.offsets[:-1]]) - step.position(old.ds[old.offsets[:-1]])
    gaps, series = np.flatnonzero(np.isnan(old.y)), owners(old.offsets)
    series = series[gaps]
    number = gaps - old.offsets[series] - ahead[series] // step.size
    inside = (number >= 0) & (number < np.diff(new.offsets)[series])
    fresh = np.isnan(new.y)
    fresh[new.offsets[series[inside]] + number[inside]] = False
    return fresh
