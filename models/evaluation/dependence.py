"""How far series move together, and how many independent ones they are worth.

Series that are tested on the same calendar steps share their shocks, so that the mean of their errors varies
more than independent ones would. With r the mean correlation of two series, n of them are worth
`n / (1 + (n - 1) r)`: the design effect of Kish (1965), Survey Sampling, section 5.4.

r is that of the changes in the histories, which is known before any test. It follows from the variance of
the sum over the series, so that no pair is looked at.
"""

import math
from dataclasses import dataclass

import numpy as np

from models.metrics import NORMAL_DEVIATION
from models.panel import Floats, Panel

STEPS = 500
"""The last steps of the histories whose changes are compared."""

FEWEST_STEPS = 2
"""With changes at fewer common steps nothing is known, and series count as one."""

_FURTHEST = 3.0
"""Changes are cut at so many robust standard deviations, so that no single step decides."""

_CONSTANT = 1e-9
"""Deviations below this share of the largest change are rounding."""

_SURE = 1.28
"""Standard errors that are taken off the design effect of a second look: its lower 90 % bound."""


@dataclass(frozen=True)
class Movement:
    """The mean correlation of two of `series`, from 0 to 1, known from so many independent `steps`."""

    series: int
    correlation: float
    steps: float

    @property
    def design_effect(self) -> float:
        """The variance of a mean over the series, in units of what it were if they were independent."""
        return 1 + (self.series - 1) * self.correlation

    @property
    def effective_series(self) -> float:
        """The independent series that these are worth."""
        return self.series / self.design_effect

    @property
    def inflation(self) -> float:
        """What the variance of the mean of these series is, over that which their differences suggest."""
        return self.design_effect / max(1 - self.correlation, 1 / self.series)

    def at_least(self, other: "Movement") -> "Movement":
        """Return what is known of both: the correlation of another look counts as far as it is sure."""
        if other.steps < FEWEST_STEPS - 1 or self.series == 1:
            return self
        lowest = other.design_effect / (1 + _SURE * math.sqrt(2 / other.steps))
        sure = (lowest - 1) / (self.series - 1)
        return self if sure <= self.correlation else Movement(self.series, min(1.0, sure), self.steps)


def common_movement(history: Panel, season_length: int, horizon: int) -> Movement:
    """Return how far series move together, from their history (the panel) without any tested step.

    The changes from step to step, without the season's, decide. Where slow changes (over whole seasons, about
    a horizon) or the size of changes are surely more alike, those do.
    """
    values = _by_calendar(history)
    season = season_length if values.shape[1] > 2 * season_length else 1
    change = _difference(_difference(values, season), 1) if season > 1 else _difference(values, 1)
    found = mean_correlation(change, lag=1.5)
    if found.steps < FEWEST_STEPS:
        return Movement(history.series, 1.0, 1.0)
    slow = max(1, -(-horizon // season)) * season
    moved = [mean_correlation(np.abs(_standardised(change)), lag=1.5)]
    if slow > 1 and values.shape[1] > 2 * slow:
        moved.append(mean_correlation(_difference(values, slow), lag=slow / 1.5))
    for other in moved:
        found = found.at_least(other)
    return found


def mean_correlation(rows: Floats, lag: float = 1.0) -> Movement:
    """Return the mean correlation of two of the `rows` (series, steps), NaN for gaps; at least 0.

    Only `1 / lag` of the steps count as independent.
    """
    scores = _standardised(rows)
    there = np.isfinite(scores)
    scores = np.where(there, scores, 0.0)
    present = there.sum(axis=0).astype(np.float64)
    pairs = present * (present - 1.0)
    total = pairs.sum()
    if total == 0:
        return Movement(len(rows), 0.0, 0.0)
    products = scores.sum(axis=0) ** 2 - (scores**2).sum(axis=0)
    steps = total**2 / (pairs**2).sum() / lag
    return Movement(len(rows), float(np.clip(products.sum() / total, 0, 1)), float(steps))


def _by_calendar(history: Panel) -> Floats:
    """Return (series, steps), the last values of each by calendar step, NaN where it has none.

    Series whose places in time are not known (all begin at 0) end together.
    """
    recent = history.tail(STEPS)
    lengths = recent.lengths
    ends = recent.phases + lengths if history.phases.any() else np.full(len(lengths), lengths.max())
    steps = int(min(STEPS, lengths.max()))
    rows = np.repeat(np.arange(len(lengths)), lengths)
    before_end = np.repeat(recent.offsets[1:], lengths) - np.arange(len(recent.values))
    column = steps - np.repeat(ends.max() - ends, lengths) - before_end
    table = np.full((len(lengths), steps), np.nan)
    inside = column >= 0
    table[rows[inside], column[inside]] = recent.values[inside]
    return table


def _difference(values: Floats, lag: int) -> Floats:
    # Near the ends of float64 a difference overflows: it is no change that could be compared.
    with np.errstate(over="ignore", invalid="ignore"):
        changes: Floats = values[:, lag:] - values[:, :-lag]
    return np.where(np.isfinite(changes), changes, np.nan)


def _standardised(rows: Floats) -> Floats:
    """Return each row with mean 0 and variance 1, after cutting what is far out; NaN for a constant row."""
    there = np.isfinite(rows)
    # In units of the largest, so that no square overflows.
    largest = np.abs(np.where(there, rows, 0)).max(axis=1, initial=0.0, keepdims=True)
    scaled = np.where(there, rows, 0) / np.where(largest > 0, largest, 1)
    center, spread = _robust(np.where(there, scaled, np.nan))
    cut = np.clip(scaled, center - _FURTHEST * spread, center + _FURTHEST * spread)
    count = np.maximum(there.sum(axis=1, keepdims=True), 1)
    centred = np.where(there, cut - np.where(there, cut, 0).sum(axis=1, keepdims=True) / count, 0)
    deviation = np.sqrt((centred**2).sum(axis=1, keepdims=True) / count)
    varies = deviation > _CONSTANT
    return np.where(there & varies, centred / np.where(varies, deviation, 1), np.nan)


def _robust(rows: Floats) -> tuple[Floats, Floats]:
    """Return the median of each row and its standard deviation from that of the distances to it, (series, 1).

    The deviation is unlimited where more than half of the values are the same.
    """
    center = _median(rows)
    spread = NORMAL_DEVIATION * _median(np.abs(rows - center))
    return center, np.where(spread > _CONSTANT, spread, np.inf)


def _median(rows: Floats) -> Floats:
    """Return (series, 1), the upper median of what is no NaN in each row; 0 for an empty one."""
    middle = np.isfinite(rows).sum(axis=1, keepdims=True) // 2
    medians: Floats = np.take_along_axis(np.sort(rows, axis=1), middle, axis=1)  # NaN is last
    return np.nan_to_num(medians)
