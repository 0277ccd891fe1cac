"""Intervals that hold what they promise: conformal calibration of a method's bounds, step by step ahead.

On windows that a method has not learned from, a score says how far the value lay from the median, in units
of the interval's half-width on its side; the conformal quantile of the scores is the factor by which the
half-widths are stretched. Romano, Patterson & Candès (2019), Conformalized Quantile Regression; with a ratio
in place of their difference, for series differ in size.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np

from models.methods.forecast import MOST, Forecast, checked_levels, within
from models.panel import Floats, Integers

LEVELS = (50, 80, 95, 99)
"""Levels that are calibrated, in percent; those between are interpolated."""

OWN_FACTOR = 100
"""Windows from which on each step ahead has a factor of its own; fewer share one over all steps."""

MOST_STRETCH = 20.0
"""A few values beside bounds of no width must not widen those of all others without end."""

_TINY = np.finfo(np.float64).tiny

_SIDES = np.array([-1.0, 1.0])[:, None, None]

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

    def is_calibrated(self, level: int) -> bool:
        """Whether there were windows enough for a level, and for the one of `LEVELS` that it leans on.

        With fewer no conformal quantile exists.
        """
        return self.windows >= _windows_for(level)

    def bands(self, forecast: Forecast) -> "IntervalBounds":
        """The same medians with calibrated half-widths; `forecast` has bounds at `LEVELS`."""
        factors = self.factors[: forecast.median.shape[1]]
        widths = np.zeros((1 + len(LEVELS), 2, *forecast.median.shape))
        with np.errstate(over="ignore"):
            for side, width in enumerate(_half_widths(forecast)):
                stretched = np.minimum(np.maximum.accumulate(width * factors, axis=2), MOST)
                widths[1:, side] = np.moveaxis(stretched, 2, 0)
        return IntervalBounds(forecast.median, widths)

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON can hold them."""
        return {"factors": self.factors.tolist(), "windows": self.windows}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Calibration":
        """The inverse of `to_dict`."""
        return cls(np.array(stored["factors"], dtype=np.float64), int(stored["windows"]))


@dataclass(frozen=True, eq=False)
class IntervalBounds:
    """`median` (window, horizon), and its half-widths, `widths` (1 + levels, side, window, horizon).

    Those of level 0, which are none, come first, then those at `LEVELS`; the sides are below and above.
    """

    median: Floats
    widths: Floats

    def at(self, levels: Sequence[int], lowest: Floats | float = -MOST) -> Forecast:
        """Bounds at any levels; those of a level never lie within those of a smaller one.

        Nothing is below `lowest` (window, 1), and what leaves float64 stops at its ends.
        Raises `InvalidLevel`.
        """
        wanted = checked_levels(levels)
        # All in one, and the median as level 0: of a single window each step costs what a call of numpy does.
        with np.errstate(over="ignore"):
            bounds = within(self.median + _SIDES * _at((0, *wanted), self.widths), lowest)
        return Forecast(
            bounds[0, 0],
            lo={level: bounds[i, 0] for i, level in enumerate(wanted, 1)},
            hi={level: bounds[i, 1] for i, level in enumerate(wanted, 1)},
        )

    def until(self, horizon: int) -> "IntervalBounds":
        """Those of the first so many steps ahead."""
        return IntervalBounds(self.median[:, :horizon], self.widths[..., :horizon])


def _half_widths(forecast: Forecast) -> tuple[Floats, Floats]:
    """Both (window, horizon, levels): below and above the median."""
    # The two ends of float64 are further apart than it reaches.
    with np.errstate(over="ignore"):
        below = [np.minimum(forecast.median - forecast.lo[level], MOST) for level in LEVELS]
        above = [np.minimum(forecast.hi[level] - forecast.median, MOST) for level in LEVELS]
    return np.stack(below, axis=2), np.stack(above, axis=2)


def _scores(forecast: Forecast, target: Floats) -> Floats:
    """(window, horizon, levels): the distance to the median, in half-widths of its side; NaN for gaps."""
    below, above = _half_widths(forecast)
    width = np.where((target < forecast.median)[..., None], below, above)
    unit = np.maximum(width, np.maximum(_NARROWEST * np.abs(forecast.median), _TINY)[..., None])
    # A distance that leaves float64 is further out than any bound.
    with np.errstate(over="ignore"):
        distance = np.abs(target - forecast.median)[..., None]
        scores: Floats = np.minimum(distance / unit, MOST)
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


def _at(levels: tuple[int, ...], widths: Floats) -> Floats:
    """Half-widths (levels, side, window, horizon) at any levels, from those of `IntervalBounds`.

    Interpolated in the normal-probit domain, where those of a normal distribution lie on a line.
    """
    left, right, share = _places(levels)
    inner, outer = widths.take(left, axis=0), widths.take(right, axis=0)
    # Rounding must not carry it past the outer one, which the next level starts from.
    between: Floats = np.minimum(inner + share * (outer - inner), outer)
    return between


@lru_cache(maxsize=1000)
def _places(levels: tuple[int, ...]) -> tuple[Integers, Integers, Floats]:
    """Between which of 0 and `LEVELS` levels lie, by number, and how far they are on the way.

    The latter stands in an axis before those of side, window and horizon.
    """
    knots = np.array([0.0, *(_probit(known) for known in LEVELS)])
    places = np.array([_probit(level) for level in levels])
    right = np.clip(np.searchsorted(knots, places), 1, len(LEVELS))
    left = right - 1
    share = (places - knots[left]) / (knots[right] - knots[left])
    return left, right, share[:, None, None, None]


@cache
def _windows_for(level: int) -> int:
    """How many windows it takes to calibrate a level."""
    outer = next(known for known in LEVELS if known >= level)
    return math.ceil(outer / (100 - outer))


def _probit(level: int) -> float:
    return NormalDist().inv_cdf(0.5 + level / 200)
