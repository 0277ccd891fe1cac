"""Baselines: the simple methods that a network has to beat.

All return (series, horizon), finite, and skip gaps. Hyndman & Athanasopoulos, *Forecasting: Principles and
Practice*, sections 5.2 and 8; the dynamic optimised Theta method is of Fiorucci et al. (2016), Models for
optimising the theta method; the damped trend is of Gardner & McKenzie (1985), Forecasting trends in time
series. Raise `UnusableHistory` for a series without any value.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from models.config import HISTORY_LIMIT
from models.errors import UnusableHistory
from models.inputs.intermittence import demands
from models.inputs.outliers import tamed
from models.methods.forecast import Forecast, floors
from models.methods.history import history_forecast
from models.methods.spreads import DAMPING, RECENT_CHANGES, spread
from models.methods.support import Support
from models.panel import Floats, Integers, Panel

Baseline = Callable[[Panel, int, int], Floats]
"""(panel, horizon, season_length) to (series, horizon)."""

LONGEST_ETS_SEASON = 24
"""The longest season that statsforecast fits; with a longer one ETS has no season."""

CYCLES_READ = 10
"""Seasons that Theta and ETS read. Older values cost most of a fit's time, and made Theta worse on hours."""

FEWEST_READ, MOST_READ = 300, 1000
"""Values that they read of a long series, whatever its season. Both limits were chosen on held-out steps:
`docs/experiments/2026-11-30-seasons-trends.md`."""

TSB_SMOOTHING = 0.1
"""Weight of the last step in TSB's chance of demand, and of the last demand in its size: the usual one."""

SEASONLESS_WORK = 0.25
"""Work of a value where ETS fits no season, as a share of that with one: a quarter of the time."""


def naive(panel: Panel, horizon: int) -> Floats:
    """Repeat the last value."""
    return np.repeat(panel.values[_last_valid(panel)][:, None], horizon, axis=1)


def drift(panel: Panel, horizon: int) -> Floats:
    """Continue the straight line through the first and the last value."""
    return _continued(panel, horizon, _first_valid(panel))


def last_change(panel: Panel, horizon: int) -> Floats:
    """Add the last change to the last value, again at every step: drift since the step before the last."""
    return _continued(panel, horizon, _steps_before_last(panel, 1))


def damped_trend(panel: Panel, horizon: int) -> Floats:
    """Add the mean of the `RECENT_CHANGES` to the last value, at each step `DAMPING` times as much of it.

    Gardner & McKenzie (1985) estimate level, trend and damping for each series, as `ets` may. Here all are
    given, so that it costs nothing.
    """
    return _continued(panel, horizon, _steps_before_last(panel, RECENT_CHANGES), DAMPING)


def seasonal_naive(panel: Panel, horizon: int, season_length: int) -> Floats:
    """Repeat the last value of the same position in the season; the last value of all where there is none."""
    season = _last_season(panel, season_length)
    season = np.where(np.isnan(season), naive(panel, 1), season)
    return np.take(season, np.arange(horizon) % season_length, axis=1)


def theta(panel: Panel, horizon: int, season_length: int) -> Floats:
    """Forecast with the dynamic optimised Theta method (Fiorucci et al., 2016).

    Multiplicatively deseasonalised where a test finds a season. It is harder to beat than the standard Theta
    method of Assimakopoulos & Nikolopoulos (2000), its special case:
    `docs/experiments/2026-11-24-blend-and-intervals.md`.
    """
    read = values_read(season_length)
    return _by_library("DynamicOptimizedTheta", panel, horizon, read, season_length=season_length)


def ets(panel: Panel, horizon: int, season_length: int) -> Floats:
    """Forecast with exponential smoothing (ETS), whose error, trend and season have the least AICc."""
    season = season_length if season_length <= LONGEST_ETS_SEASON else 1
    return _by_library("AutoETS", panel, horizon, values_read(season_length), season_length=season)


def croston_sba(panel: Panel, horizon: int) -> Floats:
    """Forecast the mean demand with Croston's method as Syntetos & Boylan (2005) correct its bias."""
    return _by_library("CrostonSBA", panel, horizon, MOST_READ)


