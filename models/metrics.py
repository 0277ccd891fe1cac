"""Measures of forecasts against what came. Arrays are (series, horizon); targets that are NaN do not count.

Each is NaN where nothing counts. sMAPE and MASE: Makridakis & Hibon (2000); Hyndman & Koehler (2006).
"""

import numpy as np

from models.windows import Floats, Panel


def smape(target: Floats, forecast: Floats) -> float:
    """Symmetric mean absolute percentage error as the M3 competition has it, from 0 to 200 percent."""
    # Halved first: the sum of two values near the end of float64 would overflow.
    size = np.abs(target) / 2 + np.abs(forecast) / 2
    # Both zero is a perfect forecast, not a division by zero.
    ratio = np.abs(target / 2 - forecast / 2) / np.where(size == 0, 1.0, size)
    return _mean(200 * ratio)


def mase(target: Floats, forecast: Floats, scale: Floats) -> float:
    """Mean absolute error in units of `scale` (series,) (`seasonal_naive_error`); 0 does not count."""
    usable = np.where(scale > 0, scale, np.nan)
    return _mean(np.abs(target - forecast) / usable[:, None])


def seasonal_naive_error(panel: Panel, season_length: int) -> Floats:
    """(series,): mean absolute change over one season within each history; NaN where there is no pair."""
    change = np.full(len(panel.values), np.nan)
    change[season_length:] = np.abs(panel.values[season_length:] - panel.values[:-season_length])
    place = np.arange(len(change)) - np.repeat(panel.offsets[:-1], panel.lengths)
    counted = np.isfinite(change) & (place >= season_length)
    sums = np.add.reduceat(np.where(counted, change, 0.0), panel.offsets[:-1])
    counts = np.add.reduceat(counted, panel.offsets[:-1], dtype=np.int64)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def pinball(target: Floats, forecast: Floats, quantile: float) -> float:
    """Mean pinball (quantile) loss of a forecast of one quantile, in units of the target."""
    error = target - forecast
    return _mean(np.maximum(quantile * error, (quantile - 1) * error))


def coverage(target: Floats, lo: Floats, hi: Floats) -> float:
    """Share of the targets, from 0 to 1, that lie between the bounds, the bounds included."""
    inside = (target >= lo) & (target <= hi)
    return _mean(np.where(np.isfinite(target), inside, np.nan))


def _mean(values: Floats) -> float:
    counted = values[np.isfinite(values)]
    return float(counted.mean()) if len(counted) else float("nan")
