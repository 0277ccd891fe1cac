"""Train a model: backtest every candidate on held-out steps, and fit the best one on everything.

There are two kinds of fits. Those for the backtest end before its cuts. Nothing is chosen within them, so
their errors are a fair estimate for the last fit. That one trains on every value and is the model to keep.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from models import horizon as horizons
from models.choices import Architecture, MeasureChoice, MethodChoice
from models.config import TrainingConfig
from models.errors import TrainingStopped
from models.evaluation.assessment import Assessment, Candidates, assess, decidable
from models.evaluation.backtest import Trial
from models.evaluation.held_out import STEP, HeldOut
from models.evaluation.rolling_origin import WHERE_HISTORY_ALLOWS, RollingOrigin
from models.methods.baselines import BASELINES, baseline_forecast, joining
from models.methods.calibration import CALIBRATED_LEVELS
from models.methods.combination import Method, baseline_medians
from models.methods.forecast import Forecast
from models.network.forecaster import Forecaster
from models.panel import Floats, Panel
from models.training.checkpoints import NO_CHECKPOINTS, CheckpointManager, Checkpoints
from models.training.fit import FitProgress, fit
from models.training.state import (
    BaselineState,
    TrainingState,
    dump_baselines,
    dump_state,
    load_baselines,
    load_state,
)

Phase = Literal["backtesting", "training"]

_SERIES_AT_ONCE = 250
"""Series that a baseline forecasts between checkpoints; Theta takes milliseconds for one."""

_WINDOWS_AT_ONCE = 8
"""Windows that all baselines forecast between checkpoints; ETS may take a second for one."""

_PARTNERS = "followers"
"""Part name of the partners' checkpoint; stored checkpoints keep this older name."""


@dataclass(frozen=True)
class Progress:
    """The progress of a training after an epoch of a fit, or after some windows of the baselines.

    `phase` is that of the last fit: one for the backtest, or that of the model to keep. `fit` is the
    progress of that fit: None before any epoch; during the baselines it keeps its last value.
    `share_done` is from 0 to 1 over the whole training, earlier attempts included.
    """

    phase: Phase
    architecture: Architecture
    fit: FitProgress | None
    share_done: float


@dataclass(frozen=True, eq=False)
class Trained:
    """The model, its assessment, and the errors of every candidate, the best first.

    `baseline_medians` holds, by name, the medians (series, horizon) of the baselines in the served method,
    for `compute_quantile_forecast`: fitting them takes long.
    """

    model: Forecaster
    assessment: Assessment
    trials: tuple[Trial, ...]
    baseline_medians: Mapping[str, Floats]


def train(  # noqa: PLR0913 - options of the caller, the last seven with a default
    panel: Panel,
    config: TrainingConfig,
    architectures: Sequence[Architecture],
    *,
    blending: MethodChoice = "auto",
    measure: MeasureChoice = "auto",
    step_name: str = STEP,
    origin: RollingOrigin = WHERE_HISTORY_ALLOWS,
    device: str = "cpu",
    on_progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    checkpoints: Checkpoints = NO_CHECKPOINTS,
) -> Trained:
    """Backtest the config with each of the architectures, and fit it with the best of them on everything.

    An ensemble with pretrained and trained members keeps the pretrained, the trained or both, whichever is
    best by `measure`; the pretrained where too few units tell that. The verdicts are by `measure` too, and
    call a step by its name. `origin` says where the backtest cuts the series. An interrupted training resumes
    from its `checkpoints`, to the same bits. A part starts again if its checkpoint is damaged or of another
    training. Raise as `fit` and `HeldOut.of` do, whatever a checkpoint raises, and `HorizonTooLong` also if
    the series are too short to hold out a horizon.
    """
    horizons.check_training(config.horizon, int(panel.lengths.max()))
    held_out = HeldOut.of(panel, config, measure, step_name, origin)
    tracker = _ProgressTracker(on_progress, parts=len(architectures) + 3)
    run = _Run(panel, config, device, tracker, should_stop, CheckpointManager(checkpoints))
    candidates = Candidates()
    for architecture in architectures:
        tried = decidable(_config_for(config, architecture), held_out)
        candidates.add(*run.fit("backtesting", tried, held_out.steps), held_out)
    trials = candidates.ranked
    best = trials[0].architecture
    uncalibrated = {**candidates.forecasts, **run.forecast_windows(held_out)}
    model, _ = run.fit("training", candidates.configs[best], held_out=0)
    assessment = assess(
        uncalibrated,
        held_out,
        best,
        candidates=candidates.medians,
        blending=blending,
        season_length=config.season_length,
        seed=config.seed,
        levels=origin.levels,
    )
    served = assessment.methods[assessment.served]
    return Trained(model, assessment, tuple(trials), run.forecast_partners(served))


