"""Intervals that hold what they promise: conformal calibration of a method's bounds, step by step ahead.

On windows that a method has not learned from, a score says how far the value lay from the median, in units
of the interval's half-width on its side; the conformal quantile of the scores is the factor by which the
half-widths are stretched. Romano, Patterson & Candès (2019), Conformalized Quantile Regression; with a ratio
in place of their difference, for series differ in size.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np

from models.forecasts import Forecast, checked_levels
from models.panel import Floats, Integers

LEVELS = (50, 80, 95, 99)
"""Levels that are calibrated, in percent; those between are interpolated."""

OWN_FACTOR = 100
"""Windows from which on each step ahead has a factor of its own; fewer share one over all steps."""

MOST_STRETCH = 20.0
"""A few values beside bounds of no width must not widen those of all others without end."""

_TINY, _MOST = np.finfo(np.float64).tiny, np.finfo(np.float64).max

_NARROWEST = 1e-9
"""A half-width is no unit to measure in under this, as a share of the median's size."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """`factors` (horizon, levels): how far to stretch the half-widths of each of `LEVELS`.

    `windows` is how many there were to learn them from.
    """

    factors: Floats
    windows: int

    @classmethod
    def of(cls, forecast: Forecast, target: Floats) -> "Calibration":
        """What windows ask for that the bounds were not learned from.

        `forecast` has bounds at `LEVELS`; `target` (window, horizon) is NaN for gaps.
        """
        scores = _scores(forecast, target)
        factors = [_factors(scores[..., i], level / 100) for i, level in enumerate(LEVELS)]
        return cls(np.stack(factors, axis=1), int(np.isfinite(target).any(axis=1).sum()))

    def holds(self, level: int) -> bool:
        """Whether there were windows enough for a level, and for the one of `LEVELS` that it leans on.

        With fewer no conformal quantile exists.
        """
        outer = next(known for known in LEVELS if known >= level)
        return self.windows >= math.ceil(outer / (100 - outer))

    def bands(self, forecast: Forecast) -> "Bands":
        """The same medians with calibrated half-widths; `forecast` has bounds at `LEVELS`."""
        factors = self.factors[: forecast.median.shape[1]]
        with np.errstate(over="ignore"):
            below, above = (
                np.minimum(np.maximum.accumulate(width * factors, axis=2), _MOST)
                for width in _half_widths(forecast)
            )
        return Bands(forecast.median, below, above)

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON can hold them."""
        return {"factors": self.factors.tolist(), "windows": self.windows}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Calibration":
        """The inverse of `to_dict`."""
        return cls(np.array(stored["factors"], dtype=np.float64), int(stored["windows"]))


@dataclass(frozen=True, eq=False)
class Bands:
    """`median` (window, horizon); half-widths below and above it (window, horizon, levels), at `LEVELS`."""

    median: Floats
    below: Floats
    above: Floats

    def at(self, levels: Sequence[int]) -> Forecast:
        """Bounds at any levels; those of a level never lie within those of a smaller one.

        Raises `InvalidLevel`.
        """
        wanted = checked_levels(levels)
        with np.errstate(over="ignore"):
            return Forecast(
                self.median,
                lo={level: self.median - _at(level, self.below) for level in wanted},
                hi={level: self.median + _at(level, self.above) for level in wanted},
            )

    def part(self, windows: Integers, horizon: int) -> "Bands":
        """Those of the windows of these numbers, so many steps ahead."""
        return Bands(*(values[windows, :horizon] for values in (self.median, self.below, self.above)))


def _half_widths(forecast: Forecast) -> tuple[Floats, Floats]:
    """Both (window, horizon, levels): below and above the median."""
    # The two ends of float64 are further apart than it reaches.
    with np.errstate(over="ignore"):
        below = [np.minimum(forecast.median - forecast.lo[level], _MOST) for level in LEVELS]
        above = [np.minimum(forecast.hi[level] - forecast.median, _MOST) for level in LEVELS]
    return np.stack(below, axis=2), np.stack(above, axis=2)


def _scores(forecast: Forecast, target: Floats) -> Floats:
    """(window, horizon, levels): the distance to the median, in half-widths of its side; NaN for gaps."""
    below, above = _half_widths(forecast)
    width = np.where((target < forecast.median)[..., None], below, above)
    unit = np.maximum(width, np.maximum(_NARROWEST * np.abs(forecast.median), _TINY)[..., None])
    # A distance that leaves float64 is further out than any bound.
    with np.errstate(over="ignore"):
        distance = np.abs(target - forecast.median)[..., None]
        scores: Floats = np.minimum(distance / unit, _MOST)
    return scores


def _factors(scores: Floats, level: float) -> Floats:
    """(horizon,): the conformal quantile of each step's scores, or of all steps' where they are few."""
    shared = _conformal_quantile(scores.ravel(), level)
    counts = np.isfinite(scores).sum(axis=0)
    return np.array(
        [
            _conformal_quantile(step, level) if count >= OWN_FACTOR else shared
            for step, count in zip(scores.T, counts, strict=True)
        ]
    )


def _conformal_quantile(scores: Floats, level: float) -> float:
    """The ceil((n + 1) level)-th smallest of n scores; the largest, and 1 at least, where n is too small."""
    known = np.sort(scores[np.isfinite(scores)])
    rank = math.ceil((len(known) + 1) * level - 1e-9)
    if rank <= len(known):
        return min(MOST_STRETCH, float(known[rank - 1]))
    return min(MOST_STRETCH, max(1.0, float(known[-1]))) if len(known) else 1.0


def _at(level: int, widths: Floats) -> Floats:
    """Half-widths (window, horizon) at any level, from those at `LEVELS`.

    Interpolated in the normal-probit domain, where those of a normal distribution lie on a line.
    """
    right, share = _place(level)
    inner = widths[..., right - 2] if right > 1 else np.zeros(widths.shape[:2])
    outer = widths[..., right - 1]
    # Rounding must not carry it past the outer one, which the next level starts from.
    between: Floats = np.minimum(inner + share * (outer - inner), outer)
    return between


@lru_cache(maxsize=128)
def _place(level: int) -> tuple[int, float]:
    """Which of `LEVELS`, counted from 1, is the next outer one, and how far a level is on the way to it."""
    knots = np.array([0.0, *(_probit(known) for known in LEVELS)])
    right = int(np.clip(np.searchsorted(knots, _probit(level)), 1, len(LEVELS)))
    return right, float((_probit(level) - knots[right - 1]) / (knots[right] - knots[right - 1]))


def _probit(level: int) -> float:
    return NormalDist().inv_cdf(0.5 + level / 200)