def tsb(panel: Panel, horizon: int) -> Floats:
    """Forecast the mean demand; its chance falls with every step without any.

    Teunter, Syntetos & Babai (2011), Intermittent demand: linking forecasting to inventory obsolescence.
    """
    return _by_library("TSB", panel, horizon, MOST_READ, alpha_d=TSB_SMOOTHING, alpha_p=TSB_SMOOTHING)


BASELINES: Mapping[str, Baseline] = {
    "naive": lambda panel, horizon, _: naive(panel, horizon),
    "seasonal_naive": seasonal_naive,
    "drift": lambda panel, horizon, _: drift(panel, horizon),
    "last_change": lambda panel, horizon, _: last_change(panel, horizon),
    "damped_trend": lambda panel, horizon, _: damped_trend(panel, horizon),
    "theta": theta,
    "ets": ets,
}
"""The baselines of all data, by name."""

OF_DEMAND: Mapping[str, Baseline] = {
    "croston_sba": lambda panel, horizon, _: croston_sba(panel, horizon),
    "tsb": lambda panel, horizon, _: tsb(panel, horizon),
}
"""Those of intermittent demand, by name."""

OF_CHANCE: Mapping[str, Baseline] = {
    "history": lambda panel, horizon, _: history_forecast(panel, horizon, levels=()).median,
}
"""That of values which come by chance alone, by name: it has quantiles of its own."""

EVERY_BASELINE: Mapping[str, Baseline] = {**BASELINES, **OF_DEMAND, **OF_CHANCE}


def joining(panel: Panel, season_length: int) -> tuple[str, ...]:
    """Return the baselines that join those of all data.

    Those of demand do if half of the series are intermittent, and that of chance if half have zeros by chance
    or are counts.
    """
    found = demands(panel, season_length)
    intermittent = sum(demand.is_intermittent for demand in found.values())
    of_demand = OF_DEMAND if 2 * intermittent >= panel.series else {}
    is_discrete = Support.of(panel, found).is_discrete
    return *of_demand, *(OF_CHANCE if 2 * is_discrete.sum() >= panel.series else {})


def baseline_forecast(
    name: str, panel: Panel, horizon: int, season_length: int, levels: Sequence[int]
) -> Forecast:
    """Forecast with the baseline `name` from the last `HISTORY_LIMIT` values, with bounds at `levels`.

    Bounds are those of normal errors, as large as the baseline's own in the history (`spreads`). Calibration
    starts from them. `OF_CHANCE` has the quantiles of the history.
    """
    recent = tamed(panel.tail(HISTORY_LIMIT))
    if name in OF_CHANCE:
        return history_forecast(recent, horizon, levels)
    median = EVERY_BASELINE[name](recent, horizon, season_length)
    if not levels:
        return Forecast(median, lo={}, hi={}).at_least(floors(recent))
    # Near the ends of float64 spread and bounds may overflow.
    with np.errstate(over="ignore", invalid="ignore"):
        widths = spread(name, recent, horizon, season_length)
        half_widths = {level: NormalDist().inv_cdf(0.5 + level / 200) * widths for level in levels}
        forecast = Forecast(
            median,
            lo={level: median - half for level, half in half_widths.items()},
            hi={level: median + half for level, half in half_widths.items()},
        )
    return forecast.at_least(floors(recent))


def preload() -> None:
    """Import statsforecast, which takes seconds, before a request waits for it."""
    # Its imports may issue deprecation warnings.
    with warnings.catch_warnings(action="ignore"):
        import statsforecast.models  # noqa: F401, PLC0415


def values_read(season_length: int) -> int:
    """Return the number of last values that Theta and ETS read, whoever asks for their forecast."""
    return min(MOST_READ, max(FEWEST_READ, CYCLES_READ * season_length))


def fitting_work(lengths: Integers, season_length: int) -> Floats:
    """Return (series,), the work of fitting Theta and ETS to series of these lengths.

    Its unit is a value of a season that ETS fits. It is counted and not timed, so that all that follows from
    it is the same on every machine.
    """
    share = 1.0 if 1 < season_length <= LONGEST_ETS_SEASON else SEASONLESS_WORK
    work: Floats = share * np.minimum(lengths, values_read(season_length))
    return work