def _config_for(config: TrainingConfig, architecture: Architecture) -> TrainingConfig:
    """Return the config for an architecture, without pretrained members unless it is the LSTM."""
    views = (view for view in config.views if architecture == "lstm" or view != "pretrained")
    return replace(config, architecture=architecture, views=tuple(views))


@dataclass(frozen=True, eq=False)
class _Run:
    """The long parts of a training; each resumes from the checkpoint of an earlier attempt."""

    panel: Panel
    config: TrainingConfig
    device: str
    tracker: "_ProgressTracker"
    should_stop: Callable[[], bool]
    checkpoints: CheckpointManager

    def fit(self, phase: Phase, config: TrainingConfig, held_out: int) -> tuple[Forecaster, float]:
        """Return the fitted ensemble, and the seconds that it took in all attempts."""
        began = time.perf_counter()
        part = f"{phase}-{config.architecture}" if phase == "backtesting" else phase
        fresh = TrainingState(config, held_out, self.panel.digest())
        state = self.checkpoints.restore(part, fresh, load_state)
        report = self.tracker.start_fit(phase, config.architecture)
        if state.members:
            report(FitProgress.of(state, max(state.members)))
        model = fit(
            self.panel,
            config,
            held_out=held_out,
            device=self.device,
            on_epoch=report,
            should_stop=self.should_stop,
            resume=state,
            on_state=lambda reached: self.checkpoints.update(part, partial(dump_state, reached)),
        )
        return model, state.seconds + time.perf_counter() - began

    def forecast_windows(self, held_out: HeldOut) -> Mapping[str, Forecast]:
        """Return the forecasts of every baseline for the held-out windows."""
        config = self.config
        names = [*BASELINES, *joining(held_out.contexts, config.season_length)]
        spec = {
            **_baseline_spec(held_out.contexts, config, names),
            "levels": list(CALIBRATED_LEVELS),
        }
        state = self.checkpoints.restore("baselines", BaselineState(spec), load_baselines)
        report = self.tracker.start_baselines()
        while state.count < len(held_out):
            part = held_out.context_batch(state.count, _WINDOWS_AT_ONCE)
            forecasts = {}
            for name in names:
                if self.should_stop():
                    raise TrainingStopped(f"The training was stopped at {name}, window {state.count}.")
                forecasts[name] = baseline_forecast(
                    name, part, config.horizon, config.season_length, CALIBRATED_LEVELS
                )
            state = state.extended(forecasts)
            report(state.count / len(held_out))
            self.checkpoints.update("baselines", partial(dump_baselines, state))
        return {name: state.forecasts[name] for name in names}

    def forecast_partners(self, served: Method) -> Mapping[str, Floats]:
        """Return the medians, for every series, of the baselines that the network is blended with."""
        names = served.partners
        fresh = BaselineState(_baseline_spec(self.panel, self.config, names))
        state = self.checkpoints.restore(_PARTNERS, fresh, load_baselines)
        report = self.tracker.start_baselines()
        while names and state.count < self.panel.series:
            if self.should_stop():
                raise TrainingStopped(f"The training was stopped at {names[0]}, series {state.count}.")
            part = self.panel.some(state.count, _SERIES_AT_ONCE)
            state = state.extended(
                {name: Forecast(baseline_medians(name, self.config, part), {}, {}) for name in names}
            )
            report(state.count / self.panel.series)
            self.checkpoints.update(_PARTNERS, partial(dump_baselines, state))
        return {name: state.forecasts[name].median for name in names}


def _baseline_spec(contexts: Panel, config: TrainingConfig, names: Sequence[str]) -> dict[str, object]:
    """Return everything that forecasts of the baselines depend on, as JSON types."""
    return {
        "known_sha256": contexts.digest(),  # the name that stored states have
        "horizon": config.horizon,
        "season_length": config.season_length,
        "baselines": list(names),
    }


class _ProgressTracker:
    """Reports progress over so many equal `parts` of a training."""

    def __init__(self, on_progress: Callable[[Progress], None], parts: int) -> None:
        self._on_progress, self._parts = on_progress, parts
        self._started = 0
        self._last: Progress

    def start_fit(self, phase: Phase, architecture: Architecture) -> Callable[[FitProgress], None]:
        """Start a part that is a fit, and return the function that reports its progress."""
        before = self._started
        self._started += 1
        self._last = Progress(phase, architecture, None, before / self._parts)

        def report(progress: FitProgress) -> None:
            share = (before + progress.share_done) / self._parts
            self._last = Progress(phase, architecture, progress, share)
            self._on_progress(self._last)

        return report

    def start_baselines(self) -> Callable[[float], None]:
        """Start a part that is no fit, and return the function that reports its share from 0 to 1."""
        before = self._started
        self._started += 1

        def report(share_done: float) -> None:
            self._on_progress(replace(self._last, share_done=(before + share_done) / self._parts))

        return report
