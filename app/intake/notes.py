"""What an upload holds that its owner should know of: nothing is changed for it, and a parameter may be."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from app.intake.arrays import Floats
from app.intake.frame import SeriesFrame
from app.intake.options import ReadOptions
from app.intake.problems import listed
from app.schemas.choices import Limits

SENTINELS = tuple(sign * value for value in (99.0, 999.0, 9999.0, 99999.0) for sign in (-1.0, 1.0))
EXACT = 2**53  # below which floats hold every whole number
AT_BOUND = 0.02  # share of values at an upper bound that shows one
PERCENT = 100.0
LONG_BEFORE = 0.1  # share of the whole span by which a series ends early


def notes_of(frame: SeriesFrame, options: ReadOptions) -> list[str]:
    """Return a sentence for each thing that is odd about the series."""
    return [
        *_sentinels(frame.y),
        *(note for name, cells in _numbers_beside(frame) for note in _sentinels(cells, name)),
        *_bounds(frame, options),
        *_ended(frame),
        *_rounded(frame.y),
        *(note for name, cells in _numbers_beside(frame) for note in _rounded(cells, name)),
        *([_SHARES] if _may_be_shares(frame.y, options.limits) else []),
        *limit_notes(frame.y, options.limits),
    ]


def _numbers_beside(frame: SeriesFrame) -> Iterator[tuple[str, Floats]]:
    """Yield the name and the cells of each column of numbers beside the target."""
    if (found := frame.covariates) is not None:
        for column in found.columns:
            if column.kind == "number":
                of = found.static if column.role == "static" else found.steps
                yield column.name, of[column.name].astype(np.float64)


def _sentinels(cells: Floats, name: str = "") -> Iterator[str]:
    """Note values such as -999 that are far from all others, of the target or of the column `name`."""
    values = cells[~np.isnan(cells)]
    for value in SENTINELS:
        count = int(np.count_nonzero(values == value))
        others = values[values != value] if count else values
        if not 0 < count < len(values):
            continue
        low, high = others.min(), others.max()
        if max(low - value, value - high) > high - low:
            of = f" of {listed([name])}" if name else ""
            times = f"1 value{of} is" if count == 1 else f"{count:,} values{of} are"
            yield (
                f"{times} {value:.15g}, far from all others ({low:.15g} to {high:.15g}). If that stands for"
                f" no value, say missing_values={value:.15g}."
            )


def _rounded(cells: Floats, name: str = "") -> Iterator[str]:
    """Note values that are too large for each whole number to be one, of the target or the column `name`."""
    count = int(np.count_nonzero(np.abs(cells) >= EXACT))
    if count:
        of = f" of {listed([name])}" if name else ""
        values = f"1 value{of} is" if count == 1 else f"{count:,} values{of} are"
        yield f"{values} {EXACT:,} or more, where floats keep 15 to 16 digits: the last ones may differ."


def _bounds(frame: SeriesFrame, options: ReadOptions) -> Iterator[str]:
    """Note values that pile up at 100 and never pass it."""
    values = frame.y[~np.isnan(frame.y)]
    share = np.mean(values == PERCENT)
    if (
        options.limits.upper is None
        and values.max() == PERCENT
        and values.min() >= 0
        and AT_BOUND <= share < 1
    ):
        yield f"No value is above {PERCENT:g}, and many are there. If that is a bound, say upper={PERCENT:g}."


def _ended(frame: SeriesFrame) -> Iterator[str]:
    """Note series that end a season and a tenth of the whole span before the last one."""
    position = frame.axis.step.position(frame.ds) // frame.axis.step.size
    last = position[frame.offsets[1:] - 1]
    before = last.max() - last
    long = max(frame.axis.season_length, 1, LONG_BEFORE * (position.max() - position.min()))
    if len(early := np.flatnonzero(before > long)):
        names = listed(frame.unique_ids[i] for i in early)
        yield (
            f"{names} {'ends' if len(early) == 1 else 'end'} long before the others, by up to"
            f" {before[early].max():,} steps. Forecasts follow the last value of each series."
        )


def limit_notes(y: Floats, limits: Limits) -> list[str]:
    """Return the notes on values that are not as limits ask forecasts to be; they are kept as they are."""
    low, high = replace(limits, integer=False).range
    found = [_note(int(np.count_nonzero((y < low) | (y > high))), f"outside the limits, {_range(limits)}")]
    if limits.integer:
        found.append(_note(int(np.count_nonzero(y % 1 > 0)), "not whole"))
    return [note for note in found if note]


_SHARES = (
    "All values lie between 0 and 1, as shares do. Nothing is assumed: if forecasts are to stay there, set "
    "lower to 0 and upper to 1 by PATCH /datasets/{dataset_id}."
)


def _may_be_shares(y: Floats, limits: Limits) -> bool:
    known = y[~np.isnan(y)]
    inside = (known >= 0) & (known <= 1)
    return limits.upper is None and bool(inside.all() and (known % 1 > 0).any())


def _note(count: int, what: str) -> str:
    if not count:
        return ""
    values = "1 value is" if count == 1 else f"{count:,} values are"
    return f"{values} {what}. Values are kept as they are: limits and integer shape forecasts alone."


def _range(limits: Limits) -> str:
    ends: Sequence[tuple[str, float | None]] = (("lower", limits.lower), ("upper", limits.upper))
    return " and ".join(f"{name} {value:g}" for name, value in ends if value is not None)
