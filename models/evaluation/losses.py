"""The losses that methods are compared by: a rule for each measure, and which of them a comparison takes.

A rule gives (window, horizon) losses whose mean within a group of windows is that group's measure, so that
all tests and choices work alike for each. They read a forecast's bounds at `BACKTEST_LEVELS` at most.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.choices import Measure, MeasureChoice
from models.evaluation.held_out import HeldOut
from models.methods.forecast import Forecast
from models.metrics import mean, mean_by, percentage_errors, pinball_losses, scaled_errors
from models.panel import Floats, Integers

BACKTEST_LEVELS = (80, 95)
"""Levels of the intervals that a backtest has."""

_CHOSEN: dict[MeasureChoice, Measure] = {"auto": "MASE", "mase": "MASE", "rmsse": "RMSSE", "wql": "WQL"}


class Scored(Protocol):
    """Windows with their values (window, horizon), and the scales (window,) of their series."""

    @property
    def target(self) -> Floats: ...
    @property
    def scale(self) -> Floats: ...
    @property
    def root_scale(self) -> Floats: ...


@dataclass(frozen=True)
class _Rule:
    """The losses of a forecast within groups of windows, and whether the windows have any.

    `reads_bounds` is whether they are of quantiles, not of the median alone.
    """

    losses: Callable[[Scored, Forecast, Integers], Floats]
    is_known: Callable[[Scored], bool]
    reads_bounds: bool = False


def measure_of(held_out: HeldOut, *, of_demand: bool = False) -> Measure:
    """Return the measure that was asked for; sMAPE where no window has it.

    `auto` is MASE, or the pinball loss if the series are `of_demand`: the absolute error of intermittent
    demand is least for a forecast of zero. Kolassa (2020), Why the "best" point forecast depends on the
    error or accuracy measure.
    """
    named = "pinball" if of_demand and held_out.measure == "auto" else _CHOSEN[held_out.measure]
    return named if _RULES[named].is_known(held_out) else "sMAPE"


def reads_bounds(measure: Measure) -> bool:
    """Return whether a measure is of quantiles, not of the median alone."""
    return _RULES[measure].reads_bounds


def losses_by(
    measure: Measure, held_out: HeldOut, forecast: Forecast, groups: Integers | None = None
) -> Floats:
    """Return (window, horizon), losses whose mean within a group is its measure; NaN for those left out.

    `groups` (window,) are the units of a verdict unless others are given.
    """
    return losses_within(measure, held_out, forecast, held_out.units if groups is None else groups)


def losses_within(measure: Measure, windows: Scored, forecast: Forecast, groups: Integers) -> Floats:
    """Return `losses_by` for windows that are not, or not any more, those of a backtest."""
    return _RULES[measure].losses(windows, forecast, groups)


def error(held_out: HeldOut, forecast: Forecast, chosen: NDArray[np.bool_] | slice = slice(None)) -> float:
    """Return the mean of the measure over the units, of whose windows all or none are chosen."""
    losses = losses_by(measure_of(held_out), held_out, forecast)
    return mean(mean_by(held_out.units[chosen], losses[chosen]))


def error_over_series(held_out: HeldOut, forecast: Forecast) -> float:
    """Return the mean of the measure over the series."""
    series = held_out.series
    return mean(mean_by(series, losses_by(measure_of(held_out), held_out, forecast, series)))


def absolute_scaled(windows: Scored, forecast: Forecast) -> Floats:
    """Return (window, horizon), the absolute scaled errors whose mean is MASE."""
    return np.abs(scaled_errors(windows.target, forecast.median, windows.scale))


def squared_scaled(windows: Scored, forecast: Forecast) -> Floats:
    """Return (window, horizon), the squared scaled errors; the root of their mean is RMSSE."""
    return scaled_errors(windows.target, forecast.median, windows.root_scale) ** 2


def percentages(windows: Scored, forecast: Forecast) -> Floats:
    """Return (window, horizon), the percentage errors whose mean is sMAPE."""
    return percentage_errors(windows.target, forecast.median)


def quantile_losses(windows: Scored, forecast: Forecast, scale: Floats) -> Floats:
    """Return (window, horizon), the mean pinball loss over median and bounds, in units of scale (window,)."""
    quantiles = {0.5: forecast.median}
    quantiles |= {0.5 - level / 200: forecast.lo[level] for level in BACKTEST_LEVELS}
    quantiles |= {0.5 + level / 200: forecast.hi[level] for level in BACKTEST_LEVELS}
    losses = [
        pinball_losses(scaled_errors(windows.target, bound, scale), quantile)
        for quantile, bound in quantiles.items()
    ]
    mean_loss: Floats = np.mean(losses, axis=0)
    return mean_loss


def _rooted(windows: Scored, forecast: Forecast, groups: Integers) -> Floats:
    """Return the squared scaled errors over the root of their mean within the group: their mean is RMSSE.

    Makridakis, Spiliotis & Assimakopoulos (2022), The M5 accuracy competition.
    """
    squares = squared_scaled(windows, forecast)
    root = np.sqrt(_within(groups, squares))
    rooted: Floats = squares / np.where(root > 0, root, 1.0)[:, None]
    return rooted


def _weighted(windows: Scored, forecast: Forecast, groups: Integers) -> Floats:
    """Return twice the quantile losses over the mean absolute target of the group: their mean is WQL.

    Park et al. (2022), Learning quantile functions without quantile crossing for distribution-free time
    series forecasting, as GluonTS counts it: the sum of losses over that of absolute targets.
    """
    sizes = np.abs(windows.target)
    # Divided by the peak first: a sum of values near the end of float64 would overflow.
    peak = np.nanmax(sizes)
    typical = peak * _within(groups, sizes / peak) if peak > 0 else np.zeros(len(sizes))
    return 2 * quantile_losses(windows, forecast, typical)


def _within(groups: Integers, values: Floats) -> Floats:
    """Return (window,), the mean of the values (window, horizon) in each window's group."""
    return mean_by(groups, values)[np.unique(groups, return_inverse=True)[1]]


_RULES: dict[Measure, _Rule] = {
    "MASE": _Rule(
        losses=lambda windows, forecast, _: absolute_scaled(windows, forecast),
        is_known=lambda windows: bool((windows.scale > 0).any()),
    ),
    "sMAPE": _Rule(
        losses=lambda windows, forecast, _: percentages(windows, forecast),
        is_known=lambda _: True,
    ),
    "pinball": _Rule(
        losses=lambda windows, forecast, _: quantile_losses(windows, forecast, windows.scale),
        is_known=lambda windows: bool((windows.scale > 0).any()),
        reads_bounds=True,
    ),
    "RMSSE": _Rule(
        losses=_rooted,
        is_known=lambda windows: bool((windows.root_scale > 0).any()),
    ),
    "WQL": _Rule(
        losses=_weighted,
        is_known=lambda windows: bool((np.abs(windows.target) > 0).any()),
        reads_bounds=True,
    ),
}
