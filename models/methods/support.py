"""Which values a series takes: a quantile of counts, or of demand with zeros by chance, is one of them.

Networks and simple methods forecast numbers from a continuous range, whose quantiles lie between the values
that come: a lower bound of 0.03 has all zeros below it. Here such a quantile becomes the value that the
distribution has there: the nearest whole number of a count, and 0 as far as zeros come.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.inputs.intermittence import Demand
from models.methods.forecast import FLOAT_MAX, clip, floors
from models.panel import Floats, Integers, Panel

Mask = NDArray[np.bool_]

LEAST_REPEATS = 0.5
"""Share of the values of a count, at least, that came before: where fewer do, rounding says nothing."""

HALF = 0.49
"""Distance to a whole number from which on it is surely the nearest, whatever rounding does to a factor."""


@dataclass(frozen=True, eq=False)
class Support:
    """The values that series take: all (series, 1).

    None is below `lowest`, and those of a count are whole. `zeros` is the share of steps without demand where
    those come by chance, else 0, and `smallest` the least other value, else minus infinity.
    """

    lowest: Floats
    is_count: Mask
    zeros: Floats
    smallest: Floats

    @classmethod
    def of(cls, panel: Panel, demands: Mapping[int, Demand]) -> "Support":
        """Find the support of each series in its history; raise `UnusableHistory` for one without a value.

        `demands` are those of series with zeros by chance, by their number.
        """
        lowest = np.maximum(floors(panel), -FLOAT_MAX)
        zeros, smallest = np.zeros(panel.series), np.full(panel.series, -np.inf)
        for number, demand in demands.items():
            zeros[number], smallest[number] = demand.zeros, demand.smallest
        is_count = _counts(panel, lowest)
        return cls(lowest[:, None], is_count[:, None], zeros[:, None], smallest[:, None])

    @classmethod
    def free(cls, series: int) -> "Support":
        """Return that of series which may take any value."""
        column = np.zeros((series, 1))
        return cls(column - FLOAT_MAX, column > 0, column, column - np.inf)

    @property
    def continuous(self) -> "Support":
        """That of series which may take any value from the lowest on."""
        return Support.free(len(self.lowest)).at_least(self.lowest)

    @property
    def is_discrete(self) -> Mask:
        """(series,) whether they are of counts, or have zeros by chance."""
        return (self.is_count | (self.zeros > 0))[:, 0]

    def at_least(self, lowest: Floats) -> "Support":
        """Return it with nothing below `lowest` (series, 1)."""
        return replace(self, lowest=lowest)

    def rows(self, chosen: Mask | Integers) -> "Support":
        """Return that of the chosen series."""
        return Support(self.lowest[chosen], self.is_count[chosen], self.zeros[chosen], self.smallest[chosen])

    def quantiles(self, found: Floats, probabilities: Floats) -> Floats:
        """Return quantiles (..., series, horizon) as values of the support, clipped to the range of float64.

        `probabilities` (..., 1, 1) are theirs. Rising ones stay in order.
        """
        inside = clip(found, self.lowest)
        if self.is_count.any():
            inside = np.where(self.is_count, np.rint(inside), inside)
        if self.zeros.any():
            inside = np.where(probabilities <= self.zeros, 0.0, np.maximum(inside, self.smallest))
        return inside

    def edges(self, target: Floats, lower: float, upper: float) -> tuple[Floats, Floats]:
        """Return how far an interval must reach to hold its target: lower and upper bound, as `target`.

        From there outward a quantile of probability `lower`, or `upper`, becomes a value that holds it:
        infinite where any one does, or none.
        """
        half = np.where(self.is_count, HALF, 0.0)
        below, above = target + half, target - half
        if self.zeros.any():
            is_least = target <= self.smallest
            below = np.where(target < self.smallest, -np.inf, below)
            below = np.where(lower <= self.zeros, np.inf, below)
            above = np.where(is_least, -np.inf, above)
            above = np.where(upper <= self.zeros, np.where(target > 0, np.inf, -np.inf), above)
        return below, above


def _counts(panel: Panel, lowest: Floats) -> Mask:
    """Return (series,) whether the values are whole, not negative, of some sizes, and mostly repeat."""
    starts = panel.offsets[:-1]
    is_whole = np.isnan(panel.values) | (panel.values == np.rint(panel.values))
    found: Mask = np.logical_and.reduceat(is_whole, starts) & (lowest >= 0)
    for number in np.flatnonzero(found):
        values = panel.values[panel.offsets[number] : panel.offsets[number + 1]]
        values = values[np.isfinite(values)]
        sizes = len(np.unique(values))
        found[number] = 1 < sizes <= (1 - LEAST_REPEATS) * len(values)
    return found
