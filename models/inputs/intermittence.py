"""Intermittent demand: series with zeros by chance between their values, and how much comes on average.

Syntetos & Boylan (2005), The accuracy of intermittent demand estimates: demand is intermittent if it comes,
on average, less often than every 1.32 steps. Zeros that follow a season, or that only begin a series, are not
by chance. Where more end it than chance would make, demand may be over.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.panel import Floats, Panel

Mask = NDArray[np.bool_]

INTERVAL = 1.32
"""The least average interval between demands of an intermittent series, in steps."""

FEWEST_ZEROS = 0.05
"""Share of the steps that are zero where the mean demand is that of the history."""

LARGEST_CHANCE = 0.001
"""Largest chance that zeros at one end of a series are as many as they are, if the others are by chance."""

LEAST_CYCLES = 3
"""Cycles from which on a season is looked for."""

SEASONAL_SHARE = 0.5
"""Share of the variance of whether there is demand: where the season tells more, zeros are not by chance."""

MEMORY = 0.02
"""Weight of the last step in the level of demand: half of the weight is on the last 34 steps."""

FEWEST_AT_END = 3
"""Zeros after the last demand that may mean its end; fewer are a holiday, or steps without a report."""

RECENT = 50
"""Last demands whose sizes are those that may come, if demand is not over."""

LOST = 0.1
"""Share of the chance of demand that is lost with each demand that did not come: the usual one of TSB."""


@dataclass(frozen=True, eq=False)
class Demand:
    """The demand of one series with zeros by chance: its `interval` in steps, and what comes on average.

    `level` is the mean of a step, and `zeros` the share of steps without demand, with exponential weights;
    `smallest` is the least demand. `season` (season length,) is in units of the level; the first is that of
    the step after the last value. `sizes` are the last demands, without season, of a series whose demand may
    be over, else None.
    """

    interval: float
    level: float
    zeros: float
    smallest: float
    season: Floats
    sizes: Floats | None = None

    @property
    def is_intermittent(self) -> bool:
        """Whether demand comes less often than every `INTERVAL` steps."""
        return self.interval >= INTERVAL

    def means(self, horizon: int) -> Floats:
        """Return (horizon,), the mean demand of each step ahead."""
        with np.errstate(over="ignore"):
            found: Floats = np.minimum(self.level * np.resize(self.season, horizon), np.finfo(np.float64).max)
        return found

    def quantiles(self, probabilities: Floats, horizon: int) -> Floats | None:
        """Return (..., horizon), the quantiles of demand that may be over; None for demand that goes on.

        They are 0 as far as zeros come, and those of its sizes beyond.
        """
        if self.sizes is None:
            return None
        left = (probabilities - self.zeros) / max(1 - self.zeros, 1e-300)
        found = np.where(left > 0, np.quantile(self.sizes, left.clip(0, 1)), 0.0)
        with np.errstate(over="ignore"):
            ahead: Floats = found[..., None] * np.resize(self.season, horizon)
        return np.minimum(ahead, np.finfo(np.float64).max)

    @classmethod
    def of(cls, values: Floats, season_length: int) -> "Demand | None":
        """Measure the demand in the values of a series; None where zeros are not by chance, or too few.

        `values` (steps,) are NaN for gaps; `season_length` is that of the shortest season, 1 for none.
        """
        values = values[_launch(values) :]
        known = np.isfinite(values)
        of_known = values[known]
        has_demand = of_known > 0
        steps, count = len(of_known), int(np.count_nonzero(has_demand))
        if of_known.min() < 0:
            return None
        if count == 0:
            return cls(np.inf, 0.0, 1.0, np.inf, np.ones(1))
        interval, smallest = steps / count, float(of_known[has_demand].min())
        if _has_ended(has_demand):
            return cls._ending(values, season_length, interval, smallest)
        if steps - count < FEWEST_ZEROS * steps or _is_seasonal(values, season_length):
            return None
        usual = _Usual.of(values, season_length)
        return cls(interval, usual.level, usual.zeros, smallest, usual.season)

    @classmethod
    def _ending(cls, values: Floats, season_length: int, interval: float, smallest: float) -> "Demand | None":
        """Measure demand that may be over: as it was, but for a chance that each demand missed makes less.

        Teunter, Syntetos & Babai (2011), Intermittent demand: linking forecasting to inventory obsolescence.
        Return None where as many zeros came before, and demand after them.
        """
        at = np.flatnonzero(values > 0)
        gone, zeros = len(values) - 1 - int(at[-1]), int(np.count_nonzero(values[at[-1] :] == 0))
        if zeros < FEWEST_AT_END or gone < np.diff(at).max(initial=1):
            return None
        usual = _Usual.of(values[: at[-1] + 1], season_length)
        left = (1 - LOST) ** (zeros * (1 - usual.zeros))
        chance = left * (1 - usual.zeros)
        own = usual.season[(at - at[-1] - 1) % len(usual.season)]
        sizes = (values[at] / np.where(own > 0, own, 1.0))[-RECENT:]
        season = np.roll(usual.season, -gone)
        return cls(interval, left * usual.level, 1 - chance, smallest, season, sizes)


def demands(panel: Panel, season_length: int) -> dict[int, Demand]:
    """Return the demand of each series with zeros by chance, by its number."""
    with_zeros = np.flatnonzero(np.logical_or.reduceat(panel.values == 0, panel.offsets[:-1]))
    rows = {number: panel.values[panel.offsets[number] : panel.offsets[number + 1]] for number in with_zeros}
    found = {int(number): Demand.of(values, season_length) for number, values in rows.items()}
    return {number: demand for number, demand in found.items() if demand is not None}


def _launch(values: Floats) -> int:
    """Return where demand begins: 0, or past the zeros before it if they are too many to be by chance."""
    at = np.flatnonzero(values > 0)
    if len(at) < 2 or at[0] == 0:  # noqa: PLR2004 - one demand has no interval
        return 0
    share = (len(at) - 1) / np.count_nonzero(np.isfinite(values[at[0] + 1 :]))
    zeros = np.count_nonzero(np.isfinite(values[: at[0]]))
    return int(at[0]) if (1 - share) ** zeros < LARGEST_CHANCE else 0


def _has_ended(has_demand: Mask) -> bool:
    """Return whether the zeros after the last demand are too many to be by chance."""
    at = np.flatnonzero(has_demand)
    if len(at) < 2:  # noqa: PLR2004 - as above
        return False
    share = (len(at) - 1) / at[-1]
    return bool((1 - share) ** (len(has_demand) - 1 - at[-1]) < LARGEST_CHANCE)


class _Usual(NamedTuple):
    """The level of demand, its share of zeros and its season, as those of `Demand`."""

    level: float
    zeros: float
    season: Floats

    @classmethod
    def of(cls, values: Floats, season_length: int) -> "_Usual":
        """Measure them in values with some demand, NaN for gaps."""
        known = np.isfinite(values)
        of_known = values[known]
        largest, weights = of_known.max(), _weights(len(values))[known]
        level = float((weights * (of_known / largest)).sum() / weights.sum() * largest)
        zeros = 1 - float(weights[of_known > 0].sum() / weights.sum())
        cycles = _cycles(values, season_length)
        season = np.ones(1) if cycles is None else _Places.of(cycles / largest).season
        return cls(level, zeros, season)


def _is_seasonal(values: Floats, season_length: int) -> bool:
    """Return whether the place in the season tells whether there is demand."""
    cycles = _cycles(values, season_length)
    return cycles is not None and _Places.of(np.where(np.isfinite(cycles), cycles > 0, np.nan)).is_clear


@lru_cache(maxsize=1000)
def _weights(steps: int) -> Floats:
    """Return (steps,), the weights of the last steps, up to 1."""
    return np.power(1 - MEMORY, np.arange(steps - 1, -1, -1, dtype=np.float64))


def _cycles(values: Floats, length: int) -> Floats | None:
    """Return the last values (cycles, length) with one at every place; None for no season, or too few."""
    count = len(values) // length
    if length == 1 or count < LEAST_CYCLES:
        return None
    cycles = values[-count * length :].reshape(count, length)
    return cycles if np.isfinite(cycles).any(axis=0).all() else None


@dataclass(frozen=True, eq=False)
class _Places:
    """The `mean` of each place in a season (length,) of `cycles`, and the share of variance `explained`."""

    mean: Floats
    cycles: int
    explained: float

    @classmethod
    def of(cls, cycles: Floats) -> "_Places":
        """Measure values (cycles, length) from 0 to 1, NaN for gaps; each place has one."""
        known = np.isfinite(cycles)
        values: Floats = cycles if known.all() else np.where(known, cycles, 0.0)
        counts = known.sum(axis=0, dtype=np.float64)
        mean, count = values.sum(axis=0) / counts, int(counts.sum())
        squares = float((values**2).sum())
        total = (squares - float(values.sum()) ** 2 / count) / (count - 1)
        rest = (squares - float((counts * mean**2).sum())) / max(1, count - len(mean))
        return cls(mean, len(cycles), max(0.0, 1 - rest / total) if total > 0 else 0.0)

    @property
    def is_clear(self) -> bool:
        """Whether the place tells most."""
        return self.explained > SEASONAL_SHARE

    @property
    def season(self) -> Floats:
        """(length,) the means in units of their mean, drawn to 1 as far as chance alone makes them differ.

        The mean of so many `cycles` has that part of the noise of one value.
        """
        mean = self.mean.mean()
        if mean <= 0:
            return np.ones(1)
        own = self.cycles * self.explained
        season: Floats = 1 + own / (own + 1 - self.explained) * (self.mean / mean - 1)
        return season
