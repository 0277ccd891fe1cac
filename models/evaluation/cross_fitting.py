"""Cross-fitting: methods are fitted on a part of the held-out windows and tested on the rest.

Blend weights are fitted on one half of the units and applied to the other. Bounds are calibrated on all cuts
but one and tested on that, since windows of one cut share their period; where there is one cut alone, on one
half and the other. The method that is kept is fitted on all windows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.evaluation import losses
from models.evaluation.held_out import HeldOut
from models.methods.baselines import BASELINES, OF_DEMAND
from models.methods.calibration import CALIBRATED_LEVELS, Calibration, IntervalBounds
from models.methods.combination import Method, primary_of, weighted_mean
from models.methods.forecast import Forecast
from models.methods.reach import Reach, slowed
from models.methods.support import Support
from models.panel import Floats, Integers

PARTNER = "theta"
"""The baseline that every network is blended with.

It is fixed, since the best baseline at one cut need not be the best at the next. ETS would take too long for
every forecast.
"""

CUTS_HALFWAY = 2.0
"""Cuts at which the factors go half of their way from 1."""

WINDOWS_HALFWAY = 50.0
"""Windows at which they do, of as many cuts as one likes."""

_SHARES = np.linspace(0, 1, 21)

Uncalibrated = Mapping[str, Forecast]
"""The forecasts of networks and baselines for all windows, by name, with uncalibrated bounds."""

Chosen = NDArray[np.bool_]
"""(window,) the windows to fit on."""

Weights = Mapping[str, float]
"""The weights of the forecasts in a method, by name."""


class Targets(Protocol):
    """Windows with their values (window, horizon), and which ones their series take."""

    @property
    def target(self) -> Floats: ...
    @property
    def support(self) -> Support: ...


WeightsFitter = Callable[[Uncalibrated, HeldOut, Chosen], Weights]
"""Fits the weights of a method on the chosen windows."""


def alone(name: str) -> WeightsFitter:
    """Return the fitter of a method that is one of the forecasts."""
    return lambda uncalibrated, held_out, chosen: {name: 1.0}  # noqa: ARG005 - nothing is fitted


def fit_blend(network: str) -> WeightsFitter:
    """Return the fitter of the network's blend with `PARTNER`, weighted midway between the best and a half.

    Equal weights are hard to beat by fitted ones, which overfit a few cuts: the "forecast combination puzzle"
    of Stock & Watson (2004), Combination Forecasts of Output Growth.
    """

    def fit(uncalibrated: Uncalibrated, held_out: HeldOut, chosen: Chosen) -> Weights:
        def error(share: float) -> float:
            blend = weighted_mean(uncalibrated, {network: share, PARTNER: 1 - share})
            return losses.error(held_out, blend, chosen)

        best = min(_SHARES, key=error) if chosen.any() else 0.5
        share = float(best + 0.5) / 2
        return {network: share, PARTNER: 1 - share}

    return fit


def fit_method(fit: WeightsFitter, uncalibrated: Uncalibrated, held_out: HeldOut, reach: Reach) -> Method:
    """Return the method that is kept, fitted on all windows, of which no two share steps."""
    weights = fit(uncalibrated, held_out, np.ones(len(held_out), dtype=np.bool_))
    forecast = slowed(weighted_mean(uncalibrated, weights), reach.season_length)
    strength = _strength(weights, held_out.cut)
    return Method(weights, Calibration.of(forecast, held_out.target, strength, held_out.support))


def cross_fitted(
    fit: WeightsFitter, uncalibrated: Uncalibrated, held_out: HeldOut, levels: Sequence[int], reach: Reach
) -> Forecast:
    """Return the forecast of each window by a method that was not fitted on it; bounds at `levels`.

    Nor on one that shares a step with it, as far as there are others. `reach` is that of the contexts.
    """
    median = np.empty(held_out.target.shape)
    widths = np.empty((1 + len(CALIBRATED_LEVELS), 2, *median.shape))
    for fold in (held_out.folds, ~held_out.folds):
        weights = fit(uncalibrated, held_out, ~fold & held_out.is_apart)
        forecast = slowed(weighted_mean(uncalibrated, weights), reach.season_length)
        median[fold] = forecast.median[fold]
        strength = _strength(weights, held_out.apart.cut)
        for tested, fitted in _splits(held_out, fold):
            widths[:, :, tested] = left_out(forecast, held_out, strength, tested, fitted)
    bounds = IntervalBounds(median, widths).within(reach)
    return bounds.at(levels, held_out.support)


def left_out(forecast: Forecast, windows: Targets, strength: float, tested: Chosen, fitted: Chosen) -> Floats:
    """Return half-widths (1 + levels, side, tested, horizon), calibrated on the fitted windows alone.

    `strength` is that of the factors from all windows: it is tested too.
    """
    support = windows.support.rows(fitted)
    calibration = Calibration.of(forecast.rows(fitted), windows.target[fitted], strength, support)
    return calibration.apply(forecast.rows(tested)).half_widths


def strength_of(cut: Integers) -> float:
    """Return the share of their way from 1 that factors go, from the cut of each window (window,)."""
    return _share_of(cut, WINDOWS_HALFWAY)


def reported_share(cut: Integers, support: Support) -> float:
    """Return the share that what was held at cuts left out has in what is reported; pooled evidence the rest.

    Few cuts say little of the next one, and kinds of series differ: `CUTS_HALFWAY` of them count half, for
    one series as for many. Intervals of whole numbers hold more than their level by design: as far as series
    have such a `support`, all of it is reported.
    """
    discrete = float(support.is_discrete.mean()) if len(cut) else 0.0
    return discrete + (1 - discrete) * _share_of(cut, 0.0)


def _share_of(cut: Integers, halfway: float) -> float:
    """Return the share that cuts count for, and so many windows half of.

    Cuts with unlike numbers of windows count as fewer: the square of the sum over the sum of squares.
    """
    counts = np.unique(cut, return_counts=True)[1].astype(np.float64)
    windows = counts.sum()
    if windows == 0:
        return 0.0
    cuts = windows**2 / (counts**2).sum()
    return float(cuts / (cuts + CUTS_HALFWAY) * windows / (windows + halfway))


def _strength(weights: Weights, cut: Integers) -> float:
    """Return how far factors go; all of their way for a baseline whose own bounds are a mere guess."""
    return 1.0 if primary_of(weights) in {**BASELINES, **OF_DEMAND} else strength_of(cut)


def _splits(held_out: HeldOut, fold: Chosen) -> Iterator[tuple[Chosen, Chosen]]:
    """Yield which windows of a fold to test on which others: on other cuts, or else on the other fold."""
    for cut in np.unique(held_out.cut):
        fitted = held_out.is_apart & held_out.is_clear_of(cut)
        yield fold & (held_out.cut == cut), fitted if fitted.any() else held_out.is_apart & ~fold
