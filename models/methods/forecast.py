"""What every method answers in: medians and interval bounds of many series."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.config import HISTORY_LIMIT, TrainingConfig
from models.errors import HorizonTooLong, InvalidLevel, UnusableHistory
from models.panel import Floats, Panel

MOST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, eq=False)
class Forecast:
    """`median`, and for each level the bounds `lo[level]` and `hi[level]`: all (series, horizon) float64."""

    median: Floats
    lo: dict[int, Floats]
    hi: dict[int, Floats]

    def rows(self, chosen: NDArray[np.bool_]) -> "Forecast":
        """Those of the chosen series alone."""
        return self._each(lambda values: values[chosen])

    def steps(self, count: int) -> "Forecast":
        """Only the first `count` steps ahead."""
        return self._each(lambda values: values[:, :count])

    def moved(self, by: Floats) -> "Forecast":
        """Median and bounds `by` (series, horizon) higher; what leaves float64 stops at its ends."""
        with np.errstate(over="ignore"):
            return self._each(lambda values: within(values + by, -MOST))

    def at_least(self, floor: Floats) -> "Forecast":
        """Nothing below `floor` (series,), and what left float64 at its ends."""
        lowest = np.maximum(floor, -MOST)[:, None]
        return self._each(lambda values: within(values, lowest))

    def _each(self, change: Callable[[Floats], Floats]) -> "Forecast":
        lo, hi = ({k: change(v) for k, v in side.items()} for side in (self.lo, self.hi))
        return Forecast(change(self.median), lo, hi)


def within(values: Floats, lowest: Floats | float) -> Floats:
    """What is no lower than `lowest` and no higher than float64 reaches; np.clip takes ten times as long."""
    within: Floats = np.minimum(np.maximum(values, lowest), MOST)
    return within


def joined(parts: Sequence[Forecast]) -> Forecast:
    """The series of all parts, one part after the other; all have the same levels."""

    def bounds(side: str) -> dict[int, Floats]:
        each = [getattr(part, side) for part in parts]
        return {level: np.concatenate([bound[level] for bound in each]) for level in each[0]}

    return Forecast(np.concatenate([part.median for part in parts]), lo=bounds("lo"), hi=bounds("hi"))


def checked_horizon(config: TrainingConfig, horizon: int | None) -> int:
    if horizon is None:
        return config.horizon
    if not 1 <= horizon <= config.horizon:
        raise HorizonTooLong(
            f"The horizon is {horizon}; this model was trained for 1 to {config.horizon} steps ahead. "
            "Ask for fewer steps, or train a model with a longer horizon."
        )
    return horizon


def checked_levels(levels: Sequence[int]) -> list[int]:
    """The levels in rising order, each once."""
    for level in levels:
        if not 1 <= level <= 99 or level != int(level):  # noqa: PLR2004 - percent
            raise InvalidLevel(f"The level is {level!r}; it must be a whole number from 1 to 99 (percent).")
    return sorted({int(level) for level in levels})


def floors(panel: Panel) -> Floats:
    """(series,): zero for a series that never was below it, else minus infinity.

    Raises `UnusableHistory` for a series without any value.
    """
    lowest = np.fmin.reduceat(panel.values, panel.offsets[:-1])
    if np.isnan(lowest).any():
        index = int(np.flatnonzero(np.isnan(lowest))[0])
        raise UnusableHistory(
            f"Series {index} has no value among its last {HISTORY_LIMIT}: there is nothing to forecast from."
        )
    return np.where(lowest >= 0, 0.0, -np.inf)
