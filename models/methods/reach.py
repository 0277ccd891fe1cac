"""How far interval bounds may go: what the history of a series makes plausible, in the units of the data.

Quantiles of logarithms explode where they are exponentiated far ahead. Two limits keep them in reach. Beyond
`settled_steps` the spread grows no faster than that of a random walk. And the distance of a bound from the
last value approaches a few times the range of the history, smoothly, so that no two levels meet.
"""

from dataclasses import dataclass

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
            left = np.maximum(ranges * self.span[:, None] - gone, SHARE_BEYOND * gone)
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

    A step is compared with that at its place in the last settled season: the spread may have a season.
    """
    settled, horizon = settled_steps(season_length), forecast.median.shape[1]
    if horizon <= settled:
        return forecast
    beyond = np.arange(settled, horizon)
    at = settled - season_length + (beyond - settled) % season_length
    growth = np.sqrt((beyond + 1) / (at + 1))

    def limited(bound: Floats) -> Floats:
        with np.errstate(over="ignore", invalid="ignore"):
            distance = np.clip(bound - forecast.median, -FLOAT_MAX, FLOAT_MAX)
            most = np.minimum(np.abs(distance[:, at]) * growth, FLOAT_MAX)
            late = forecast.median[:, beyond] + np.clip(distance[:, beyond], -most, most)
        return np.concatenate([bound[:, :settled], np.clip(late, -FLOAT_MAX, FLOAT_MAX)], axis=1)

    return Forecast(
        forecast.median,
        lo={level: limited(bound) for level, bound in forecast.lo.items()},
        hi={level: limited(bound) for level, bound in forecast.hi.items()},
    )
