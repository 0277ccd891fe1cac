"""What a test of held-out windows is worth: its units, how far they move together, and the error of a mean.

Errors of series at the same calendar steps share their shocks, and those of a series at several cuts share
the series. Units are counted two ways, and the more cautious one holds: series, whose variance is inflated by
how far they move together, and cuts where there are enough of them. The mean loss difference over a panel is
tested as Diebold & Mariano (1995), Comparing Predictive Accuracy, test one series'; Akgun, Pirotte, Urga &
Yang (2024), Equal Predictive Ability Tests Based on Panel Data with Applications to OECD and IMF Forecasts,
allow for errors that series have in common. Few cuts are compared with Student's t, as Harvey, Leybourne &
Newbold (1997), Testing the Equality of Prediction Mean Squared Errors, advise. The variance by cut or by
series is the larger one of Cameron, Gelbach & Miller (2011), Robust Inference with Multiway Clustering.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.choices import Unit
from models.evaluation import student
from models.evaluation.dependence import Movement, common_movement, mean_correlation
from models.evaluation.held_out import HeldOut
from models.metrics import mean_by
from models.panel import Floats

FEWEST_UNITS = 6
"""With five units the smallest possible p-value, 2 / 2**5, is above the level: nothing is decided."""

CONFIDENCE = 0.9
"""Of the interval for an effect."""

MOST_CARRIED = 0.9
"""The largest autocorrelation of cuts that counts: with more, a dozen of them are one."""

_ROUNDING = 1e-9

_LARGEST_EXPONENT = 700.0
"""Past it an interval would leave float64."""


@dataclass(frozen=True, eq=False)
class Counting:
    """One way to count the units of a test.

    `of` gives each unit's share (units,) of losses (window, horizon), whose mean is the mean loss; `weights`
    (units,) are those of a loss of 1. `effective` units are independent; `inflation` is the variance of the
    mean over that which the differences between units suggest, and `freedom` the degrees of t.
    """

    unit: Unit
    of: Callable[[Floats], Floats]
    weights: Floats
    effective: float
    inflation: float
    freedom: float

    @property
    def suffices(self) -> bool:
        """Whether there are units enough to decide anything."""
        return self.effective > FEWEST_UNITS - _ROUNDING

    def standard_error(self, shares: Floats) -> float:
        """Return the standard error of the mean of shares (units,); infinite for a single unit."""
        if len(shares) == 1:
            return math.inf
        residuals = shares - shares.mean() * self.weights
        variance = (residuals**2).sum() / (len(shares) - 1) / len(shares)
        return math.sqrt(variance * self.inflation)

    def p_value(self, gap: Floats) -> float:
        """Return the two-sided p-value of the mean of a gap (window, horizon), by Student's t.

        Gaps that are skewed say less of their mean: `models.evaluation.student.cautious`.
        """
        shares = self.of(gap)
        error = self.standard_error(shares)
        center = float(shares.mean())
        if error == 0:
            return 1.0 if center == 0 else 0.0
        t = student.cautious(center / error, shares - center * self.weights, self.effective)
        return student.two_sided(abs(t), self.freedom)

    def log_error(self, ours: Floats, theirs: Floats) -> float:
        """Return the standard error of the logarithm of the ratio of two mean losses (delta method)."""
        mine, others = self.of(ours), self.of(theirs)
        ratio = float(mine.mean() / others.mean())
        return self.standard_error(mine - ratio * others) / (ratio * float(others.mean()))

    def p_value_of_ratio(self, ours: Floats, theirs: Floats) -> float:
        """Return the two-sided p-value of the ratio of two mean losses, of which none is 0.

        It is above 1 - `CONFIDENCE` where `interval` holds 0.
        """
        center = abs(math.log(float(self.of(ours).mean() / self.of(theirs).mean())))
        error = self.log_error(ours, theirs)
        return 1.0 if center == 0 else student.two_sided(center / error if error else math.inf, self.freedom)

    def interval(self, ours: Floats, theirs: Floats) -> tuple[float, float]:
        """Return the `CONFIDENCE` interval for the ratio of two mean losses, less 1."""
        ratio = float(self.of(ours).mean() / self.of(theirs).mean())
        if ratio == 0:
            return -1.0, -1.0
        reach = student.critical(1 - CONFIDENCE, self.freedom) * self.log_error(ours, theirs)
        if not reach < _LARGEST_EXPONENT:
            return -1.0, math.inf
        return ratio * math.exp(-reach) - 1, ratio * math.exp(reach) - 1


@dataclass(frozen=True, eq=False)
class Evidence:
    """The ways to count the units of a test that hold: the most cautious of them decides.

    `series` of them, at so many `cuts`, move together as `movement` says. `suffices` is whether there are
    enough to decide anything; if not, the ways are those that fall short.
    """

    countings: tuple[Counting, ...]
    movement: Movement
    series: int
    cuts: int
    suffices: bool

    @property
    def effective_units(self) -> float:
        """The independent units that the test is worth."""
        return max(counting.effective for counting in self.countings)

    def p_value(self, gap: Floats) -> float:
        """Return the largest p-value of the mean of a gap (window, horizon), by Student's t.

        Too few units give none below that of all signs alike, both ways: `FEWEST_UNITS` says why.
        """
        found = [counting.p_value(gap) for counting in self.countings]
        if not self.suffices:
            found.append(0.5 ** (math.floor(self.effective_units) - 1))
        return min(1.0, max(found))

    def p_value_of_ratio(self, ours: Floats, theirs: Floats) -> float:
        """Return the largest p-value of the ratio of two mean losses, of which none is 0."""
        return max(counting.p_value_of_ratio(ours, theirs) for counting in self.countings)

    def interval(self, ours: Floats, theirs: Floats) -> tuple[float, float] | None:
        """Return the widest interval for the ratio of two mean losses, less 1; None for no finite one."""
        found = [counting.interval(ours, theirs) for counting in self.countings]
        low, high = min(low for low, _ in found), max(high for _, high in found)
        return (low, high) if math.isfinite(high) else None


def weigh(held_out: HeldOut, gap: Floats) -> Evidence:
    """Return what the windows are worth for a test of `gap` (window, horizon), a loss less another.

    All values are finite or all NaN where there is no loss. The gap's own dependence counts where it is
    surely larger than that of the histories.
    """
    counted = np.isfinite(mean_by(np.arange(len(gap)), gap))
    tested = np.unique(held_out.series[counted])
    cuts = np.unique(held_out.cut[counted])
    if held_out.unit == "cut":
        alone = Movement(len(tested), 0.0, math.inf)
        found = [_by_cut(gap, lambda losses: _finite(mean_by(held_out.cut, losses)))]
    else:
        alone = common_movement(held_out.history(tested), held_out.season_length, held_out.horizon)
        alone = alone.at_least(_movement_of_gaps(held_out, gap, counted))
        found = [_by_series(held_out, alone)]
        if len(cuts) >= FEWEST_UNITS:
            found.append(_by_cut(gap, lambda losses: _cut_shares(held_out, losses)))
    enough = tuple(counting for counting in found if counting.suffices)
    return Evidence(enough or tuple(found), alone, len(tested), len(cuts), bool(enough))


def _by_series(held_out: HeldOut, movement: Movement) -> Counting:
    return Counting(
        "series",
        lambda losses: _finite(mean_by(held_out.series, losses)),
        weights=np.ones(movement.series),
        effective=movement.effective_series,
        inflation=movement.inflation,
        freedom=max(1.0, min(movement.effective_series - 1, movement.steps)),
    )


def _by_cut(gap: Floats, of: Callable[[Floats], Floats]) -> Counting:
    """Count cuts; successive ones that err alike are worth less.

    What is carried over is the autocorrelation of lag 1, plus its bias without any: Moran (1948), Some
    Theorems on Time Series II. The variance of the mean is then an AR(1)'s.
    """
    weights, shares = of(np.where(np.isfinite(gap), 1.0, np.nan)), of(gap)
    residuals = shares - shares.mean() * weights
    squares = float((residuals**2).sum())
    found = float(residuals[1:] @ residuals[:-1]) / squares if squares > 0 else -1.0
    carried = min(max(0.0, found + 1 / len(shares)), MOST_CARRIED)
    inflation = (1 + carried) / (1 - carried)
    effective = len(shares) / inflation
    return Counting("cut", of, weights, effective, inflation, max(1.0, effective - 1))


def _cut_shares(held_out: HeldOut, losses: Floats) -> Floats:
    """Return (cuts,), the share of each in the mean loss over the series; their mean is that one."""
    there = np.isfinite(losses)
    counts = np.bincount(held_out.series, there.sum(axis=1).astype(np.float64))[held_out.series]
    weights = 1 / np.maximum(counts, 1)
    totals: Floats = np.where(there, losses, 0.0).sum(axis=1) * weights
    sums = np.bincount(held_out.cut, weights=totals).astype(np.float64)
    held: Floats = sums[np.bincount(held_out.cut, there.any(axis=1)) > 0]
    tested = len(np.unique(held_out.series[there.any(axis=1)]))
    return held * len(held) / tested


def _movement_of_gaps(held_out: HeldOut, gap: Floats, counted: NDArray[np.bool_]) -> Movement:
    """Return how far the series' gaps move together from cut to cut."""
    tested, row = np.unique(held_out.series[counted], return_inverse=True)
    table = np.full((len(tested), held_out.cuts), np.nan)
    table[row, held_out.cut[counted]] = np.nanmean(gap[counted], axis=1)
    found = mean_correlation(table)
    return replace(found, steps=max(0.0, found.steps - 1))


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]
