"""Train the ensemble: for each member a plain loop over batches of windows, with early stopping."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from models.batches import Batch, Source
from models.config import TrainingConfig, longest_horizon
from models.errors import HorizonTooLong, TrainingDiverged, TrainingStopped, UnusableHistory
from models.forecasting import resolve_device
from models.network import Forecaster, build_member, trained_member
from models.state import (
    MemberState,
    Tensors,
    TrainingState,
    on_cpu,
    optimizer_tensors,
    restore_optimizer,
)
from models.windows import Panel


@dataclass(frozen=True)
class Progress:
    """Where a training stands after an evaluation.

    `member` (from 1) of `members`, `epoch` (the evaluation, from 1) of `epochs`; `loss` since the last
    evaluation and `validation_loss`, both as mean pinball loss relative to the level of the series;
    `share_done` from 0 to 1 over all members, early stops counted as done.
    """

    member: int
    members: int
    epoch: int
    epochs: int
    loss: float
    validation_loss: float
    share_done: float


def fit(  # noqa: PLR0913 - each is one wish of the caller, and all but two have a default
    panel: Panel,
    config: TrainingConfig,
    *,
    device: str = "cpu",
    on_epoch: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    resume: TrainingState | None = None,
    checkpoint_due: Callable[[], bool] = lambda: False,
    on_checkpoint: Callable[[TrainingState], None] = lambda _: None,
) -> Forecaster:
    """Train every member on the panel and return the ensemble, each with the best weights it had.

    The last `horizon` steps of each series are held out to choose those weights. The same panel, config
    and machine give the same bits; the global random state is neither read nor changed. `should_stop` is
    asked before every batch. After every evaluation `on_epoch` is told of it and `checkpoint_due` is asked
    whether `on_checkpoint` is to be given the state; a training that resumes from it gives the same bits as
    one that was never broken off. Raises `HorizonTooLong`, `UnusableHistory`, `DeviceUnavailable`,
    `CannotResume`, `TrainingStopped` and `TrainingDiverged`.
    """
    _check_horizon(panel, config)
    state = _begun(panel, config, resume)
    source = Source.of(panel, config, resolve_device(device))
    with _one_thread():
        for member in range(len(state.finished), config.members):
            run = _Run(source, member, state.current)
            while not run.over:
                on_epoch(run.advance(should_stop))
                state = run.into(state)
                if checkpoint_due():
                    on_checkpoint(state)
    networks = (trained_member(config, i, weights) for i, weights in enumerate(state.finished))
    return Forecaster(config, tuple(network.to(source.cuts.device) for network in networks))


def _begun(panel: Panel, config: TrainingConfig, resume: TrainingState | None) -> TrainingState:
    digest = panel.digest()
    if resume is None:
        return TrainingState(config, digest)
    resume.check(config, digest)
    return resume


def pinball_loss(answers: Tensor, batch: Batch, quantiles: Tensor) -> Tensor:
    """Mean pinball (quantile) loss over the known targets, weighted by the scale of their series.

    `answers` (batch, horizon, quantiles). Source: Koenker & Bassett (1978), Regression Quantiles.
    """
    known = batch.targets.isfinite()
    error = batch.targets.nan_to_num(nan=0.0)[..., None] - answers
    loss = torch.maximum(quantiles * error, (quantiles - 1) * error).mean(dim=2)
    return (loss * batch.weights * known).sum() / known.sum().clamp(min=1)


class _Run:
    """One member in training: everything that changes from step to step, and the loop that changes it."""

    def __init__(self, source: Source, member: int, state: MemberState | None) -> None:
        self.config, self.member = source.config, member
        view, device = self.config.views[member], source.cuts.device
        self.generator = _generator(self.config.seed, member)
        self.network = build_member(self.config, member, self.generator).to(device)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), weight_decay=self.config.weight_decay, fused=True
        )
        self.quantiles = torch.tensor(self.config.quantiles, device=device)
        self.held_out = _checked(source.held_out(view, self.generator), self.config.horizon)
        self.pool = source.pool(view, self.generator)
        self.epoch, self.since, self.best_loss = 0, 0, math.inf
        self.best: Tensors = {}
        if state is not None:
            self._restore(state)

    @property
    def over(self) -> bool:
        return self.epoch == self.config.evaluations or self.since >= self.config.patience

    def advance(self, should_stop: Callable[[], bool]) -> Progress:
        """Train up to the next evaluation, evaluate, and keep the weights if they are the best so far."""
        first, stop = (self.config.steps * (self.epoch + i) // self.config.evaluations for i in (0, 1))
        loss = self._train(range(first, stop), should_stop)
        validation = self._validate()
        _check_finite(loss, validation, stop, self.config)
        self.epoch, self.since = self.epoch + 1, self.since + 1
        if validation < self.best_loss:
            self.since, self.best_loss, self.best = 0, validation, on_cpu(self.network.state_dict())
        return self._progress(loss, validation)

    def _train(self, steps: range, should_stop: Callable[[], bool]) -> float:
        """One batch a step; returns the mean loss."""
        config, total = self.config, torch.zeros((), device=self.quantiles.device)
        for step in steps:
            if should_stop():
                raise TrainingStopped(f"The training was stopped at step {step} of member {self.member + 1}.")
            batch = self.pool.draw(config.batch, self.generator)
            loss = pinball_loss(self.network(batch.inputs), batch, self.quantiles)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            self.optimizer.param_groups[0]["lr"] = config.learning_rate * one_cycle(step / config.steps)
            self.optimizer.step()
            total += loss.detach()
        return total.item() / len(steps)

    @torch.no_grad()
    def _validate(self) -> float:
        return pinball_loss(self.network(self.held_out.inputs), self.held_out, self.quantiles).item()

    def _progress(self, loss: float, validation: float) -> Progress:
        config, share = self.config, 1.0 if self.over else self.epoch / self.config.evaluations
        done = (self.member + share) / config.members
        return Progress(
            self.member + 1, config.members, self.epoch, config.evaluations, loss, validation, done
        )

    def into(self, state: TrainingState) -> TrainingState:
        """The training's state with this member in it."""
        if self.over:
            return replace(state, finished=(*state.finished, self.best), current=None)
        current = MemberState(
            epoch=self.epoch,
            since=self.since,
            loss=self.best_loss,
            weights=on_cpu(self.network.state_dict()),
            best=self.best,
            optimizer=optimizer_tensors(self.optimizer),
            generator=self.generator.get_state(),
        )
        return replace(state, current=current)

    def _restore(self, state: MemberState) -> None:
        self.epoch, self.since, self.best_loss, self.best = state.epoch, state.since, state.loss, state.best
        self.network.load_state_dict(state.weights)
        restore_optimizer(self.optimizer, state.optimizer)
        self.generator.set_state(state.generator)


