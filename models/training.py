"""Train the ensemble: for each member a plain loop over windows cut on the fly, with early stopping."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.config import MIN_INPUTS, TrainingConfig, View, longest_horizon
from models.errors import HorizonTooLong, TrainingDiverged, TrainingStopped, UnusableHistory
from models.forecasting import resolve_device
from models.network import Forecaster, Network, build_member
from models.scaling import Scale, Transform, features, scaled_targets
from models.windows import Panel, Tape, cut

MOST_HELD_OUT = 4096
"""Held-out windows an evaluation looks at; a larger panel is sampled."""


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


def fit(
    panel: Panel,
    config: TrainingConfig,
    *,
    device: str = "cpu",
    on_epoch: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Forecaster:
    """Train every member on the panel and return the ensemble, each with the best weights it had.

    The last `horizon` steps of each series are held out to choose those weights. The same panel, config
    and machine give the same bits; the global random state is neither read nor changed. `should_stop` is
    asked before every batch. Raises `HorizonTooLong`, `UnusableHistory`, `DeviceUnavailable`,
    `TrainingStopped` and `TrainingDiverged`.
    """
    _check_horizon(panel, config)
    task = _Task.of(panel, config, resolve_device(device))
    with _one_thread():
        networks = tuple(
            _train_member(task, member, on_epoch, should_stop) for member in range(config.members)
        )
    return Forecaster(config, networks)


def pinball_loss(answers: Tensor, batch: "Batch", quantiles: Tensor) -> Tensor:
    """Mean pinball (quantile) loss over the known targets, weighted by the scale of their series.

    `answers` (batch, horizon, quantiles). Source: Koenker & Bassett (1978), Regression Quantiles.
    """
    known = batch.targets.isfinite()
    error = batch.targets.nan_to_num(nan=0.0)[..., None] - answers
    loss = torch.maximum(quantiles * error, (quantiles - 1) * error).mean(dim=2)
    return (loss * batch.weights * known).sum() / known.sum().clamp(min=1)


@dataclass(frozen=True, eq=False)
class Batch:
    """`inputs` (batch, context, inputs), `targets` (batch, horizon), NaN for gaps, `weights` (batch, 1)."""

    inputs: Tensor
    targets: Tensor
    weights: Tensor


@dataclass(frozen=True, eq=False)
class _Task:
    """What all members share: the tape, the cut, and how many training windows lie before each series' end.

    `cuts` (series,) is the first held-out position of each series; `cumulative` (series,) int64.
    """

    config: TrainingConfig
    tape: Tape
    cuts: Tensor
    cumulative: Tensor

    @classmethod
    def of(cls, panel: Panel, config: TrainingConfig, device: torch.device) -> "_Task":
        tape = Tape.of(panel, device)
        # Training windows end before the cut; the held-out windows begin at it.
        cuts = tape.ends - config.horizon
        counts = (cuts - tape.starts - MIN_INPUTS).clamp(min=0)
        return cls(config, tape, cuts, counts.cumsum(dim=0))

    def training_batch(self, view: View, generator: torch.Generator) -> Batch:
        """Windows drawn with replacement, every possible one as likely as another."""
        total = int(self.cumulative[-1])
        picks = torch.randint(total, (self.config.batch,), generator=generator).to(self.cuts.device)
        series = torch.searchsorted(self.cumulative, picks, right=True)
        # Counted back from the cut: the pick just under the cumulative count is the last origin before it.
        origins = self.cuts[series] - (self.cumulative[series] - picks)
        return self._batch(series, origins, self.cuts[series], view)

    def held_out_batch(self, view: View, generator: torch.Generator) -> Batch:
        usable = torch.nonzero(self.cuts - self.tape.starts >= MIN_INPUTS)[:, 0]
        order = torch.randperm(len(usable), generator=generator)[:MOST_HELD_OUT].sort().values
        series = usable[order.to(usable.device)]
        return self._batch(series, self.cuts[series], self.tape.ends[series], view)

    def _batch(self, series: Tensor, origins: Tensor, ends: Tensor, view: View) -> Batch:
        config = self.config
        windows = cut(self.tape, series, origins, ends, config)
        transform = Transform.of(windows.history)
        z = transform.forward(windows.history)
        scale = Scale.of(z, view, config)
        return Batch(
            inputs=features(z, scale, windows.phases, view, config),
            targets=scaled_targets(windows, transform, scale),
            weights=scale.change.clamp(max=1.0).to(torch.float32),
        )


class _Best:
    """The best weights so far, and how many evaluations ago that was."""

    def __init__(self) -> None:
        self.loss = math.inf
        self.since = 0
        self.weights: dict[str, Tensor] = {}

    def see(self, loss: float, network: Network) -> None:
        self.since += 1
        if loss < self.loss:
            self.loss, self.since = loss, 0
            self.weights = {name: value.clone() for name, value in network.state_dict().items()}


def _train_member(
    task: _Task, member: int, on_epoch: Callable[[Progress], None], should_stop: Callable[[], bool]
) -> Network:
    """One member from fresh weights to its best ones."""
    config, view, device = task.config, task.config.views[member], task.cuts.device
    generator = _generator(config.seed, member)
    network = build_member(config, member, generator).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay, fused=True)
    quantiles = torch.tensor(config.quantiles, device=device)
    held_out = _checked(task.held_out_batch(view, generator), config.horizon)
    best, losses, epoch = _Best(), torch.zeros((), device=device), 0
    ends = [round(config.steps * (i + 1) / config.evaluations) for i in range(config.evaluations)]

    for step in range(config.steps):
        if should_stop():
            raise TrainingStopped(f"The training was stopped at step {step} of member {member + 1}.")
        batch = task.training_batch(view, generator)
        loss = pinball_loss(network(batch.inputs), batch, quantiles)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.param_groups[0]["lr"] = config.learning_rate * one_cycle(step / config.steps)
        optimizer.step()
        losses += loss.detach()
        if step + 1 < ends[epoch]:
            continue
        mean = losses.item() / (ends[epoch] - (ends[epoch - 1] if epoch else 0))
        with torch.no_grad():
            validation = pinball_loss(network(held_out.inputs), held_out, quantiles).item()
        _check_finite(mean, validation, step, config)
        best.see(validation, network)
        epoch, losses = epoch + 1, torch.zeros((), device=device)
        over = epoch == config.evaluations or best.since >= config.patience
        done = (member + (1.0 if over else epoch / config.evaluations)) / config.members
        on_epoch(Progress(member + 1, config.members, epoch, config.evaluations, mean, validation, done))
        if over:
            break
    network.load_state_dict(best.weights)
    return network


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
            f"The loss stopped being a number by step {step + 1} (training {loss}, held out {validation}): "
            f"try a learning rate below {config.learning_rate}."
        )
