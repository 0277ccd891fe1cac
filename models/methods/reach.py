"""How far interval bounds may go: what the history of a series makes plausible, in the units of the data.

Quantiles of logarithms explode where they are exponentiated far ahead. Two limits keep them in reach. Beyond
`settled_steps` the spread grows no faster than that of a random walk. And the distance of a bound from the
last value approaches a few times the range of the history, smoothly, so that no two levels meet.

Nor may they be too sure there: no interval becomes narrower with the step, and on the side that a trend comes
from it knows that the trend may end.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from models.methods.forecast import FLOAT_MAX, Forecast
from models.panel import Floats, Integers, Panel

SETTLED_SEASONS, SETTLED_STEPS = 2, 12
"""Seasons, and at least steps, whose spread is taken as the network forecasts it."""

RANGES = 4.0
"""Ranges of the history that a bound stays within, for a horizon much shorter than the history. This and the
next were chosen on long horizons: `docs/experiments/2026-11-30-intervals.md`."""

MOST_RANGES = 10.0
"""The same for a long horizon: a range that few values had says little about many."""

CONSTANT = 0.05
"""The range of a series that never changed, as a share of its value: even a constant may change."""

SHARE_BEYOND = 0.5
"""Share of a median's own distance that its bounds may add, where it goes as far as the reach itself."""


BACK = 2.0
"""Times a median's distance that the bound on the side it came from may be further away than that."""

TREND_DOUBT = 0.45
"""Standard deviation of where a trend ends, as a share of how far the median goes with it beyond the settled
steps: so a 99 % interval that holds the last value there holds it ever after. Real series are indifferent to
it: `docs/experiments/2026-11-30-short-histories.md`."""


@dataclass(frozen=True, eq=False)
class Reach:
    """The `last` value, the range (`span`) and the number of `steps` of each history: all (series,)."""

    last: Floats
    span: Floats
    steps: Integers
    season_length: int

    @classmethod
    def of(cls, panel: Panel, season_length: int) -> "Reach":
        """Measure histories; each has a value, and `season_length` is that of the shortest season."""
        starts = panel.offsets[:-1]
        known = np.where(np.isfinite(panel.values), np.arange(len(panel.values)), -1)
        last = panel.values[np.maximum.reduceat(known, starts)]
        with np.errstate(over="ignore"):
            span = np.fmax.reduceat(panel.values, starts) - np.fmin.reduceat(panel.values, starts)
        constant = np.where(last == 0, np.inf, CONSTANT * np.abs(last))
        return cls(last, np.where(span > 0, span, constant), panel.lengths, season_length)

    def rows(self, chosen: Integers) -> "Reach":
        """Return the reach of the histories with these numbers."""
        return Reach(self.last[chosen], self.span[chosen], self.steps[chosen], self.season_length)

    def limits(self, median: Floats) -> Floats:
        """Return (side, series, horizon), what half-widths below and above the medians stay under."""
        ahead = np.arange(1, median.shape[1] + 1)
        ranges = np.minimum(RANGES * (1 + ahead / self.steps[:, None]), MOST_RANGES)
        # Values at both ends of float64 have no limit but that of float64.
        with np.errstate(over="ignore", invalid="ignore"):
            outward = median - self.last[:, None]
            gone = np.stack([np.maximum(-outward, 0), np.maximum(outward, 0)])
            left = np.maximum(ranges * self.span[:, None] - gone + BACK * gone[::-1], SHARE_BEYOND * gone)
        return np.where(np.isnan(left), FLOAT_MAX, left)


def approached(half_widths: Floats, limits: Floats) -> Floats:
    """Return half-widths that approach their limits from half of them on, and never pass them.

    Beyond half of it, a width w becomes limit - limit**2 / (4 w): it rises as steeply there as before.
    """
    half = limits / 2
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        bent = limits - half * (half / half_widths)
    return np.where(half_widths > half, bent, half_widths)


def settled_steps(season_length: int) -> int:
    """Return the number of steps whose spread is taken as the network forecasts it."""
    return max(SETTLED_STEPS, SETTLED_SEASONS * season_length)


def slowed(forecast: Forecast, season_length: int) -> Forecast:
    """Return the forecast with bounds that spread no faster than a random walk's beyond `settled_steps`.

    A step is compared with that at its place in the last settled season: the spread may have a season. On the
    side that a trend comes from, the doubt of it is added as deviations of two causes add up: trends that are
    extrapolated far end more often than they steepen (Gardner & McKenzie, 1985, Forecasting Trends in Time
    Series).
    """
    settled, horizon = settled_steps(season_length), forecast.median.shape[1]
    if horizon <= settled:
        return forecast
    beyond = np.arange(settled, horizon)
    at = settled - season_length + (beyond - settled) % season_length
    growth = np.sqrt((beyond + 1) / (at + 1))
    with np.errstate(over="ignore"):
        trend = np.clip(forecast.median[:, beyond] - forecast.median[:, at], -FLOAT_MAX, FLOAT_MAX)

    def limited(bound: Floats, level: int, side: int) -> Floats:
        with np.errstate(over="ignore", invalid="ignore"):
            distance = np.clip(side * (bound - forecast.median), 0, FLOAT_MAX)
            late = np.minimum(distance[:, beyond], distance[:, at] * growth)
            doubted = NormalDist().inv_cdf(0.5 + level / 200) * TREND_DOUBT * np.maximum(-side * trend, 0)
            late = forecast.median[:, beyond] + side * np.hypot(late, doubted)
        return np.concatenate([bound[:, :settled], np.clip(late, -FLOAT_MAX, FLOAT_MAX)], axis=1)

    return Forecast(
        forecast.median,
        lo={level: limited(bound, level, -1) for level, bound in forecast.lo.items()},
        hi={level: limited(bound, level, 1) for level, bound in forecast.hi.items()},
    )


def widening(half_widths: Floats, season_length: int) -> Floats:
    """Return half-widths (..., horizon) that beyond `settled_steps` are no narrower than a season before."""
    first = settled_steps(season_length) - season_length
    late = half_widths[..., first:]
    cycles = -(-late.shape[-1] // season_length)
    if cycles < 2:  # noqa: PLR2004 - there is no season before
        return half_widths
    padded = np.zeros((*late.shape[:-1], cycles * season_length))
    padded[..., : late.shape[-1]] = late
    by_cycle = padded.reshape(*late.shape[:-1], cycles, season_length)
    widest = np.maximum.accumulate(by_cycle, axis=-2).reshape(padded.shape)
    return np.concatenate([half_widths[..., :first], widest[..., : late.shape[-1]]], axis=-1)
