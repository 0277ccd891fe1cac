"""Error measures of forecasts. Arrays are (series, horizon); NaN targets are left out.

Each mean is NaN where nothing is left. sMAPE and MASE: Makridakis & Hibon (2000); Hyndman & Koehler (2006).
"""

import numpy as np

from models.panel import Floats, Integers, Panel

MAX_ERROR = 1e100
"""Scaled errors are clipped to this, so that their squares and sums stay finite."""

NORMAL_DEVIATION = 1.4826
"""The standard deviation of a normal variable over the median of its distances to the median."""


def smape(target: Floats, forecast: Floats) -> float:
    """Return the symmetric mean absolute percentage error as in the M3 competition, 0 to 200 percent."""
    return mean(percentage_errors(target, forecast))


def percentage_errors(target: Floats, forecast: Floats) -> Floats:
    """Return (series, horizon), the symmetric percentage error of each step, from 0 to 200."""
    # Halved first: the sum of two values near the end of float64 would overflow.
    size = np.abs(target) / 2 + np.abs(forecast) / 2
    # Both zero is a perfect forecast, not a division by zero.
    ratio: Floats = np.abs(target / 2 - forecast / 2) / np.where(size == 0, 1.0, size)
    return 200 * ratio


def mase(target: Floats, forecast: Floats, scale: Floats) -> float:
    """Return the mean absolute error in units of `scale` (series,); series of scale 0 are left out."""
    return mean(np.abs(scaled_errors(target, forecast, scale)))


def scaled_errors(target: Floats, forecast: Floats, scale: Floats) -> Floats:
    """Return (series, horizon), target minus forecast in units of `scale` (series,); NaN without a scale."""
    usable = np.where(scale > 0, scale, np.nan)[:, None]
    # Divided first: values at both ends of float64 are further apart than it reaches.
    with np.errstate(over="ignore"):
        errors: Floats = target / usable - forecast / usable
    return np.clip(errors, -MAX_ERROR, MAX_ERROR)


def seasonal_naive_error(panel: Panel, season_length: int) -> Floats:
    """Return (series,), the mean absolute change over one season, the scale of MASE; NaN without a pair."""
    return _series_mean(np.abs(seasonal_changes(panel, season_length)), panel)


def seasonal_naive_root_error(panel: Panel, season_length: int) -> Floats:
    """Return (series,), the root mean square change over a season, the scale of RMSSE; NaN without a pair."""
    return root_mean_square(seasonal_changes(panel, season_length), panel)


def root_mean_square(errors: Floats, panel: Panel) -> Floats:
    """Return (series,), the root of the mean square of `errors` (total,), NaN left out; NaN without any."""
    error = _series_mean(np.abs(errors), panel)
    unit = np.where(error > 0, error, 1.0)
    # Divide by the mean first: squares of the raw errors may overflow float64.
    return unit * np.sqrt(_series_mean((errors / np.repeat(unit, panel.lengths)) ** 2, panel))


def pinball(target: Floats, forecast: Floats, quantile: float) -> float:
    """Return the mean pinball (quantile) loss of a forecast of one quantile, in units of the target."""
    return mean(pinball_losses(target - forecast, quantile))


def pinball_losses(error: Floats, quantile: float) -> Floats:
    """Return the pinball loss of each `error`, target minus forecast of a quantile; same shape and unit."""
    return np.maximum(quantile * error, (quantile - 1) * error)


def interval_scores(below: Floats, above: Floats, level: int) -> Floats:
    """Return the interval score (Gneiting & Raftery, 2007), of the same shape and unit.

    `below` is target minus lower bound, `above` target minus upper bound. The score is the width plus
    2 / (1 - level) times the distance of the target from the interval.
    """
    scores: Floats = (below - above) + 2 / (1 - level / 100) * (np.maximum(-below, 0) + np.maximum(above, 0))
    return scores


def coverage(target: Floats, lo: Floats, hi: Floats) -> float:
    """Return the share of the targets, from 0 to 1, within the bounds, bounds included."""
    return mean(covered(target, lo, hi))


def covered(target: Floats, lo: Floats, hi: Floats) -> Floats:
    """Return (series, horizon): 1 for a target within the bounds, 0 outside, NaN without a target."""
    inside = (target >= lo) & (target <= hi)
    return np.where(np.isfinite(target), inside, np.nan)


def mean(values: Floats) -> float:
    """Return the mean of the finite values."""
    counted = values[np.isfinite(values)]
    return float(counted.mean()) if len(counted) else float("nan")


def mean_by(groups: Integers, values: Floats) -> Floats:
    """Return (distinct groups,), rising, the mean of each group's rows of `values` (rows, horizon)."""
    distinct, place = np.unique(groups, return_inverse=True)
    counted = np.isfinite(values)
    sums, counts = np.zeros((2, len(distinct)))
    np.add.at(sums, place, np.where(counted, values, 0.0).sum(axis=1))
    np.add.at(counts, place, counted.sum(axis=1))
    return _ratio(sums, counts)


def seasonal_changes(panel: Panel, season_length: int) -> Floats:
    """Return (total,), the change over one season; NaN without a value one season earlier."""
    change = np.full(len(panel.values), np.nan)
    change[season_length:] = panel.values[season_length:] - panel.values[:-season_length]
    place = np.arange(len(change)) - np.repeat(panel.offsets[:-1], panel.lengths)
    return np.where(place >= season_length, change, np.nan)


def _series_mean(values: Floats, panel: Panel) -> Floats:
    counted = np.isfinite(values)
    sums = np.add.reduceat(np.where(counted, values, 0.0), panel.offsets[:-1])
    return _ratio(sums, np.add.reduceat(counted, panel.offsets[:-1], dtype=np.int64))


def _ratio(sums: Floats, counts: Floats | Integers) -> Floats:
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
