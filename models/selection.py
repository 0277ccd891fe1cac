"""A whole training: each candidate is judged on steps it has not seen, and the best is fitted on everything.

Two fits. The first ends before the cuts of the backtest and tells how good such a model is; nothing is
chosen within it, so it speaks for the second, which learns from every value and is the model that is kept.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.assessment import Assessment, Blending, assess
from models.backtest import Trial, ranked
from models.baselines import BASELINES, simple_forecast
from models.calibration import LEVELS
from models.config import Architecture, TrainingConfig, longest_horizon
from models.errors import HorizonTooLong, TrainingStopped
from models.forecasting import Forecast, forecast, joined
from models.held_out import HeldOut
from models.network import Forecaster
from models.training import Progress as FitProgress
from models.training import fit
from models.windows import Panel

Phase = Literal["backtesting", "training"]

_AT_ONCE = 8
"""Windows between two questions whether to stop; ETS may take a second for one."""


@dataclass(frozen=True)
class Progress:
    """Where a training stands: in a fit that judges or in the one that is kept, of which architecture.

    `fit` is where that fit stands, at its end while the simple methods are asked; `share_done` from 0 to 1
    over everything.
    """

    phase: Phase
    architecture: Architecture
    fit: FitProgress
    share_done: float


@dataclass(frozen=True, eq=False)
class Trained:
    """The model that is kept, how good it is, and the errors of every candidate, the best first."""

    model: Forecaster
    assessment: Assessment
    trials: tuple[Trial, ...]


def train(  # noqa: PLR0913 - each is one wish of the caller, and the last four have a default
    panel: Panel,
    config: TrainingConfig,
    architectures: Sequence[Architecture],
    *,
    blending: Blending = "auto",
    device: str = "cpu",
    on_progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Trained:
    """Judge the config with each of the architectures, and fit it with the best of them on everything.

    Raises as `fit` does, and `HorizonTooLong` already where the histories do not allow as many steps to be
    held out as well.
    """
    _check_horizon(panel, config.horizon)
    held_out = HeldOut.of(panel, config)
    course = _Course(on_progress, parts=len(architectures) + 2)
    raw: dict[str, Forecast] = {}
    trials = []
    for architecture in architectures:
        began = time.perf_counter()
        candidate = fit(
            panel,
            replace(config, architecture=architecture),
            held_out=held_out.steps,
            device=device,
            on_epoch=course.part("backtesting", architecture),
            should_stop=should_stop,
        )
        raw[architecture] = forecast(candidate, held_out.known, levels=LEVELS)
        seconds = time.perf_counter() - began
        trials.append(Trial.of(candidate, raw[architecture].median, held_out, seconds))
    trials = ranked(trials)
    best = trials[0].architecture
    raw |= _simple(held_out, config, course.between(), should_stop)
    model = fit(
        panel,
        replace(config, architecture=best),
        device=device,
        on_epoch=course.part("training", best),
        should_stop=should_stop,
    )
    assessment = assess(raw, held_out, best, tried=len(trials), blending=blending, seed=config.seed)
    return Trained(model, assessment, tuple(trials))


def _simple(
    held_out: HeldOut, config: TrainingConfig, tell: Callable[[float], None], should_stop: Callable[[], bool]
) -> dict[str, Forecast]:
    """What every baseline answers for the windows; `tell` is told the share that is done."""
    answers: dict[str, list[Forecast]] = {name: [] for name in BASELINES}
    for first in range(0, len(held_out), _AT_ONCE):
        part = held_out.known_of(first, _AT_ONCE)
        for name, so_far in answers.items():
            if should_stop():
                raise TrainingStopped(f"The training was stopped at {name}, window {first}.")
            so_far.append(simple_forecast(name, part, config.horizon, config.season_length, LEVELS))
        tell((first + part.series) / len(held_out))
    return {name: joined(parts) for name, parts in answers.items()}


class _Course:
    """Tells of the epochs of one fit, and of what is between the fits, as of one of so many equal `parts`."""

    def __init__(self, on_progress: Callable[[Progress], None], parts: int) -> None:
        self._on_progress, self._parts = on_progress, parts
        self._begun = 0
        self._last: Progress

    def part(self, phase: Phase, architecture: Architecture) -> Callable[[FitProgress], None]:
        before = self._begun
        self._begun += 1

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
