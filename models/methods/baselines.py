"""The simple forecasts that a network has to beat. All return (series, horizon), finite, and look past gaps.

Hyndman & Athanasopoulos, *Forecasting: Principles and Practice*, sections 5.2 and 8; Theta: Fiorucci et al.
(2016), Models for optimising the theta method. Raise `UnusableHistory` for a series without any value.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from models.config import HISTORY_LIMIT
from models.errors import UnusableHistory
from models.methods.forecast import Forecast, floors
from models.metrics import seasonal_naive_root_error
from models.panel import Floats, Integers, Panel

Baseline = Callable[[Panel, int, int], Floats]
"""(panel, horizon, season_length) to (series, horizon)."""

SMALLEST_CHANGE = 0.005
"""Of its largest value stands for the error of a series that never changed."""

LONGEST_ETS_SEASON = 24
"""The library fits no longer one: such a series gets ETS without a season."""


def naive(panel: Panel, horizon: int) -> Floats:
    """The last value, for every step."""
    return np.repeat(panel.values[_last_known(panel)][:, None], horizon, axis=1)


def drift(panel: Panel, horizon: int) -> Floats:
    """The straight line through the first and the last value, continued; it starts from the last value."""
    first, last = _first_known(panel), _last_known(panel)
    with np.errstate(over="ignore", invalid="ignore"):
        slope: Floats = (panel.values[last] - panel.values[first]) / np.maximum(last - first, 1)
        end: Floats = panel.values[last] + slope * (panel.offsets[1:] - 1 - last)
        line: Floats = end[:, None] + slope[:, None] * np.arange(1, horizon + 1)
    # A line may leave float64 where the values it joins do not.
    return np.where(np.isfinite(line), line, naive(panel, horizon))


def seasonal_naive(panel: Panel, horizon: int, season_length: int) -> Floats:
    """The last value known of the same place in the season; the last value of all where there is none."""
    season = _last_season(panel, season_length)
    season = np.where(np.isnan(season), naive(panel, 1), season)
    return np.take(season, np.arange(horizon) % season_length, axis=1)


def theta(panel: Panel, horizon: int, season_length: int) -> Floats:
    """The dynamic optimised Theta method; multiplicatively deseasonalised where a test finds a season.

    A harder one to beat than the standard method, which it has as a special case (`docs/experiments.md`).
    """
    return _by_library("DynamicOptimizedTheta", panel, horizon, season_length)


def ets(panel: Panel, horizon: int, season_length: int) -> Floats:
    """Exponential smoothing with the error, trend and season that have the least AICc."""
    season = season_length if season_length <= LONGEST_ETS_SEASON else 1
    return _by_library("AutoETS", panel, horizon, season)


BASELINES: Mapping[str, Baseline] = {
    "naive": lambda panel, horizon, _: naive(panel, horizon),
    "seasonal_naive": seasonal_naive,
    "drift": lambda panel, horizon, _: drift(panel, horizon),
    "theta": theta,
    "ets": ets,
}
"""Every baseline by its name."""


def baseline_forecast(
    name: str, panel: Panel, horizon: int, season_length: int, levels: Sequence[int]
) -> Forecast:
    """What the baseline called `name` answers, with bounds at `levels`, from the last `HISTORY_LIMIT` values.

    Bounds are those of a random walk with normal steps as large as the errors of the seasonal naive forecast
    in the history (Hyndman & Athanasopoulos, section 5.5): what calibration starts from, for each baseline.
    """
    recent = panel.tail(HISTORY_LIMIT)
    median = BASELINES[name](recent, horizon, season_length)
    # Near the ends of float64 spread and bounds may leave it.
    with np.errstate(over="ignore", invalid="ignore"):
        spread = _spread(recent, season_length)[:, None] * np.sqrt(np.arange(1, horizon + 1))
        wide = {level: NormalDist().inv_cdf(0.5 + level / 200) * spread for level in levels}
        answer = Forecast(
            median,
            lo={level: median - half for level, half in wide.items()},
            hi={level: median + half for level, half in wide.items()},
        )
    return answer.at_least(floors(recent))


def _spread(panel: Panel, season_length: int) -> Floats:
    """(series,): the size of an error one step ahead; never 0, for even a constant may change."""
    size = np.maximum.reduceat(np.abs(np.nan_to_num(panel.values)), panel.offsets[:-1])
    seasonal = seasonal_naive_root_error(panel, season_length)
    error = np.where(seasonal > 0, seasonal, seasonal_naive_root_error(panel, 1))
    return np.where(error > 0, error, SMALLEST_CHANGE * size)


def preload() -> None:
    """Import what Theta and ETS come from, which takes seconds, before someone waits for it."""
    # Its imports may warn of what others will change some day.
    with warnings.catch_warnings(action="ignore"):
        import statsforecast.models  # noqa: F401, PLC0415


def _by_library(name: str, panel: Panel, horizon: int, season_length: int) -> Floats:
    """The forecasts of a statsforecast model; the naive one of each series that it cannot forecast.

    It fits one series after the other, so it is given no more of a long one than the network reads.
    """
    simple, recent = naive(panel, horizon), panel.tail(HISTORY_LIMIT)
    rows = np.split(recent.values, recent.offsets[1:-1])
    # It divides by zero and overflows on odd series: what comes of it is looked at instead.
    with warnings.catch_warnings(action="ignore"):
        # Imported here: it takes seconds, and most who read a forecast of a network do not need it.
        from statsforecast import models  # noqa: PLC0415

        method = getattr(models, name)
        answers = [
            _answer(method(season_length=season_length), values, fallback)
            for values, fallback in zip(rows, simple, strict=True)
        ]
    return np.stack(answers)


def _answer(model: Any, values: Floats, fallback: Floats) -> Floats:
    """The model's (horizon,) forecast, or `fallback` where it fails or leaves the finite numbers."""
    if not np.isfinite(values).any():
        return fallback
    try:
        answer = np.asarray(model.forecast(y=_filled(values), h=len(fallback))["mean"], dtype=np.float64)
    except Exception:  # noqa: BLE001 - it raises plain exceptions, of any kind, where a series does not suit it
        return fallback
    return answer if np.isfinite(answer).all() else fallback


def _filled(values: Floats) -> Floats:
    """From the first value on, with straight lines across the gaps; a gap at the end holds the last value."""
    known = np.flatnonzero(np.isfinite(values))
    return np.interp(np.arange(known[0], len(values)), known, values[known])


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
