"""A whole training: each candidate is judged on steps it has not seen, and the best is fitted on everything.

Two fits. The first ends before the cuts of the backtest and tells how good such a model is; nothing is
chosen within it, so it speaks for the second, which learns from every value and is the model that is kept.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from models.choices import Architecture, MethodChoice
from models.config import TrainingConfig, longest_horizon
from models.errors import HorizonTooLong, TrainingStopped
from models.evaluation.assessment import Assessment, assess
from models.evaluation.backtest import Trial, ranked
from models.evaluation.held_out import HeldOut
from models.methods.baselines import BASELINES, baseline_forecast
from models.methods.calibration import LEVELS
from models.methods.combination import Method, baseline_medians
from models.methods.ensemble import ensemble_forecast
from models.methods.forecast import Forecast
from models.network.forecaster import Forecaster
from models.panel import Floats, Panel
from models.training.checkpoints import NO_CHECKPOINTS, Checkpoints, Keeper
from models.training.fit import Progress as FitProgress
from models.training.fit import fit
from models.training.state import (
    BaselineState,
    TrainingState,
    dump_baselines,
    dump_state,
    load_baselines,
    load_state,
)

Phase = Literal["backtesting", "training"]

_ABREAST = 250
"""Series that a simple method is asked for in turn; Theta takes milliseconds for one."""

_AT_ONCE = 8
"""Windows that each baseline is asked for in turn; ETS may take a second for one."""


@dataclass(frozen=True)
class Progress:
    """Where a training stands: in a fit that judges or in the one that is kept, of which architecture.

    `fit` is where that fit stands, at its end while the simple methods are asked, and None before a network
    has learned something; `share_done` from 0 to 1 over everything, from where an earlier attempt got to.
    """

    phase: Phase
    architecture: Architecture
    fit: FitProgress | None
    share_done: float


@dataclass(frozen=True, eq=False)
class Trained:
    """The served model, its assessment, and the errors of every candidate, the best first.

    `baseline_medians` holds, by name, the medians (series, horizon) of the baselines in the served method,
    for `compute_quantile_forecast`: fitting them takes long.
    """

    model: Forecaster
    assessment: Assessment
    trials: tuple[Trial, ...]
    baseline_medians: Mapping[str, Floats]


def train(  # noqa: PLR0913 - each is one wish of the caller, and the last five have a default
    panel: Panel,
    config: TrainingConfig,
    architectures: Sequence[Architecture],
    *,
    blending: MethodChoice = "auto",
    device: str = "cpu",
    on_progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    checkpoints: Checkpoints = NO_CHECKPOINTS,
) -> Trained:
    """Judge the config with each of the architectures, and fit it with the best of them on everything.

    Of members that began pretrained and others that did not, those are kept that do best: either, or both.

    A training that was broken off goes on from its `checkpoints`, to the same bits as an unbroken one; what
    is damaged or of another training there begins anew. Raises as `fit` does, what a checkpoint raises, and
    `HorizonTooLong` already where the histories do not allow as many steps to be held out as well.
    """
    _check_horizon(panel, config.horizon)
    held_out = HeldOut.of(panel, config)
    course = _Course(on_progress, parts=len(architectures) + 3)
    work = _Work(panel, config, device, course, should_stop, Keeper(checkpoints))
    raw: dict[str, Forecast] = {}
    candidates: dict[str, TrainingConfig] = {}
    trials = []
    tried: list[Floats] = []
    for architecture in architectures:
        ensemble, seconds = work.fit("backtesting", _of(config, architecture), held_out.steps)
        answers = [
            (part, ensemble_forecast(part, held_out.contexts, levels=LEVELS))
            for part in ensemble.subensembles
        ]
        candidate, answer = min(answers, key=lambda pair: held_out.error(pair[1].median))
        candidates[architecture], raw[architecture] = candidate.config, answer
        trials.append(Trial.of(candidate, answer.median, held_out, seconds))
        tried.extend(each.median for _, each in answers)
    trials = ranked(trials)
    best = trials[0].architecture
    raw |= work.ask_baselines(held_out)
    model, _ = work.fit("training", candidates[best], held_out=0)
    assessment = assess(raw, held_out, best, candidates=tried, blending=blending, seed=config.seed)
    served = assessment.methods[assessment.served]
    return Trained(model, assessment, tuple(trials), work.ask_followers(served))


def _of(config: TrainingConfig, architecture: Architecture) -> TrainingConfig:
    """The config for an architecture; but for the LSTM, nothing was pretrained."""
    views = (view for view in config.views if architecture == "lstm" or view != "pretrained")
    return replace(config, architecture=architecture, views=tuple(views))


@dataclass(frozen=True, eq=False)
class _Work:
    """The parts of a training that take long; each goes on from where an earlier attempt got to."""

    panel: Panel
    config: TrainingConfig
    device: str
    course: "_Course"
    should_stop: Callable[[], bool]
    keeper: Keeper

    def fit(self, phase: Phase, config: TrainingConfig, held_out: int) -> tuple[Forecaster, float]:
        """The model, and the seconds that it took in all attempts."""
        began = time.perf_counter()
        part = f"{phase}-{config.architecture}" if phase == "backtesting" else phase
        fresh = TrainingState(config, held_out, self.panel.digest())
        state = self.keeper.taken_up(part, fresh, load_state)
        tell = self.course.part(phase, config.architecture)
        if state.members:
            tell(FitProgress.of(state, max(state.members)))
        model = fit(
            self.panel,
            config,
            held_out=held_out,
            device=self.device,
            on_epoch=tell,
            should_stop=self.should_stop,
            resume=state,
            on_state=lambda reached: self.keeper.changed(part, partial(dump_state, reached)),
        )
        return model, state.seconds + time.perf_counter() - began

    def ask_baselines(self, held_out: HeldOut) -> Mapping[str, Forecast]:
        """What every baseline answers for the windows."""
        config = self.config
        state = self.keeper.taken_up("baselines", BaselineState(_asked(held_out, config)), load_baselines)
        tell = self.course.between()
        while state.windows < len(held_out):
            part = held_out.context_batch(state.windows, _AT_ONCE)
            answers = {}
            for name in BASELINES:
                if self.should_stop():
                    raise TrainingStopped(f"The training was stopped at {name}, window {state.windows}.")
                answers[name] = baseline_forecast(name, part, config.horizon, config.season_length, LEVELS)
            state = state.having(answers)
            tell(state.windows / len(held_out))
            self.keeper.changed("baselines", partial(dump_baselines, state))
        return {name: state.answers[name] for name in BASELINES}

    def ask_followers(self, served: Method) -> Mapping[str, Floats]:
        """What the simple methods that follow the network in its answers say, of every series."""
        names = served.partners
        asked = _asked_of(self.panel, self.config, names)
        state = self.keeper.taken_up("followers", BaselineState(asked), load_baselines)
        tell = self.course.between()
        while names and state.windows < self.panel.series:
            if self.should_stop():
                raise TrainingStopped(f"The training was stopped at {names[0]}, series {state.windows}.")
            part = self.panel.some(state.windows, _ABREAST)
            answers = {name: Forecast(baseline_medians(name, self.config, part), {}, {}) for name in names}
            state = state.having(answers)
            tell(state.windows / self.panel.series)
            self.keeper.changed("followers", partial(dump_baselines, state))
        return {name: state.answers[name].median for name in names}


def _asked(held_out: HeldOut, config: TrainingConfig) -> dict[str, object]:
    """All that the answers of the baselines depend on."""
    return {**_asked_of(held_out.contexts, config, list(BASELINES)), "levels": list(LEVELS)}


def _asked_of(histories: Panel, config: TrainingConfig, names: Sequence[str]) -> dict[str, object]:
    return {
        "known_sha256": histories.digest(),
        "horizon": config.horizon,
        "season_length": config.season_length,
        "baselines": list(names),
    }


class _Course:
    """Tells of the epochs of one fit, and of what is between the fits, as of one of so many equal `parts`."""

    def __init__(self, on_progress: Callable[[Progress], None], parts: int) -> None:
        self._on_progress, self._parts = on_progress, parts
        self._begun = 0
        self._last: Progress

    def part(self, phase: Phase, architecture: Architecture) -> Callable[[FitProgress], None]:
        before = self._begun
        self._begun += 1
        self._last = Progress(phase, architecture, None, before / self._parts)

        def tell(progress: FitProgress) -> None:
            share = (before + progress.share_done) / self._parts
            self._last = Progress(phase, architecture, progress, share)
            self._on_progress(self._last)

        return tell

    def between(self) -> Callable[[float], None]:
        """A part that is no fit: the last one's figures stay, the share goes on."""
        before = self._begun
        self._begun += 1

        def tell(share_done: float) -> None:
            self._on_progress(replace(self._last, share_done=(before + share_done) / self._parts))

        return tell


def _check_horizon(panel: Panel, horizon: int) -> None:
    longest = int(panel.lengths.max())
    limit = longest_horizon(longest)
    if horizon > limit:
        advice = f"at most {limit} is possible" if limit > 0 else "at least 4 values are needed"
        raise HorizonTooLong(
            f"A horizon of {horizon} is too long: the longest series has {longest} values, and with the last "
            f"{horizon} held out they leave no window to learn every step from; {advice}."
        )
