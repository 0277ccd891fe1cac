"""Backtest the pretrained networks on given series, against the baselines."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from models.errors import UnusableHistory
from models.evaluation.assessment import Assessment, assess
from models.evaluation.calibration_windows import CalibrationWindows
from models.evaluation.held_out import STEP, HeldOut
from models.methods.baselines import BASELINES, baseline_forecast, fitting_work, joining
from models.methods.calibration import CALIBRATED_LEVELS, Calibration
from models.methods.combination import Method
from models.methods.ensemble import ensemble_forecast
from models.methods.forecast import Forecast, joined
from models.network.forecaster import Forecaster
from models.network.pretrained import VIEW
from models.panel import Panel

SLOW = {"theta", "ets", "croston_sba", "tsb"}
"""Baselines that are calibrated on the windows that they are judged on, not on all there are."""

Maker = Callable[[Panel], Forecast]
"""Makes the forecasts of contexts, with bounds at `CALIBRATED_LEVELS`."""

ETS_WORK = 5000.0
"""The most work of fits (`fitting_work`) with ETS among the rivals: about two seconds.

ETS takes up to a tenth of a second a window, Theta a tenth of that.
"""

TURN_VALUES = 1000
"""Values that Theta reads in one turn, unless a series is longer; it holds the interpreter for 0.1 s then."""

ETS_TURN_VALUES = 100
"""Values that ETS reads in one turn, unless a series is longer."""


def backtest_zero_shot(
    forecaster: Forecaster,
    panel: Panel,
    give_way: Callable[[], None] = lambda: None,
    *,
    step_name: str = STEP,
) -> Assessment | None:
    """Assess the networks on the last steps of the series, against all baselines; ETS only where it is fast.

    `give_way` is called between turns of a tenth of a second at most, to let other threads work. The
    verdict calls a step by its name. Return None where the series are too short to hold any out.
    """
    config = forecaster.config
    try:
        held_out = HeldOut.of(panel, config, step_name=step_name)
    except UnusableHistory:
        return None
    forecasts: dict[str, Forecast] = {
        VIEW: ensemble_forecast(forecaster, held_out.contexts, levels=CALIBRATED_LEVELS)
    }
    for name in rivals(held_out.contexts, config.season_length):
        parts = []
        for part in _turns(held_out.contexts, ETS_TURN_VALUES if name == "ets" else TURN_VALUES):
            give_way()
            parts.append(
                baseline_forecast(name, part, config.horizon, config.season_length, CALIBRATED_LEVELS)
            )
        forecasts[name] = joined(parts)
    assessment = assess(
        forecasts,
        held_out,
        VIEW,
        candidates=[forecasts[VIEW].median],
        blending="network",
        season_length=config.season_length,
        seed=config.seed,
    )
    methods = _calibrated(forecaster, panel, assessment.verdicts[VIEW].baseline, give_way)
    return replace(assessment, methods={**assessment.methods, **methods})


def rivals(contexts: Panel, season_length: int) -> list[str]:
    """Return the baselines that a training compares with, as far as a request has time for them."""
    is_fast = fitting_work(contexts.lengths, season_length).sum() <= ETS_WORK
    names = [*BASELINES, *joining(contexts, season_length)]
    return [name for name in names if name != "ets" or is_fast]


def _calibrated(
    forecaster: Forecaster, panel: Panel, baseline: str, give_way: Callable[[], None]
) -> dict[str, Method]:
    """Return the networks, and the best baseline unless it is slow, calibrated on all windows there are."""
    config = forecaster.config
    season, windows = config.season_length, CalibrationWindows.of(panel, config)
    makers: dict[str, Maker] = {
        VIEW: lambda contexts: ensemble_forecast(forecaster, contexts, levels=CALIBRATED_LEVELS)
    }
    if baseline not in SLOW:
        makers[baseline] = lambda contexts: baseline_forecast(
            baseline, contexts, config.horizon, season, CALIBRATED_LEVELS
        )
    if windows is None:  # but for the one cut that the backtest was at
        return {name: Method({name: 1.0}, Calibration.identity(config.horizon, periods=1)) for name in makers}
    return {
        name: Method({name: 1.0}, windows.calibrate(windows.forecast(by, give_way)))
        for name, by in makers.items()
    }


def _turns(panel: Panel, values: int) -> Iterator[Panel]:
    """Yield the series in parts of about so many values, at least one series each."""
    firsts = np.flatnonzero(np.diff(panel.offsets[:-1] // values, prepend=-1))
    for first, following in pairwise([*firsts.tolist(), panel.series]):
        yield panel.some(first, following - first)
