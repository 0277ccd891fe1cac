"""Errors of forecasts on values that were hidden from them, beside those of the baselines."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from models.evaluation.backtest import Backtest
from models.evaluation.held_out import HeldOut
from models.evaluation.verdict import Verdict, judge
from models.methods.baselines import BASELINES
from models.methods.forecast import Forecast
from models.metrics import smape
from models.panel import Panel

NO_SEASON = 1


class BaselineErrors(NamedTuple):
    """The sMAPE in percent, over all series, by method, and the verdict on the one that is no baseline."""

    smape: dict[str, float]
    verdict: Verdict


def beside_baselines(
    series: Sequence[Sequence[float]], method: str, forecasts: Sequence[Sequence[float]], step_name: str
) -> BaselineErrors:
    """Hold a method's forecasts of the last steps of series without a season against every baseline.

    The baselines do not read those steps either. The seasonal naive one is left out: without a season it is
    the naive one. The verdict calls a step by its name.
    """
    panel, medians = Panel.of(series), {method: np.asarray(forecasts, dtype=np.float64)}
    horizon = medians[method].shape[1]
    held_out = replace(_last_steps(panel, horizon), step_name=step_name)
    for name, baseline in BASELINES.items():
        if name != "seasonal_naive":
            medians[name] = baseline(held_out.contexts, horizon, NO_SEASON)
    backtest = Backtest(held_out, {name: Forecast(median, {}, {}) for name, median in medians.items()})
    errors = {name: smape(held_out.target, median) for name, median in medians.items()}
    return BaselineErrors(errors, judge(backtest, method))


def _last_steps(panel: Panel, horizon: int) -> HeldOut:
    """Return the last steps of every series as one cut; without a scale, so that errors are sMAPE."""
    no_scale = np.full(panel.series, np.nan)
    return HeldOut(
        contexts=panel.without_last(horizon),
        target=panel.last(horizon),
        series=np.arange(panel.series),
        cut=np.zeros(panel.series, dtype=np.int64),
        scale=no_scale,
        root_scale=no_scale,
        cuts=1,
    )
