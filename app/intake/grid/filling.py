"""Put values on the regular steps of their series."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Floats, Ints
from app.intake.covariates import (
    Cells,
    Covariate,
    Covariates,
    any_filled,
    spread,
    static_columns,
    step_columns,
)
from app.intake.frame import SeriesFrame
from app.intake.grid.points import Points
from app.intake.time.axis import TimeAxis

LEAST_VALUES = 1
MOST_STEPS = 100_000_000  # two arrays of 0.8 GB; more means that nearly all of it would be gaps
MOST_STEPS_A_ROW = 1_000
FAR_AWAY = "Look for times that are far away from the others."
NOTHING: Mapping[str, Cells] = MappingProxyType({})


@dataclass(frozen=True)
class StepValues:
    """Values sorted by series and step; NaN marks none, and each series has at least one.

    `cells` are those of columns beside the target, with or without a value in their row.
    """

    series: Ints  # (rows,)
    number: Ints  # (rows,) steps from where the series begins
    begins: Ints  # (series,) the time of step 0
    y: Floats  # (rows,)
    cells: Mapping[str, Cells] = field(default_factory=dict)  # each (rows,)


def fill(
    axis: TimeAxis,
    names: tuple[str, ...],
    values: StepValues,
    columns: tuple[Covariate, ...] = (),
    static: Mapping[str, Cells] = NOTHING,
) -> SeriesFrame:
    """Return every series from its first value to its last, with NaN at the steps without a value.

    Cells before the first value are left out, and those after the last are ahead. Of `columns`, those that
    neither `values` nor `static` hold are without a cell.
    """
    series, number, filled = values.series, values.number, values.y
    if (is_gap := np.isnan(filled)).any():
        series, number, filled = series[~is_gap], number[~is_gap], filled[~is_gap]
    first = np.searchsorted(series, np.arange(len(names)))
    last = np.append(first[1:], len(series)) - 1
    lengths = number[last] - number[first] + 1
    offsets = np.append(0, np.cumsum(lengths))
    y = np.full(offsets[-1], np.nan)
    y[(offsets[:-1] - number[first])[series] + number] = filled
    since = np.arange(offsets[-1])
    since -= np.repeat(offsets[:-1], lengths)
    ds = axis.step.shift(np.repeat(axis.step.shift(values.begins, number[first]), lengths), since)
    beside = _beside(values, number[first], lengths, columns, static) if columns else None
    return SeriesFrame(axis, names, offsets, ds, y, beside)


def _beside(
    values: StepValues,
    first: Ints,
    lengths: Ints,
    columns: tuple[Covariate, ...],
    static: Mapping[str, Cells],
) -> Covariates:
    """Return the columns of series that begin at the steps `first` and have these lengths."""
    number = values.number - first[values.series]
    kept = any_filled(values.cells, len(number)) & (number >= 0)
    series, number = values.series[kept], number[kept]
    reach = lengths.copy()
    np.maximum.at(reach, series, number + 1)
    offsets = np.append(0, np.cumsum(reach))
    cells = {name: column[kept] for name, column in values.cells.items()}
    return Covariates(
        columns,
        offsets,
        spread(step_columns(columns), cells, offsets[series] + number, int(offsets[-1])),
        spread(static_columns(columns), static, np.arange(len(lengths)), len(lengths)),
    )


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
    beside = frame.covariates and frame.covariates.covering(longer)
    return SeriesFrame(frame.axis, frame.unique_ids, offsets, ds, y, beside)


def grid_frame(axis: TimeAxis, points: Points, columns: tuple[Covariate, ...] = ()) -> SeriesFrame:
    """Return new series on the axis' steps, with these columns beside the target.

    Each has at least one value. Raises BadInput where nearly all steps would be gaps.
    """
    series, begins, step = points.series, points.begins, axis.step
    number = (step.position(points.ds) - step.position(begins)[series]) // step.size
    steps = int((number[points.offsets[1:] - 1] + 1).sum())
    refuse_vast(axis.frequency, steps, len(number), FAR_AWAY)
    values = StepValues(series, number, begins, points.y, points.cells)
    return fill(axis, points.unique_ids, values, columns, points.static)


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
