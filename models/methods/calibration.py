"""Conformal calibration of a method's interval bounds, for each step ahead.

Half-widths are multiplied by factors that errors on windows ask for which a method was not fitted on:
`models.methods.conformal`.

Windows of one cut are of one period, and the next period is another: the factors are drawn towards 1 by the
number of cuts and windows, as a mean of few groups is (James & Stein, 1961). How far was chosen on held-out
cuts: `docs/experiments/2026-11-30-intervals.md`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from models.choices import Untested
from models.coverage import coverage_range, doubt_of, expected_coverage
from models.methods.conformal import half_widths, log_factors
from models.methods.forecast import FLOAT_MAX, Forecast, checked_levels
from models.methods.quantile_interpolation import probit_places
from models.methods.reach import Reach, approached, widening
from models.methods.support import Support
from models.panel import Floats

CALIBRATED_LEVELS = (50, 80, 95, 99)
"""Calibrated levels, in percent; others are interpolated."""

FEWEST_WINDOWS = 20
"""With fewer windows bounds stay as they are: their factors would do more harm than good."""

LEAST_RISE = 1.02
"""Half-width of a calibrated level, at least, in units of that of the level before."""


def _upper(level: float) -> float:
    """Return the probability of the upper bound of a level in percent."""
    return 0.5 + level / 200


PROBABILITIES = tuple(map(_upper, (0, *CALIBRATED_LEVELS)))
"""Those of the median and of the upper bounds of the calibrated levels."""

_SIDES = np.array([-1.0, 1.0])[:, None, None]


@dataclass(frozen=True, eq=False)
class Calibration:
    """`factors` (horizon, levels) of the half-widths at `CALIBRATED_LEVELS`, from so many `windows`.

    `coverage` is the share of values, by level, that such intervals can be expected to hold
    (`models.coverage`), from so many `periods` (cuts; 0 where not known), and `doubt` the standard
    deviation of what is held next. It is empty where there was no other cut. `bounded` is whether levels are
    kept apart and in reach, and `whole` whether they are values of a count; models stored before that was so
    have neither.
    """

    factors: Floats
    windows: int
    coverage: Mapping[int, float] = field(default_factory=dict)
    bounded: bool = True
    whole: bool = True
    periods: int = 0
    doubt: float = math.inf

    @classmethod
    def of(
        cls, forecast: Forecast, target: Floats, strength: float, support: Support | None = None
    ) -> "Calibration":
        """Estimate the factors on windows that the bounds were not fitted on.

        `forecast` has bounds at `CALIBRATED_LEVELS`; `target` (window, horizon) is NaN for gaps. `strength`
        is the share of their way from 1 that the factors go: `models.evaluation.cross_fitting.strength_of`.
        `support` is that of the windows' series, by default any value.
        """
        windows = int(np.isfinite(target).any(axis=1).sum())
        if windows < FEWEST_WINDOWS:
            return cls(np.ones((target.shape[1], len(CALIBRATED_LEVELS))), windows)
        logs = log_factors(forecast, target, support or Support.free(len(target)), CALIBRATED_LEVELS)
        return cls(np.exp(strength * logs), windows)

    def with_coverage(
        self, held: Mapping[int, float], share: float, *, periods: int, series: int
    ) -> "Calibration":
        """Return it with the coverage to be expected, from what was `held` by level; NaN is left out.

        That was of so many `series` and `periods`, and `share` is its own against pooled evidence:
        `models.evaluation.cross_fitting.reported_share`.
        """
        expected = {
            level: expected_coverage(level, inside, share)
            for level, inside in held.items()
            if math.isfinite(inside)
        }
        return replace(self, coverage=expected, periods=periods, doubt=doubt_of(series))

    def coverage_at(self, level: int) -> float | None:
        """Return the coverage to be expected of a level; None where it is not known.

        Between two neighbouring calibrated levels, bounds and coverage are interpolated. So it is known there
        if it is at both.
        """
        if level in self.coverage or level in CALIBRATED_LEVELS:
            return self.coverage.get(level)
        place, share = probit_places(PROBABILITIES, (_upper(level),), "left")
        ends = (0, *CALIBRATED_LEVELS)[int(place[0]) :][:2]
        known = {0: 0.0, **self.coverage}
        if not self.coverage.keys() >= set(ends) - {0}:
            return None
        below, above = (known[end] - end / 100 for end in ends)
        return float(np.clip(level / 100 + below + share[0] * (above - below), 0, 1))

    def untested(self, level: int) -> Untested | None:
        """Return why the coverage of a level is not known; None where it is."""
        if self.coverage_at(level) is not None:
            return None
        return "one period" if self.periods == 1 else "not tested"

    def coverage_range(self, level: int) -> tuple[float, float] | None:
        """Return where the share that the next horizon holds lies 90 times in 100; None for not known."""
        expected = self.coverage_at(level)
        if expected is None or math.isinf(self.doubt):
            return None
        return coverage_range(level, expected, self.doubt)

    def reliability(self, level: int) -> dict[str, object]:
        """Return, as JSON types, how far intervals of a level can be trusted."""
        return {
            "calibrated": self.is_calibrated(level),
            "coverage": self.coverage_at(level),
            "coverage_range": self.coverage_range(level),
            "periods": self.periods or None,
            "untested": self.untested(level),
        }

    def is_calibrated(self, level: int) -> bool:
        """Return whether there were enough windows for the conformal quantile of a level."""
        return self.windows >= max(FEWEST_WINDOWS, _windows_for(level))

    @classmethod
    def identity(cls, horizon: int, *, bounded: bool = True, periods: int = 0) -> "Calibration":
        """Return the calibration that leaves half-widths as they are, but for `bounded`."""
        factors = np.ones((horizon, len(CALIBRATED_LEVELS)))
        return cls(factors, windows=0, bounded=bounded, periods=periods)

    def apply(self, forecast: Forecast) -> "IntervalBounds":
        """Return the medians with calibrated half-widths; `forecast` has bounds at `CALIBRATED_LEVELS`."""
        factors = self.factors[: forecast.median.shape[1]]
        rise = LEAST_RISE if self.bounded else 1.0
        widths = np.zeros((1 + len(CALIBRATED_LEVELS), 2, *forecast.median.shape))
        with np.errstate(over="ignore"):
            for side, width in enumerate(half_widths(forecast, CALIBRATED_LEVELS)):
                stretched = np.moveaxis(np.minimum(width * factors, FLOAT_MAX), 2, 0)
                for place, each in enumerate(stretched, 1):
                    widths[place, side] = np.minimum(
                        np.maximum(each, rise * widths[place - 1, side]), FLOAT_MAX
                    )
        return IntervalBounds(forecast.median, widths)

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON types."""
        return {
            "factors": self.factors.tolist(),
            "windows": self.windows,
            "coverage": {str(level): share for level, share in self.coverage.items()},
            "bounded": self.bounded,
            "whole": self.whole,
            "periods": self.periods,
            "doubt": self.doubt if math.isfinite(self.doubt) else None,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Calibration":
        """Invert `to_dict`; what was stored before bounds were limited stays without limits."""
        factors = np.array(stored["factors"], dtype=np.float64)
        coverage = {int(level): float(share) for level, share in stored.get("coverage", {}).items()}
        bounded, whole = (bool(stored.get(name, False)) for name in ("bounded", "whole"))
        windows, doubt = int(stored["windows"]), stored.get("doubt")
        # Stored before these were: without coverage there was one cut, or none.
        periods = stored.get("periods", int(windows > 0 and bounded and not coverage))
        return cls(
            factors,
            windows,
            coverage,
            bounded,
            whole,
            periods=int(periods),
            doubt=math.inf if doubt is None else float(doubt),
        )


@dataclass(frozen=True, eq=False)
class IntervalBounds:
    """`median` (window, horizon) and the `half_widths` (1 + levels, side, window, horizon) of its bounds.

    Level 0 comes first, with half-widths of 0, then `CALIBRATED_LEVELS`; the sides are below and above the
    median.
    """

    median: Floats
    half_widths: Floats

    def at(self, levels: Sequence[int], support: Support | None = None) -> Forecast:
        """Return the forecast with bounds at any levels, which widen with the level.

        Median and bounds are values of the windows' `support`, by default any, and clipped to the range of
        float64. Raise `InvalidLevel`.
        """
        wanted = checked_levels(levels)
        among = support or Support.free(len(self.median))
        # All levels at once, with the median as level 0: for one window the numpy calls are the cost.
        with np.errstate(over="ignore"):
            found = self.median + _SIDES * _at((0, *wanted), self.half_widths)
        bounds = among.quantiles(found, _tails((0, *wanted)))
        return Forecast(
            bounds[0, 0],
            lo={level: bounds[i, 0] for i, level in enumerate(wanted, 1)},
            hi={level: bounds[i, 1] for i, level in enumerate(wanted, 1)},
        )

    def within(self, reach: Reach) -> "IntervalBounds":
        """Return bounds in reach of the windows, no narrower far ahead, levels still apart."""
        limits = reach.limits(self.median)
        widths = widening(approached(self.half_widths, limits), reach.season_length)
        for place in range(len(widths) - 2, 0, -1):
            widths[place] = np.minimum(widths[place], widths[place + 1] / LEAST_RISE)
        return IntervalBounds(self.median, widths)

    def steps(self, count: int) -> "IntervalBounds":
        """Return the first `count` steps ahead."""
        return IntervalBounds(self.median[:, :count], self.half_widths[..., :count])


@cache
def _tails(levels: tuple[int, ...]) -> Floats:
    """Return the probabilities of lower and upper bounds, (levels, side, 1, 1)."""
    tails: Floats = 0.5 + _SIDES * np.array(levels)[:, None, None, None] / 200
    return tails


def _at(levels: tuple[int, ...], half_widths: Floats) -> Floats:
    """Return half-widths (levels, side, window, horizon), interpolated from `CALIBRATED_LEVELS`."""
    left, share = probit_places(PROBABILITIES, tuple(map(_upper, levels)), "left")
    inner, outer = half_widths.take(left, axis=0), half_widths.take(left + 1, axis=0)
    # Rounding must not pass the outer one, where the next level starts.
    between: Floats = np.minimum(inner + share[:, None, None, None] * (outer - inner), outer)
    return between


@cache
def _windows_for(level: int) -> int:
    """Return the number of windows that it takes to calibrate a level, or the calibrated one above it."""
    outer = next(calibrated for calibrated in CALIBRATED_LEVELS if calibrated >= level)
    return math.ceil(outer / (100 - outer))
