"""A whole training: each candidate is judged on steps it has not seen, and the best is fitted on everything.

Two fits. The first ends a horizon before the histories do and tells how good such a model is; nothing is
chosen within it, so it speaks for the second, which learns from every value and is the model that is kept.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.backtest import HeldOut, Trial, judge, ranked
from models.config import Architecture, TrainingConfig, longest_horizon
from models.errors import HorizonTooLong
from models.network import Forecaster
from models.training import Progress as FitProgress
from models.training import fit
from models.windows import Panel

Phase = Literal["backtesting", "training"]


@dataclass(frozen=True)
class Progress:
    """Where a training stands: in a fit that judges or in the one that is kept, of which architecture.

    `fit` is where that fit stands; `share_done` from 0 to 1 over all fits.
    """

    phase: Phase
    architecture: Architecture
    fit: FitProgress
    share_done: float


@dataclass(frozen=True, eq=False)
class Trained:
    """The model that is kept, and how every candidate did, the best first."""

    model: Forecaster
    trials: tuple[Trial, ...]


def train(  # noqa: PLR0913 - each is one wish of the caller, and the last three have a default
    panel: Panel,
    config: TrainingConfig,
    architectures: Sequence[Architecture],
    *,
    device: str = "cpu",
    on_progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Trained:
    """Judge the config with each of the architectures, and fit it with the best of them on everything.

    Raises as `fit` does, and `HorizonTooLong` already where the histories do not allow as many steps to be
    held out as well.
    """
    _check_horizon(panel, config.horizon)
    held_out = HeldOut.of(panel, config.horizon)
    relay = _Relay(on_progress, fits=len(architectures) + 1)
    trials = []
    for done, architecture in enumerate(architectures):
        began = time.perf_counter()
        candidate = fit(
            panel,
            replace(config, architecture=architecture),
            held_out=config.horizon,
            device=device,
            on_epoch=relay.of("backtesting", architecture, done),
            should_stop=should_stop,
        )
        trials.append(judge(candidate, held_out, time.perf_counter() - began))
    trials = ranked(trials)
    model = fit(
        panel,
        replace(config, architecture=trials[0].architecture),
        device=device,
        on_epoch=relay.of("training", trials[0].architecture, len(architectures)),
        should_stop=should_stop,
    )
    return Trained(model, tuple(trials))


@dataclass(frozen=True)
class _Relay:
    """Tells of the epochs of one fit as of a part of all `fits`."""

    on_progress: Callable[[Progress], None]
    fits: int

    def of(self, phase: Phase, architecture: Architecture, done: int) -> Callable[[FitProgress], None]:
        def tell(progress: FitProgress) -> None:
            share = (done + progress.share_done) / self.fits
            self.on_progress(Progress(phase, architecture, progress, share))

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
