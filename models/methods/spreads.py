"""How far the simple methods' forecasts lie off, as their errors in the history tell.

A method's errors one step ahead are those that it would have made in the history, and they grow with the step
as theory has it for that method (Hyndman & Athanasopoulos, *Forecasting: Principles and Practice*, section
5.5). The errors of a seasonal forecast in place of a method's own would be those of a whole season: three
times too large where months go on from the last value, and without an end where they grow.
"""

from collections.abc import Callable, Mapping

import numpy as np

from models.metrics import root_mean_square, seasonal_changes
from models.panel import Floats, Panel

RECENT_CHANGES = 3
"""How many last changes have their mean continued by a damped trend."""

DAMPING = 0.9
"""Share of its change that a damped trend keeps from each step to the next; 0.8 to 0.98 are usual
(Hyndman & Athanasopoulos, section 8.2)."""

SMALLEST_CHANGE = 0.005
"""The error of a series that never changed, as a share of its largest value."""

ROUNDING = 1e-9
"""Errors below this share of the largest value are those of float64: a line of whole numbers has some."""


def spread(name: str, panel: Panel, horizon: int, season_length: int) -> Floats:
    """Return (series, horizon), the standard deviation of the errors of the simple method `name`.

    Never 0, since even a constant may change.
    """
    steps = np.arange(1, horizon + 1)
    damped = np.cumsum(DAMPING**steps)
    growth: Mapping[str, Floats] = {
        # The second part is the doubt of the slope, which the first and the last value tell.
        "drift": np.sqrt(steps * (1 + steps / np.maximum(panel.lengths - 1, 1)[:, None])),
        "seasonal_naive": np.sqrt((steps - 1) // season_length + 1),
        "last_change": steps.astype(np.float64),  # the error of the change comes again at each step
        "damped_trend": np.sqrt((steps + damped**2 / RECENT_CHANGES) / (1 + DAMPING**2 / RECENT_CHANGES)),
        "croston_sba": np.ones(horizon),
        "tsb": np.ones(horizon),
    }
    own = _ERRORS.get(name, _least_error)(panel, season_length)
    return _never_none(own, panel)[:, None] * growth.get(name, np.sqrt(steps))


def _of_the_last_value(panel: Panel, _: int) -> Floats:
    return root_mean_square(seasonal_changes(panel, 1), panel)


def _of_a_line(panel: Panel, _: int) -> Floats:
    change = seasonal_changes(panel, 1)
    return root_mean_square(change - _mean_of(change, panel), panel)


def _of_the_last_change(panel: Panel, _: int) -> Floats:
    change = seasonal_changes(panel, 1)
    return root_mean_square(change - np.roll(change, 1), panel)


def _of_a_damped_trend(panel: Panel, _: int) -> Floats:
    trend = np.roll(seasonal_changes(panel, RECENT_CHANGES), 1) / RECENT_CHANGES
    return root_mean_square(seasonal_changes(panel, 1) - DAMPING * trend, panel)


def _of_a_season(panel: Panel, season_length: int) -> Floats:
    return root_mean_square(seasonal_changes(panel, season_length), panel)


def _of_the_mean(panel: Panel, _: int) -> Floats:
    return root_mean_square(panel.values - _mean_of(panel.values, panel), panel)


def _least_error(panel: Panel, season_length: int) -> Floats:
    """Of Theta and ETS, which follow lines and seasons: that of the simple method that does so best."""
    return np.fmin(_of_a_line(panel, season_length), _of_a_season(panel, season_length))


_ERRORS: Mapping[str, Callable[[Panel, int], Floats]] = {
    "naive": _of_the_last_value,
    "drift": _of_a_line,
    "last_change": _of_the_last_change,
    "damped_trend": _of_a_damped_trend,
    "seasonal_naive": _of_a_season,
    "croston_sba": _of_the_mean,
    "tsb": _of_the_mean,
}


def _mean_of(values: Floats, panel: Panel) -> Floats:
    """Return (total,), the mean of each series at all its positions; 0 without a value."""
    known = np.isfinite(values)
    counts = np.add.reduceat(known, panel.offsets[:-1], dtype=np.int64)
    # Divided first: the sum of values near the end of float64 would overflow.
    shares = np.where(known, values, 0.0) / np.repeat(np.maximum(counts, 1), panel.lengths)
    return np.repeat(np.add.reduceat(shares, panel.offsets[:-1]), panel.lengths)


def _never_none(error: Floats, panel: Panel) -> Floats:
    """Return the errors; where there are none those of the last value, or a share of the largest value."""
    size = np.maximum.reduceat(np.abs(np.nan_to_num(panel.values)), panel.offsets[:-1])
    for other in (_of_the_last_value(panel, 1), SMALLEST_CHANGE * size):
        error = np.where(error > ROUNDING * size, error, other)
    return error
