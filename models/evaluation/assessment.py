"""Assess a training: the networks to keep, the method to serve, and whether that beats the baselines.

Few held-out windows favour whichever start was lucky: of single series of M3, with one window each, the
start chosen by it was 7 to 27 % worse than the pretrained one. So with too few units no other is tried.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from models.choices import MethodChoice
from models.config import TrainingConfig
from models.evaluation.backtest import Backtest, Trial
from models.evaluation.cross_fitting import (
    Uncalibrated,
    WeightsFitter,
    alone,
    cross_fitted,
    fit_blend,
    fit_method,
    reported_share,
)
from models.evaluation.evidence import FEWEST_UNITS
from models.evaluation.held_out import HeldOut
from models.evaluation.losses import BACKTEST_LEVELS, error, error_over_series
from models.evaluation.verdict import Verdict, judge
from models.methods.baselines import EVERY_BASELINE
from models.methods.calibration import CALIBRATED_LEVELS
from models.methods.combination import BLEND, Method
from models.methods.ensemble import ensemble_forecast
from models.methods.forecast import Forecast
from models.methods.reach import Reach
from models.network.forecaster import Forecaster
from models.network.pretrained import VIEW
from models.panel import Floats

NEGLIGIBLE_GAP = 0.01
"""Errors closer than this share count as equal; then the blend is served, as the safer choice.

Bates & Granger (1969), The Combination of Forecasts. Measured in
`docs/experiments/2026-11-24-blend-and-intervals.md`.
"""


@dataclass(frozen=True, eq=False)
class Assessment:
    """The result of a training's backtest.

    `methods` are those of the model by name: its architecture, `BLEND` (unless only the network was asked
    for) and each baseline; `served` is the one to serve. `backtest` has the forecasts of all of them and of
    each candidate; `verdicts` are those on the network and on the blend.
    """

    methods: Mapping[str, Method]
    served: str
    backtest: Backtest
    verdicts: Mapping[str, Verdict]


def assess(  # noqa: PLR0913 - plain facts about a training, with no name for a group of them
    uncalibrated: Uncalibrated,
    held_out: HeldOut,
    network: str,
    *,
    candidates: Sequence[Floats],
    blending: MethodChoice,
    season_length: int,
    seed: int,
    levels: Sequence[int] = (),
) -> Assessment:
    """Assess the uncalibrated forecasts of every candidate and baseline for the held-out windows.

    `network` is the candidate that is kept. `candidates` are the medians (window, horizon) of all networks
    that it was chosen from, its own included; the verdicts on it and on its blend account for that choice.
    `season_length` is that of the shortest season, and `seed` is that of the permutation test. The backtest
    has bounds at `levels` as well. Calibration and verdicts come from windows that share no steps.
    """
    reach = Reach.of(held_out.contexts, season_length)
    fitters: dict[str, WeightsFitter] = {name: alone(name) for name in uncalibrated}
    if blending != "network":
        fitters[BLEND] = fit_blend(network)
    every = tuple(sorted({*CALIBRATED_LEVELS, *levels}))
    forecasts = {
        name: cross_fitted(fit, uncalibrated, held_out, every, reach) for name, fit in fitters.items()
    }
    backtest = Backtest(held_out, forecasts, tuple(sorted({*BACKTEST_LEVELS, *levels})))
    apart, windows = backtest.apart, held_out.is_apart
    kept = [name for name in (network, BLEND, *EVERY_BASELINE) if name in fitters]
    verdicts = {
        name: judge(apart, name, candidates=[each[windows] for each in candidates], seed=seed)
        for name in (network, BLEND)
        if name in fitters
    }
    separate = {name: forecast.rows(windows) for name, forecast in uncalibrated.items()}
    return Assessment(
        methods={
            name: _with_coverage(fit_method(fitters[name], separate, apart.held_out, reach), backtest, name)
            for name in kept
        },
        served=_served(apart, verdicts, network, blending),
        backtest=backtest,
        verdicts=verdicts,
    )


def _with_coverage(method: Method, backtest: Backtest, name: str) -> Method:
    """Return the method with the coverage to be expected of its intervals, from what the backtest's held."""
    apart = backtest.held_out.apart
    calibration = method.calibration.with_coverage(
        backtest.held(name),
        reported_share(apart.cut, apart.support),
        periods=len(np.unique(apart.cut)),
        series=len(apart.tested),
    )
    return replace(method, calibration=calibration)


def _served(backtest: Backtest, verdicts: Mapping[str, Verdict], network: str, blending: MethodChoice) -> str:
    """Return the method to serve; for `auto` the blend if it is as good and there are enough units."""
    if blending != "auto":
        return BLEND if blending == "blend" else network
    errors = {name: error(backtest.held_out, backtest.forecasts[name]) for name in verdicts}
    as_good = errors[BLEND] <= (1 + NEGLIGIBLE_GAP) * errors[network]
    return BLEND if as_good and verdicts[network].n >= FEWEST_UNITS else network


@dataclass(frozen=True, eq=False)
class Candidates:
    """The backtested networks: config and forecast of the best start of each architecture.

    `medians` (window, horizon) are those of every start that was compared, and `errors` those of the best.
    """

    configs: dict[str, TrainingConfig] = field(default_factory=dict)
    forecasts: dict[str, Forecast] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)
    errors: dict[str, float] = field(default_factory=dict)
    medians: list[Floats] = field(default_factory=list)

    def add(self, ensemble: Forecaster, seconds: float, held_out: HeldOut) -> None:
        """Forecast the held-out windows with an ensemble, and keep the best of its starts."""
        starts = [
            (part, ensemble_forecast(part, held_out.contexts, levels=CALIBRATED_LEVELS))
            for part in ensemble.subensembles
        ]
        kept, forecast = min(starts, key=lambda start: error(held_out, start[1]))
        architecture = kept.config.architecture
        self.configs[architecture], self.forecasts[architecture] = kept.config, forecast
        self.trials.append(Trial.of(kept, forecast, held_out, seconds))
        self.errors[architecture] = error_over_series(held_out, forecast)
        self.medians.extend(each.median for _, each in starts)

    @property
    def ranked(self) -> list[Trial]:
        """The trials, the least error by the measure asked for first."""
        return sorted(self.trials, key=lambda trial: self.errors[trial.architecture])


def decidable(config: TrainingConfig, held_out: HeldOut) -> TrainingConfig:
    """Return the config, with its pretrained members alone where too few units tell the starts apart."""
    if config.start != "both" or len(np.unique(held_out.units)) >= FEWEST_UNITS:
        return config
    return replace(config, views=tuple(view for view in config.views if view == VIEW))
