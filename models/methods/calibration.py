"""Conformal calibration of a method's interval bounds, for each step ahead.

On windows that a method was not fitted on, a score is the distance of the value from the median in units of
the interval's half-width on that side. Half-widths are multiplied by the conformal quantile of the scores.
Romano, Patterson & Candès (2019), Conformalized Quantile Regression, with a ratio in place of their
difference, since series differ in size.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from models.methods.forecast import FLOAT_MAX, Forecast, checked_levels, clip
from models.methods.quantile_interpolation import probit_places
from models.panel import Floats

CALIBRATED_LEVELS = (50, 80, 95, 99)
"""Calibrated levels, in percent; others are interpolated."""

MIN_WINDOWS_PER_STEP = 100
"""With fewer windows all steps ahead share one factor."""

MAX_FACTOR = 20.0
"""Largest factor: a few values outside bounds of zero width must not widen all other bounds without limit."""


def _upper(level: float) -> float:
    """Return the probability of the upper bound of a level in percent."""
    return 0.5 + level / 200


_PROBABILITIES = tuple(map(_upper, (0, *CALIBRATED_LEVELS)))

_TINY = np.finfo(np.float64).tiny

_SIDES = np.array([-1.0, 1.0])[:, None, None]

_NARROWEST = 1e-9
"""Smallest half-width to divide by, as a share of the median's size."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """`factors` (horizon, levels) of the half-widths at `CALIBRATED_LEVELS`, from so many `windows`."""

    factors: Floats
    windows: int

    @classmethod
    def of(cls, forecast: Forecast, target: Floats) -> "Calibration":
        """Estimate the factors on windows that the bounds were not fitted on.

        `forecast` has bounds at `CALIBRATED_LEVELS`; `target` (window, horizon) is NaN for gaps.
        """
        scores = _scores(forecast, target)
        factors = [_factors(scores[..., i], level / 100) for i, level in enumerate(CALIBRATED_LEVELS)]
        return cls(np.stack(factors, axis=1), int(np.isfinite(target).any(axis=1).sum()))

    def is_calibrated(self, level: int) -> bool:
        """Return whether there were enough windows for the conformal quantile of a level."""
        return self.windows >= _windows_for(level)

    @classmethod
    def identity(cls, horizon: int) -> "Calibration":
        """Return the calibration that leaves bounds as they are."""
        return cls(np.ones((horizon, len(CALIBRATED_LEVELS))), windows=0)

    def apply(self, forecast: Forecast) -> "IntervalBounds":
        """Return the medians with calibrated half-widths; `forecast` has bounds at `CALIBRATED_LEVELS`."""
        factors = self.factors[: forecast.median.shape[1]]
        widths = np.zeros((1 + len(CALIBRATED_LEVELS), 2, *forecast.median.shape))
        with np.errstate(over="ignore"):
            for side, width in enumerate(_half_widths(forecast)):
                stretched = np.minimum(np.maximum.accumulate(width * factors, axis=2), FLOAT_MAX)
                widths[1:, side] = np.moveaxis(stretched, 2, 0)
        return IntervalBounds(forecast.median, widths)

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON types."""
        return {"factors": self.factors.tolist(), "windows": self.windows}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Calibration":
        """Invert `to_dict`."""
        return cls(np.array(stored["factors"], dtype=np.float64), int(stored["windows"]))


@dataclass(frozen=True, eq=False)
class IntervalBounds:
    """`median` (window, horizon) and the `half_widths` (1 + levels, side, window, horizon) of its bounds.

    Level 0 comes first, with half-widths of 0, then `CALIBRATED_LEVELS`; the sides are below and above the
    median.
    """

    median: Floats
    half_widths: Floats

    def at(self, levels: Sequence[int], lowest: Floats | float = -FLOAT_MAX) -> Forecast:
        """Return the forecast with bounds at any levels, which widen with the level.

        Median and bounds are no lower than `lowest` (window, 1), and clipped to the range of float64. Raise
        `InvalidLevel`.
        """
        wanted = checked_levels(levels)
        # All levels at once, with the median as level 0: for one window the numpy calls are the cost.
        with np.errstate(over="ignore"):
            bounds = clip(self.median + _SIDES * _at((0, *wanted), self.half_widths), lowest)
        return Forecast(
            bounds[0, 0],
            lo={level: bounds[i, 0] for i, level in enumerate(wanted, 1)},
            hi={level: bounds[i, 1] for i, level in enumerate(wanted, 1)},
        )

    def steps(self, count: int) -> "IntervalBounds":
        """Return the first `count` steps ahead."""
        return IntervalBounds(self.median[:, :count], self.half_widths[..., :count])


def _half_widths(forecast: Forecast) -> tuple[Floats, Floats]:
    """Return the half-widths below and above the median, both (window, horizon, levels)."""
    # The distance between the two ends of float64 overflows.
    with np.errstate(over="ignore"):
        below = [np.minimum(forecast.median - forecast.lo[level], FLOAT_MAX) for level in CALIBRATED_LEVELS]
        above = [np.minimum(forecast.hi[level] - forecast.median, FLOAT_MAX) for level in CALIBRATED_LEVELS]
    return np.stack(below, axis=2), np.stack(above, axis=2)


def _scores(forecast: Forecast, target: Floats) -> Floats:
    """Return (window, horizon, levels), distances to the median in half-widths of that side; NaN for gaps."""
    below, above = _half_widths(forecast)
    width = np.where((target < forecast.median)[..., None], below, above)
    unit = np.maximum(width, np.maximum(_NARROWEST * np.abs(forecast.median), _TINY)[..., None])
    # A distance that overflows is outside any bound.
    with np.errstate(over="ignore"):
        distance = np.abs(target - forecast.median)[..., None]
        scores: Floats = np.minimum(distance / unit, FLOAT_MAX)
    return scores


def _factors(scores: Floats, level: float) -> Floats:
    """Return (horizon,), the conformal quantile of each step's scores, or of all steps' if they are few."""
    shared = _conformal_quantile(scores.ravel(), level)
    counts = np.isfinite(scores).sum(axis=0)
    return np.array(
        [
            _conformal_quantile(step, level) if count >= MIN_WINDOWS_PER_STEP else shared
            for step, count in zip(scores.T, counts, strict=True)
        ]
    )


def _conformal_quantile(scores: Floats, level: float) -> float:
    """Return the ceil((n + 1) level)-th smallest of n scores; the largest, and at least 1, for a small n."""
    ordered = np.sort(scores[np.isfinite(scores)])
    rank = math.ceil((len(ordered) + 1) * level - 1e-9)
    if rank <= len(ordered):
        return min(MAX_FACTOR, float(ordered[rank - 1]))
    return min(MAX_FACTOR, max(1.0, float(ordered[-1]))) if len(ordered) else 1.0


def _at(levels: tuple[int, ...], half_widths: Floats) -> Floats:
    """Return half-widths (levels, side, window, horizon), interpolated from `CALIBRATED_LEVELS`."""
    left, share = probit_places(_PROBABILITIES, tuple(map(_upper, levels)), "left")
    inner, outer = half_widths.take(left, axis=0), half_widths.take(left + 1, axis=0)
    # Rounding must not pass the outer one, where the next level starts.
    between: Floats = np.minimum(inner + share[:, None, None, None] * (outer - inner), outer)
    return between


@cache
def _windows_for(level: int) -> int:
    """Return the number of windows that it takes to calibrate a level, or the calibrated one above it."""
    outer = next(calibrated for calibrated in CALIBRATED_LEVELS if calibrated >= level)
    return math.ceil(outer / (100 - outer))
