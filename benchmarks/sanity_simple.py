"""The simple ways that `benchmarks.sanity` holds a forecast against."""

import numpy as np

from models.methods import baselines
from models.panel import Floats, Panel


def seasonal_naive(values: Floats, season_length: int, horizon: int, cycles: int = 1) -> Floats:
    """Return the last season again, or the mean of the last few, for a series that ends `horizon` later."""
    known = len(values) - horizon
    places = known - season_length + np.arange(horizon) % season_length
    forecast: Floats = np.mean([values[places - season_length * cycle] for cycle in range(cycles)], axis=0)
    return forecast


def least_squares(history: Floats, horizon: int) -> Floats:
    """Return the straight line through a history, continued."""
    slope, start = np.polyfit(np.arange(len(history)), history, 1)
    line: Floats = start + slope * (len(history) + np.arange(horizon))
    return line


def damped_trend(history: Floats, horizon: int) -> Floats:
    """Return the core's damped trend."""
    forecast: Floats = baselines.damped_trend(Panel.of([history]), horizon)[0]
    return forecast


def last_change(history: Floats, horizon: int) -> Floats:
    """Return the last value plus the last change, again and again."""
    forecast: Floats = baselines.last_change(Panel.of([history]), horizon)[0]
    return forecast
