"""Methods learned from the backtest's windows, and tested on windows that they were not learned from.

Whatever a method takes from the windows, the weights of a blend and the calibration of its bounds, is learned
from one half of them and tested on the other, and the other way round: cross-fitting. The method that is kept
learns from all.
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
"""The simple method that a network is blended with; which one did best at one cut says little about the next.

ETS takes too long to be asked at every forecast.
"""

_SHARES = np.linspace(0, 1, 21)

Raw = Mapping[str, Forecast]
"""By name, what the network and the simple methods answered for all windows, their bounds not calibrated."""

Chosen = NDArray[np.bool_]
"""(window,): the windows to learn from."""

Learner = Callable[[Raw, HeldOut, Chosen], Method]


def alone(name: str) -> Learner:
    """Learns the calibration of one of the raw forecasts."""
    return lambda raw, held_out, chosen: _calibrated({name: 1.0}, raw, held_out, chosen)


def blend(network: str) -> Learner:
    """Learns how much the network weighs in its blend with `PARTNER`: midway between the best and a half.

    Equal weights are hard to beat by learned ones, which follow the accidents of a few cuts: the "forecast
    combination puzzle" of Stock & Watson (2004), Combination Forecasts of Output Growth.
    """

    def learn(raw: Raw, held_out: HeldOut, chosen: Chosen) -> Method:
        def error(share: float) -> float:
            return held_out.error(weighted_mean(raw, {network: share, PARTNER: 1 - share}).median, chosen)

        best = min(_SHARES, key=error) if chosen.any() else 0.5
        share = float(best + 0.5) / 2
        return _calibrated({network: share, PARTNER: 1 - share}, raw, held_out, chosen)

    return learn


def learned(learn: Learner, raw: Raw, held_out: HeldOut) -> Method:
    """The method that is kept."""
    return learn(raw, held_out, np.ones(len(held_out), dtype=np.bool_))


def cross_fitted(learn: Learner, raw: Raw, held_out: HeldOut, levels: Sequence[int]) -> Forecast:
    """What it answers for each window, learned from the half without it; bounds at `levels`."""
    first, second = (
        learn(raw, held_out, chosen).forecast(raw, levels) for chosen in (~held_out.halves, held_out.halves)
    )
    return _either(held_out.halves, first, second).at_least(floors(held_out.known))


def _either(half: Chosen, first: Forecast, second: Forecast) -> Forecast:
    """The rows of `half` from the first, the others from the second."""

    def pick(ours: Floats, theirs: Floats) -> Floats:
        return np.where(half[:, None], ours, theirs)

    return Forecast(
        pick(first.median, second.median),
        lo={level: pick(bound, second.lo[level]) for level, bound in first.lo.items()},
        hi={level: pick(bound, second.hi[level]) for level, bound in first.hi.items()},
    )


def _calibrated(weights: Mapping[str, float], raw: Raw, held_out: HeldOut, chosen: Chosen) -> Method:
    forecast = weighted_mean(raw, weights).rows(chosen)
    return Method(weights, Calibration.of(forecast, held_out.target[chosen]))
