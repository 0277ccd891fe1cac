"""The simple forecasts that a network has to beat. All return (series, horizon) and look past gaps.

Hyndman & Athanasopoulos, *Forecasting: Principles and Practice*, section 5.2. Raise `UnusableHistory` for a
series without any value.
"""

import numpy as np

from models.errors import UnusableHistory
from models.windows import Floats, Integers, Panel


def naive(panel: Panel, horizon: int) -> Floats:
    """The last value, for every step."""
    return np.repeat(panel.values[_last_known(panel)][:, None], horizon, axis=1)


def drift(panel: Panel, horizon: int) -> Floats:
    """The straight line through the first and the last value, continued; it starts from the last value."""
    first, last = _first_known(panel), _last_known(panel)
    slope: Floats = (panel.values[last] - panel.values[first]) / np.maximum(last - first, 1)
    end: Floats = panel.values[last] + slope * (panel.offsets[1:] - 1 - last)
    return end[:, None] + slope[:, None] * np.arange(1, horizon + 1)


def seasonal_naive(panel: Panel, horizon: int, season_length: int) -> Floats:
    """The last value known of the same place in the season; the last value of all where there is none."""
    season = _last_season(panel, season_length)
    season = np.where(np.isnan(season), naive(panel, 1), season)
    return np.take(season, np.arange(horizon) % season_length, axis=1)


def _last_season(panel: Panel, season_length: int) -> Floats:
    """(series, season_length): for each place in the season, the last known value, NaN where none."""
    at = panel.offsets[1:, None] + np.arange(-season_length, 0)
    season = np.full(at.shape, np.nan)
    for _ in range(0, int(panel.lengths.max()), season_length):
        inside = at >= panel.offsets[:-1, None]
        older = np.where(inside, panel.values[np.maximum(at, 0)], np.nan)
        season = np.where(np.isnan(season), older, season)
        at = at - season_length
        if not np.isnan(season).any():
            break
    return season


def _last_known(panel: Panel) -> Integers:
    """(series,): the position in `values` of each series' last value."""
    known = np.where(np.isfinite(panel.values), np.arange(len(panel.values)), -1)
    return _checked(np.maximum.reduceat(known, panel.offsets[:-1]))


def _first_known(panel: Panel) -> Integers:
    total = len(panel.values)
    known = np.where(np.isfinite(panel.values), np.arange(total), total)
    first = np.minimum.reduceat(known, panel.offsets[:-1])
    return _checked(np.where(first == total, -1, first))


def _checked(positions: Integers) -> Integers:
    if (positions < 0).any():
        raise UnusableHistory(f"Series {int(np.argmin(positions))} has no value: there is nothing to repeat.")
    return positions
