"""Cross-fitting: methods are fitted on one half of the held-out windows and tested on the other.

Blend weights and calibration are fitted on one half of the windows and applied to the other. The method that
is kept is fitted on all windows.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.evaluation.held_out import HeldOut
from models.methods.calibration import Calibration
from models.methods.combination import Method, weighted_mean
from models.methods.forecast import Forecast, floors
from models.panel import Floats

PARTNER = "theta"
"""The baseline that every network is blended with.

It is fixed, since the best baseline at one cut need not be the best at the next. ETS would take too long for
every forecast.
"""

_SHARES = np.linspace(0, 1, 21)

Uncalibrated = Mapping[str, Forecast]
"""The forecasts of networks and baselines for all windows, by name, with uncalibrated bounds."""

Chosen = NDArray[np.bool_]
"""(window,) the windows to fit on."""

MethodFitter = Callable[[Uncalibrated, HeldOut, Chosen], Method]
"""Fits a method on the chosen windows."""


def calibrate(name: str) -> MethodFitter:
    """Return the fitter that calibrates one of the forecasts."""
    return lambda uncalibrated, held_out, chosen: _calibrated({name: 1.0}, uncalibrated, held_out, chosen)


def fit_blend(network: str) -> MethodFitter:
    """Return the fitter of the network's blend with `PARTNER`, weighted midway between the best and a half.

    Equal weights are hard to beat by fitted ones, which overfit a few cuts: the "forecast combination puzzle"
    of Stock & Watson (2004), Combination Forecasts of Output Growth.
    """

    def fit(uncalibrated: Uncalibrated, held_out: HeldOut, chosen: Chosen) -> Method:
        def error(share: float) -> float:
            return held_out.error(
                weighted_mean(uncalibrated, {network: share, PARTNER: 1 - share}).median, chosen
            )

        best = min(_SHARES, key=error) if chosen.any() else 0.5
        share = float(best + 0.5) / 2
        return _calibrated({network: share, PARTNER: 1 - share}, uncalibrated, held_out, chosen)

    return fit


def fit_method(fit: MethodFitter, uncalibrated: Uncalibrated, held_out: HeldOut) -> Method:
    """Return the method that is kept, fitted on all windows."""
    return fit(uncalibrated, held_out, np.ones(len(held_out), dtype=np.bool_))


def cross_fitted(
    fit: MethodFitter, uncalibrated: Uncalibrated, held_out: HeldOut, levels: Sequence[int]
) -> Forecast:
    """Return the forecast of each window by the method fitted on the other half; bounds at `levels`."""
    first, second = (
        fit(uncalibrated, held_out, chosen).forecast(uncalibrated, levels)
        for chosen in (~held_out.folds, held_out.folds)
    )
    return _merge(held_out.folds, first, second).at_least(floors(held_out.contexts))


def _merge(fold: Chosen, first: Forecast, second: Forecast) -> Forecast:
    """Return the rows of `fold` from the first forecast, and the others from the second."""

    def pick(mine: Floats, other: Floats) -> Floats:
        return np.where(fold[:, None], mine, other)

    return Forecast(
        pick(first.median, second.median),
        lo={level: pick(bound, second.lo[level]) for level, bound in first.lo.items()},
        hi={level: pick(bound, second.hi[level]) for level, bound in first.hi.items()},
    )


def _calibrated(
    weights: Mapping[str, float], uncalibrated: Uncalibrated, held_out: HeldOut, chosen: Chosen
) -> Method:
    forecast = weighted_mean(uncalibrated, weights).rows(chosen)
    return Method(weights, Calibration.of(forecast, held_out.target[chosen]))
