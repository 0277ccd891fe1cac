"""Put values on the regular steps of their series, and merge further values into existing series."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints, Mask, rows_of
from app.intake.covariates import Cells
from app.intake.frame import SeriesFrame
from app.intake.problems import listed
from app.intake.time.axis import TimeAxis
from app.intake.time.steps import DAY, Step

Floats = NDArray[np.float64]
LEAST_VALUES = 1
MOST_STEPS = 100_000_000  # two arrays of 0.8 GB; more means that nearly all of it would be gaps
MOST_STEPS_A_ROW = 1_000
FAR_AWAY = "Look for times that are far away from the others."


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


@dataclass(frozen=True)
class StepValues:
    """Values sorted by series and step; NaN marks none, and each series has at least one."""

    series: Ints  # (rows,)
    number: Ints  # (rows,) steps from where the series begins
    begins: Ints  # (series,) the time of step 0
    y: Floats  # (rows,)


@dataclass(frozen=True)
class Merged:
    """Series with further values merged into them."""

    frame: SeriesFrame
    changed: Mask  # (series,)
    gaps: Mask  # (total,) steps that are new gaps
    appended: int
    corrected: int


def owners(offsets: Ints) -> Ints:
    """Return the series of each row."""
    return np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))


def counted(series: Ints, count: int) -> Ints:
    return np.bincount(series, minlength=count).astype(np.int64)


def off_step(ds: Ints, begins: Ints, step: Step) -> Mask:
    """Return which times are not a whole number of steps after the first time of their series."""
    wrong: Mask = ~step.fits(ds) | ((step.position(ds) - step.position(begins)) % step.size != 0)
    if step.keeps_clock:
        wrong |= (ds - begins) % DAY != 0
    return wrong


def fill(axis: TimeAxis, names: tuple[str, ...], values: StepValues) -> SeriesFrame:
    """Return every series from its first value to its last, with NaN at the steps without a value."""
    is_value = ~np.isnan(values.y)
    series, number = values.series[is_value], values.number[is_value]
    first = np.searchsorted(series, np.arange(len(names)))
    last = np.append(first[1:], len(series)) - 1
    lengths = number[last] - number[first] + 1
    offsets = np.append(0, np.cumsum(lengths))
    y = np.full(offsets[-1], np.nan)
    y[(offsets[:-1] - number[first])[series] + number] = values.y[is_value]
    starts = np.repeat(axis.step.shift(values.begins, number[first]), lengths)
    ds = axis.step.shift(starts, np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths))
    return SeriesFrame(axis, names, offsets, ds, y)


def with_zeros(frame: SeriesFrame) -> SeriesFrame:
    """Return series with 0 at each step without a value, up to the last time of all of them."""
    step, last = frame.axis.step, frame.ds[frame.offsets[1:] - 1]
    more = step.position(np.full(len(last), last.max())) - step.position(last)
    lengths = np.diff(frame.offsets)
    longer = lengths + more // step.size
    offsets = np.append(0, np.cumsum(longer))
    y = np.zeros(offsets[-1])
    at = np.arange(len(frame.y)) + np.repeat(offsets[:-1] - frame.offsets[:-1], lengths)
    y[at] = np.nan_to_num(frame.y)
    starts = np.repeat(frame.ds[frame.offsets[:-1]], longer)
    ds = step.shift(starts, np.arange(offsets[-1]) - np.repeat(offsets[:-1], longer))
    return SeriesFrame(frame.axis, frame.unique_ids, offsets, ds, y)


def grid_frame(axis: TimeAxis, points: Points) -> SeriesFrame:
    """Return new series on the axis' steps.

    Each has at least one value. Raises BadInput where nearly all steps would be gaps.
    """
    series, begins, step = points.series, points.begins, axis.step
    number = (step.position(points.ds) - step.position(begins)[series]) // step.size
    steps = int((number[points.offsets[1:] - 1] + 1).sum())
    refuse_vast(axis.frequency, steps, len(number), FAR_AWAY)
    return fill(axis, points.unique_ids, StepValues(series, number, begins, points.y))


def merge(old: SeriesFrame, points: Points) -> Merged:
    """Merge points into the series of the same names, on the steps that those have.

    A point replaces the value at its time; NaN removes it. Raises BadInput where a series would be left with
    no value, or where nearly all steps would be gaps.
    """
    step, begins = old.axis.step, old.ds[old.offsets[:-1]]
    lengths, series = np.diff(old.offsets), points.series
    number = (step.position(points.ds) - step.position(begins)[series]) // step.size
    beyond = (number < 0) | (number >= lengths[series])
    counts = beyond <= ~np.isnan(points.y)  # beyond a series there is no value to remove
    number, series, beyond, y = number[counts], series[counts], beyond[counts], points.y[counts]

    low, high = np.zeros_like(lengths), lengths - 1
    np.minimum.at(low, series, number)
    np.maximum.at(high, series, number)
    refuse_vast(old.axis.frequency, int((high - low + 1).sum()), len(old.y) + len(y), FAR_AWAY)
    offsets = np.append(0, np.cumsum(high - low + 1))
    zero = offsets[:-1] - low  # position of each old series' first step
    canvas = np.full(offsets[-1], np.nan)
    old_series = owners(old.offsets)
    canvas[(zero - old.offsets[:-1])[old_series] + np.arange(len(old.y))] = old.y
    at = zero[series] + number
    differs = ~((canvas[at] == y) | (np.isnan(canvas[at]) & np.isnan(y)))
    canvas[at] = y

    cell_series = owners(offsets)
    values = counted(cell_series[~np.isnan(canvas)], len(lengths))
    refuse_short(old.unique_ids, values, _left_short)
    steps = np.arange(len(canvas)) - zero[cell_series]
    frame = fill(old.axis, old.unique_ids, StepValues(cell_series, steps, begins, canvas))
    changed = counted(series[differs], len(lengths)) > 0
    return Merged(
        frame, changed, _new_gaps(old, frame), int(beyond.sum()), int(np.count_nonzero(differs & ~beyond))
    )


def refuse_vast(
    frequency: str | int, steps: int, rows: int, remedy: str, errors: Sequence[FieldError] = ()
) -> None:
    """Raise BadInput where nearly all steps would be gaps."""
    most = min(MOST_STEPS, MOST_STEPS_A_ROW * (1 + rows))
    if steps > most:
        raise BadInput(
            f"At frequency {frequency!r} these series would have {steps:,} steps for {rows:,} values,"
            f" and {most:,} is the most. {remedy}",
            errors,
        )


def refuse_short(names: tuple[str, ...], values: Ints, word: Callable[[list[str]], str]) -> None:
    """Raise BadInput if any series has no value; `values` (series,) counts them.

    `word` returns what to say of the short series.
    """
    short = [names[i] for i in np.flatnonzero(values < LEAST_VALUES)]
    if short:
        raise BadInput(f"Every series needs at least {LEAST_VALUES} value, and {word(short)}")


def _left_short(short: list[str]) -> str:
    return (
        f"with these rows {listed(short)} would have none. Send values in their place, or leave these rows"
        " out."
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
