"""Conformal factors: how much wider or narrower intervals have to be, by their errors on held-out windows.

On windows that a method was not fitted on, a score is the distance of the value from the median in units of
the interval's half-width on that side. Half-widths times the conformal quantile of the scores hold the level.
Romano, Patterson & Candès (2019), Conformalized Quantile Regression, with a ratio in place of their
difference, since series differ in size.
"""

import math
from collections.abc import Sequence

import numpy as np

from models.methods.forecast import FLOAT_MAX, Forecast
from models.methods.support import Support
from models.panel import Floats

WINDOWS_PER_STEP = 100.0
"""Windows at which a step's own factor counts as much as that of all steps together."""

MAX_FACTOR = 20.0
"""Largest factor: a few values outside bounds of zero width must not widen all other bounds without limit."""

_TINY = np.finfo(np.float64).tiny

_NARROWEST = 1e-9
"""Smallest half-width to divide by, as a share of the median's size."""


def log_factors(forecast: Forecast, target: Floats, support: Support, levels: Sequence[int]) -> Floats:
    """Return (horizon, levels), the logarithms of the factors of the half-widths at `levels`.

    `target` (window, horizon) is NaN for gaps, and `support` is that of the windows' series.
    """
    scores = _scores(forecast, target, support, levels)
    logs = [_drawn_together(scores[..., place], level / 100) for place, level in enumerate(levels)]
    return np.stack(logs, axis=1)


def half_widths(forecast: Forecast, levels: Sequence[int]) -> tuple[Floats, Floats]:
    """Return the half-widths below and above the median, both (window, horizon, levels)."""
    # The distance between the two ends of float64 overflows.
    with np.errstate(over="ignore"):
        below = [np.minimum(forecast.median - forecast.lo[level], FLOAT_MAX) for level in levels]
        above = [np.minimum(forecast.hi[level] - forecast.median, FLOAT_MAX) for level in levels]
    return np.stack(below, axis=2), np.stack(above, axis=2)


def _scores(forecast: Forecast, target: Floats, support: Support, levels: Sequence[int]) -> Floats:
    """Return (window, horizon, levels), distances to the median in half-widths of that side; NaN for gaps.

    The distance is that from which on an interval holds the target, as a value of its support.
    """
    narrowest = np.maximum(_NARROWEST * np.abs(forecast.median), _TINY)[..., None]
    below, above = (np.maximum(width, narrowest) for width in half_widths(forecast, levels))
    edges = [support.edges(target, 0.5 - level / 200, 0.5 + level / 200) for level in levels]
    lower, upper = (np.stack(side, axis=2) for side in zip(*edges, strict=True))
    median = forecast.median[..., None]
    # A distance that overflows is outside any bound.
    with np.errstate(over="ignore"):
        reached = np.maximum((median - lower) / below, (upper - median) / above)
        scores: Floats = np.clip(reached, 0.0, FLOAT_MAX)
    return np.where(np.isfinite(target)[..., None], scores, np.nan)


def _drawn_together(scores: Floats, level: float) -> Floats:
    """Return (horizon,), the logarithms of the conformal quantiles of each step's scores.

    Each is drawn to that of all steps' scores, the more the fewer windows it has.
    """
    shared = _conformal_quantile(scores.ravel(), level)
    counts = np.isfinite(scores).sum(axis=0)
    own = np.array([_conformal_quantile(step, level) for step in scores.T])
    share = counts / (counts + WINDOWS_PER_STEP)
    logs: Floats = share * np.log(own) + (1 - share) * np.log(shared)
    return logs


def _conformal_quantile(scores: Floats, level: float) -> float:
    """Return the ceil((n + 1) level)-th smallest of n scores; the largest, and at least 1, for a small n.

    It is kept within `MAX_FACTOR` and its inverse.
    """
    ordered = np.sort(scores[np.isfinite(scores)])
    rank = math.ceil((len(ordered) + 1) * level - 1e-9)
    if rank <= len(ordered):
        quantile = float(ordered[rank - 1])
    else:
        quantile = max(1.0, float(ordered[-1])) if len(ordered) else 1.0
    return min(max(quantile, 1 / MAX_FACTOR), MAX_FACTOR)
