"""The simple ways that `benchmarks.sanity` holds a forecast against."""

import numpy as np

from models.panel import Floats

DAMPING = 0.9
"""Of the change from step to step, by which the damped trend fades; Gardner & McKenzie (1985)."""

CHANGES = 3
"""Last changes whose mean the damped trend begins with."""


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
    """Return the last value and the mean of the last changes, each step by `DAMPING` less of it."""
    change = np.diff(history)[-CHANGES:].mean()
    forecast: Floats = history[-1] + change * np.cumsum(DAMPING ** np.arange(1, horizon + 1))
    return forecast


def last_change(history: Floats, horizon: int) -> Floats:
    """Return the last value plus the last change, again and again."""
    forecast: Floats = history[-1] + (history[-1] - history[-2]) * np.arange(1, horizon + 1)
    return forecast