def _by_library(name: str, panel: Panel, horizon: int, read: int, **options: float) -> Floats:
    """Forecast with a statsforecast model with these options; with naive where it cannot forecast a series.

    The model reads the last `read` values: it fits one series after the other, which takes long.
    """
    fallbacks, recent = naive(panel, horizon), panel.tail(read)
    rows = np.split(recent.values, recent.offsets[1:-1])
    # It divides by zero and overflows on odd series: its results are checked instead.
    with warnings.catch_warnings(action="ignore"):
        # Imported here: it takes seconds, and a forecast of a network alone does not need it.
        from statsforecast import models  # noqa: PLC0415

        method = getattr(models, name)
        forecasts = [
            _forecast_or(method(**options), values, fallback)
            for values, fallback in zip(rows, fallbacks, strict=True)
        ]
    return np.stack(forecasts)


def _forecast_or(model: Any, values: Floats, fallback: Floats) -> Floats:
    """Return the model's (horizon,) forecast, or `fallback` where it fails or is not finite."""
    if not np.isfinite(values).any():
        return fallback
    try:
        forecast = np.asarray(model.forecast(y=_filled(values), h=len(fallback))["mean"], dtype=np.float64)
    except Exception:  # noqa: BLE001 - it raises exceptions of any kind for a series that it cannot fit
        return fallback
    return forecast if np.isfinite(forecast).all() else fallback


def _filled(values: Floats) -> Floats:
    """Return the values from the first on, gaps interpolated, a gap at the end filled with the last value."""
    valid = np.flatnonzero(np.isfinite(values))
    return np.interp(np.arange(valid[0], len(values)), valid, values[valid])


def _continued(panel: Panel, horizon: int, start: Integers, damping: float = 1.0) -> Floats:
    """Continue the line from `start` (series,), a position in `values`, to the last value.

    Each step keeps a share `damping` of the change of the one before. Gaps are crossed by straight lines.
    """
    last, known = _last_valid(panel), np.flatnonzero(np.isfinite(panel.values))
    with np.errstate(over="ignore", invalid="ignore"):
        before = np.interp(start, known, panel.values[known])
        slope: Floats = (panel.values[last] - before) / np.maximum(last - start, 1)
        steps = (panel.offsets[1:] - 1 - last)[:, None] + np.arange(1, horizon + 1)
        changes = np.cumsum(damping ** np.arange(1, steps.max() + 1))[steps - 1]
        line: Floats = panel.values[last][:, None] + slope[:, None] * changes
    # The line may overflow where the values that it joins do not.
    return np.where(np.isfinite(line), line, naive(panel, horizon))


def _steps_before_last(panel: Panel, count: int) -> Integers:
    """Return (series,), the position in `values` `count` steps before the last value, or of the first."""
    return np.maximum(_last_valid(panel) - count, _first_valid(panel))


def _last_season(panel: Panel, season_length: int) -> Floats:
    """Return (series, season_length), the last value of each position in the season; NaN for none."""
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


def _last_valid(panel: Panel) -> Integers:
    """Return (series,), the position in `values` of each series' last value."""
    valid = np.where(np.isfinite(panel.values), np.arange(len(panel.values)), -1)
    return _checked(np.maximum.reduceat(valid, panel.offsets[:-1]))


def _first_valid(panel: Panel) -> Integers:
    """Return (series,), the position in `values` of each series' first value."""
    total = len(panel.values)
    valid = np.where(np.isfinite(panel.values), np.arange(total), total)
    first = np.minimum.reduceat(valid, panel.offsets[:-1])
    return _checked(np.where(first == total, -1, first))


def _checked(positions: Integers) -> Integers:
    """Return the positions. Raise `UnusableHistory` for a negative one, of a series without a value."""
    if (positions < 0).any():
        raise UnusableHistory(f"Series {int(np.argmin(positions))} has no value: there is nothing to repeat.")
    return positions