def one_cycle(share: float) -> float:
    """The learning rate as a share of its peak, at a share (0 to 1) of the steps.

    Rises over the first 30 % and falls to almost nothing, along cosines: Smith & Topin (2019),
    Super-Convergence.
    """
    if share < 0.3:  # noqa: PLR2004 - the rise, said above
        return 0.04 + 0.96 * (1 - math.cos(math.pi * share / 0.3)) / 2
    return (1 + math.cos(math.pi * (share - 0.3) / 0.7)) / 2


def _generator(seed: int, member: int) -> torch.Generator:
    """A random state of its own for each member; neighbouring seeds share no member."""
    mixed = int(np.random.SeedSequence([seed, member]).generate_state(1, np.uint64)[0])
    return torch.Generator().manual_seed(mixed % 2**63)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums of floats depend on how they are split: one thread gives the same bits whatever the caller set."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _check_horizon(panel: Panel, config: TrainingConfig) -> None:
    longest = int(panel.lengths.max())
    limit = longest_horizon(longest)
    if config.horizon > limit:
        advice = f"at most {limit} is possible" if limit > 0 else "at least 4 values are needed"
        raise HorizonTooLong(
            f"A horizon of {config.horizon} is too long: the longest series has {longest} values, and with "
            f"the last {config.horizon} held out they leave no window to learn every step from; {advice}."
        )


def _checked(held_out: Batch, horizon: int) -> Batch:
    if not bool(held_out.targets.isfinite().any()):
        raise UnusableHistory(
            f"No series has values both among its last {horizon} and before them, so nothing can be held "
            "out: leave out the gaps at the end, or choose another horizon."
        )
    return held_out


def _check_finite(loss: float, validation: float, step: int, config: TrainingConfig) -> None:
    if not (math.isfinite(loss) and math.isfinite(validation)):
        raise TrainingDiverged(
            f"The loss stopped being a number by step {step} (training {loss}, held out {validation}): "
            f"try a learning rate below {config.learning_rate}."
        )
