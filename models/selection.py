"""A whole training: each candidate is judged on steps it has not seen, and the best is fitted on everything.

Two fits. The first ends before the cuts of the backtest and tells how good such a model is; nothing is
chosen within it, so it speaks for the second, which learns from every value and is the model that is kept.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.backtest import Backtest, Trial, beside_baselines, compare, ranked
from models.config import Architecture, TrainingConfig, longest_horizon
from models.errors import HorizonTooLong
from models.held_out import HeldOut
from models.network import Forecaster
from models.training import Progress as FitProgress
from models.training import fit
from models.verdict import Verdict, judge
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
    """The model that is kept, and what tells how good it is.

    `backtest` has the forecasts of every candidate as it was before the cuts; `trials` their errors, the best
    first.
    """

    model: Forecaster
    backtest: Backtest
    trials: tuple[Trial, ...]

    def verdict(self) -> Verdict:
        """Whether it beats the best of the baselines, which are asked for their forecasts now."""
        config = self.model.config
        compared = beside_baselines(self.backtest, config.season_length)
        return judge(compared, config.architecture, candidates=len(self.trials), seed=config.seed)


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
    held_out = HeldOut.of(panel, config)
    relay = _Relay(on_progress, fits=len(architectures) + 1)
    candidates, seconds = [], []
    for done, architecture in enumerate(architectures):
        began = time.perf_counter()
        candidate = fit(
            panel,
            replace(config, architecture=architecture),
            held_out=held_out.steps,
            device=device,
            on_epoch=relay.of("backtesting", architecture, done),
            should_stop=should_stop,
        )
        candidates.append(candidate)
        seconds.append(time.perf_counter() - began)
    backtest = compare(candidates, held_out)
    trials = ranked([Trial.of(backtest, *each) for each in zip(candidates, seconds, strict=True)])
    best = trials[0].architecture
    model = fit(
        panel,
        replace(config, architecture=best),
        device=device,
        on_epoch=relay.of("training", best, len(architectures)),
        should_stop=should_stop,
    )
    return Trained(model, backtest, tuple(trials))


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
