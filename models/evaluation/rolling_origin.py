"""Where a backtest cuts the series: a rolling origin. Tashman (2000), Out-of-sample tests of forecasting.

Cuts closer together than a horizon make windows that share steps, and so their surprises. All of them are
forecast and measured, but what is concluded comes from those that are apart: calibration and verdict.
"""

from dataclasses import dataclass

import numpy as np

from models.config import MIN_INPUTS, TrainingConfig
from models.errors import InvalidConfig, UnusableHistory
from models.methods.forecast import checked_levels
from models.panel import Floats, Integers, Panel

FEW_SERIES = 6
"""With fewer series the units of a verdict are cuts, so there are more of them."""

MAX_CUTS = 8
MAX_CUTS_OF_FEW = 12

HISTORY_PER_CUT = 5
"""Horizons of history that there are for each cut: a fifth of it is held out."""


@dataclass(frozen=True)
class RollingOrigin:
    """How many `cuts` there are, the steps from one to the next, and levels that the backtest has as well.

    None are as many cuts as a fifth of the history holds, and a horizon from one to the next. `levels` come
    beside `models.evaluation.losses.BACKTEST_LEVELS`. Raises `InvalidConfig` and `InvalidLevel`.
    """

    cuts: int | None = None
    step_size: int | None = None
    levels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, value in (("cuts", self.cuts), ("step_size", self.step_size)):
            if value is not None and value < 1:
                raise InvalidConfig(f"{name} is {value}; it must be at least 1.")
        checked_levels(self.levels)

    def stride(self, horizon: int) -> int:
        """Return the steps from one cut to the next."""
        return self.step_size or horizon


WHERE_HISTORY_ALLOWS = RollingOrigin()
"""As many cuts as the history allows, a horizon apart."""


def cut_count(panel: Panel, horizon: int, origin: RollingOrigin = WHERE_HISTORY_ALLOWS) -> int:
    """Return the number of cuts: those requested, else as many as fit in a fifth of the median length.

    Those are 1 to 8, or 12 for few series, and fewer where a fit before them would have no values to train
    on, but at least 1. Raise `UnusableHistory` where that is so with those requested.
    """
    stride = origin.stride(horizon)
    possible = max(1, _possible_cuts(panel, horizon, stride))
    if origin.cuts is None:
        most = MAX_CUTS_OF_FEW if panel.series < FEW_SERIES else MAX_CUTS
        wanted = 1 + int(np.median(panel.lengths) // HISTORY_PER_CUT - horizon) // stride
        return max(1, min(wanted, most, possible))
    if origin.cuts > possible:
        raise UnusableHistory(
            f"There is nothing to train on before {origin.cuts} cuts, {stride} steps from one to the next: "
            f"ask for at most {possible}."
        )
    return origin.cuts


def _possible_cuts(panel: Panel, horizon: int, stride: int) -> int:
    """Return the number of cuts that leave a value to train on, after another and `MIN_INPUTS` steps.

    Enough steps are left for a window: two cuts within a fifth of the length leave eight horizons.
    """
    valid = np.flatnonzero(np.isfinite(panel.values))
    series = np.searchsorted(panel.offsets, valid, side="right") - 1
    learnable = np.append(False, series[1:] == series[:-1]) & (valid - panel.offsets[series] >= MIN_INPUTS)
    after = panel.offsets[series + 1] - 1 - valid
    return 1 + (int(after[learnable].max(initial=0)) - horizon) // stride


def usable(panel: Panel, config: TrainingConfig, cuts: int, stride: int) -> tuple[Integers, Integers]:
    """Return series and cut of every window with a value in its target and one in its context."""
    series = np.repeat(np.arange(panel.series), cuts)
    cut = np.tile(np.arange(cuts), panel.series)
    horizon = config.horizon
    origin = origins(panel, horizon, series, cut, stride)
    counts = np.append(0, np.cumsum(np.isfinite(panel.values)))

    def values_between(first: Integers, stop: Integers) -> Integers:
        start = panel.offsets[series]
        count: Integers = counts[start + np.maximum(stop, 0)] - counts[start + np.maximum(first, 0)]
        return count

    has_values = (values_between(origin - config.history_limit, origin) > 0) & (
        values_between(origin, origin + horizon) > 0
    )
    return series[has_values], cut[has_values]


def origins(panel: Panel, horizon: int, series: Integers, cut: Integers, stride: int) -> Integers:
    """Return (window,), the number of steps of its series before each window."""
    origins: Integers = panel.lengths[series] - cut * stride - horizon
    return origins


def targets(panel: Panel, horizon: int, series: Integers, before: Integers) -> Floats:
    """Return (window, horizon), the values in each window, which has so many steps `before` it."""
    first = panel.offsets[series] + before
    targets: Floats = panel.values[first[:, None] + np.arange(horizon)]
    return targets
