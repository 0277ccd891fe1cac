"""A forecast: medians and interval bounds of many series."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.choices import NO_LIMITS, Limits
from models.config import TrainingConfig
from models.errors import InvalidLevel, UnusableHistory
from models.horizon import check_trained
from models.panel import Floats, Panel

FLOAT_MAX = float(np.finfo(np.float64).max)


class SmoothedMeans(NamedTuple):
    """Means smoothed from values: `values` (series, horizon), used as far as `share` (series, 1) says."""

    values: Floats
    share: Floats


@dataclass(frozen=True, eq=False)
class Forecast:
    """`median`, and for each level the bounds `lo[level]` and `hi[level]`: all (series, horizon) float64.

    `smoothed` are means that do not follow from the bounds, where there are some.
    """

    median: Floats
    lo: dict[int, Floats]
    hi: dict[int, Floats]
    smoothed: SmoothedMeans | None = None

    def rows(self, chosen: NDArray[np.bool_]) -> "Forecast":
        """Return the forecast of the chosen (series,) alone."""
        return self._each(lambda values: values[chosen])

    def steps(self, count: int) -> "Forecast":
        """Return the first `count` steps ahead."""
        return self._each(lambda values: values[:, :count])

    def shifted(self, by: Floats) -> "Forecast":
        """Return median and bounds plus `by` (series, horizon), clipped to the range of float64."""
        with np.errstate(over="ignore"):
            return self._each(lambda values: clip(values + by, -FLOAT_MAX))

    def at_least(self, floor: Floats) -> "Forecast":
        """Return median and bounds no lower than `floor` (series,), clipped to the range of float64."""
        lowest = np.maximum(floor, -FLOAT_MAX)[:, None]
        return self._each(lambda values: clip(values, lowest))

    def within(self, limits: Limits) -> "Forecast":
        """Return median and bounds inside limits.

        If they are to be whole, the median is the nearest number, and an interval has the whole numbers that
        were within it, and the median.
        """
        if limits == NO_LIMITS:
            return self
        whole = self._rounded() if limits.integer else self
        return whole.clipped(*limits.range)

    def clipped(self, lowest: float, highest: float) -> "Forecast":
        """Return median and bounds between two numbers."""
        return self._each(lambda values: clip(values, lowest, highest))

    def _rounded(self) -> "Forecast":
        # Zero is added to turn -0.0 into 0.0.
        median = np.rint(self.median) + 0.0
        lo = {level: np.minimum(np.ceil(bound) + 0.0, median) for level, bound in self.lo.items()}
        hi = {level: np.maximum(np.floor(bound) + 0.0, median) for level, bound in self.hi.items()}
        return Forecast(median, lo, hi)

    def _each(self, change: Callable[[Floats], Floats]) -> "Forecast":
        lo, hi = ({k: change(v) for k, v in side.items()} for side in (self.lo, self.hi))
        return Forecast(change(self.median), lo, hi)


def clip(values: Floats, lowest: Floats | float, highest: float = FLOAT_MAX) -> Floats:
    """Return values between `lowest` and `highest`, the end of float64; np.clip takes ten times as long."""
    clipped: Floats = np.minimum(np.maximum(values, lowest), highest)
    return clipped


def joined(parts: Sequence[Forecast]) -> Forecast:
    """Return the series of all parts, one part after the other; all have the same levels."""

    def bounds(side: str) -> dict[int, Floats]:
        each = [getattr(part, side) for part in parts]
        return {level: np.concatenate([bound[level] for bound in each]) for level in each[0]}

    return Forecast(np.concatenate([part.median for part in parts]), lo=bounds("lo"), hi=bounds("hi"))


def checked_horizon(config: TrainingConfig, horizon: int | None) -> int:
    """Return the horizon, by default the trained one. Raise `HorizonTooLong` unless it is 1 to that."""
    if horizon is None:
        return config.horizon
    check_trained(horizon, config.horizon)
    return horizon


def checked_levels(levels: Sequence[int]) -> list[int]:
    """Return the levels in rising order, each once. Raise `InvalidLevel`."""
    for level in levels:
        if not 1 <= level <= 99 or level != int(level):  # noqa: PLR2004 - percent
            raise InvalidLevel(f"The level is {level!r}; it must be a whole number from 1 to 99 (percent).")
    return sorted({int(level) for level in levels})


def floors(panel: Panel) -> Floats:
    """Return (series,): zero for a series without negative values, else minus infinity.

    Raise `UnusableHistory` for a series without any value.
    """
    smallest = np.fmin.reduceat(panel.values, panel.offsets[:-1])
    if np.isnan(smallest).any():
        index = int(np.flatnonzero(np.isnan(smallest))[0])
        raise UnusableHistory(
            f"Series {index} has no value among its last {panel.lengths[index]}: "
            "there is nothing to forecast from."
        )
    return np.where(smallest >= 0, 0.0, -np.inf)
