"""How good a model is, told by steps that neither its weights nor its scales have seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.config import Architecture
from models.errors import UnusableHistory
from models.forecasting import forecast
from models.metrics import mase, seasonal_naive_error, smape
from models.network import Forecaster
from models.windows import Floats, Panel


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A panel cut in two: `known`, and what came after, `target` (series, horizon), NaN for gaps.

    Series too short to be cut, and those without a value on one of the two sides, are left out.
    """

    known: Panel
    target: Floats

    @classmethod
    def of(cls, panel: Panel, horizon: int) -> "HeldOut":
        """The last `horizon` steps held out; raises `UnusableHistory` when no series is left."""
        long = panel.only(panel.lengths > horizon) if (panel.lengths > horizon).any() else None
        if long is not None:
            known, target = long.without_last(horizon), long.last(horizon)
            usable = known.counts().astype(bool) & np.isfinite(target).any(axis=1)
            if usable.any():
                return cls(known.only(usable), target[usable])
        raise UnusableHistory(
            f"No series has values both among its last {horizon} and before them, so nothing can be held "
            "out: leave out the gaps at the end, or choose another horizon."
        )


@dataclass(frozen=True)
class Trial:
    """One architecture on the held-out steps: errors of its median, the weights it has, and what it took.

    `smape` in percent, `mase` in units of the seasonal naive error (NaN where no history has one), each over
    all steps of all series; `parameters` of all members together; `seconds` of its fit.
    """

    architecture: Architecture
    smape: float
    mase: float
    parameters: int
    seconds: float


def judge(model: Forecaster, held_out: HeldOut, seconds: float) -> Trial:
    """Compare the forecast of what is known with what came after; `seconds` are those of the model's fit."""
    median = forecast(model, held_out.known, levels=()).median
    scale = seasonal_naive_error(held_out.known, model.config.season_length)
    return Trial(
        architecture=model.config.architecture,
        smape=smape(held_out.target, median),
        mase=mase(held_out.target, median, scale),
        parameters=model.parameters,
        seconds=seconds,
    )


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """The best first: by MASE, or by sMAPE where no series has a scale for MASE."""
    return sorted(trials, key=lambda trial: trial.smape if math.isnan(trial.mase) else trial.mase)
