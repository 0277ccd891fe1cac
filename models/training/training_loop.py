"""Train one member of an ensemble: a plain loop over batches of windows."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models.config import TrainingConfig
from models.errors import TrainingDiverged, TrainingStopped
from models.inputs.batches import Batch
from models.network.forecaster import build_member
from models.network.tensors import on_cpu
from models.training.optimizer import AdamW
from models.training.state import MemberState


@dataclass(frozen=True, eq=False)
class SharedWindows:
    """The windows that the members of one view share: to train on, and to validate on, if any."""

    training: Batch
    validation: Batch | None


class Member:
    """A member in training, with all its state; for one thread at a time."""

    def __init__(
        self, config: TrainingConfig, number: int, windows: SharedWindows, generator: torch.Generator
    ) -> None:
        self.config, self.number, self.windows, self.generator = config, number, windows, generator
        device = windows.training.inputs.device
        self.network = build_member(config, number, generator).to(device)
        self.optimizer = AdamW(self.network.parameters(), config.weight_decay)
        self.quantiles = torch.tensor(config.quantiles, device=device)
        self.epoch = 0

    @property
    def is_finished(self) -> bool:
        return self.epoch == self.config.epochs

    def advance(self, should_stop: Callable[[], bool]) -> MemberState:
        """Train for one epoch, validate and return the state. Raise `TrainingDiverged` or as `_train`."""
        first, stop = (self.config.steps * (self.epoch + i) // self.config.epochs for i in (0, 1))
        loss = self._train(range(first, stop), should_stop)
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"The loss stopped being a number by step {stop}: "
                f"try a learning rate below {self.config.learning_rate}."
            )
        self.epoch += 1
        return MemberState(
            epoch=self.epoch,
            loss=loss,
            validation_loss=self._validate(),
            weights=on_cpu(self.network.state_dict()),
            optimizer=self.optimizer.tensors,
            generator=self.generator.get_state(),
        )

    def restore(self, state: MemberState) -> None:
        """Continue from a state that `advance` returned."""
        self.epoch = state.epoch
        self.network.load_state_dict(state.weights)
        self.optimizer.restore(state.optimizer)
        self.generator.set_state(state.generator)

    def _train(self, steps: range, should_stop: Callable[[], bool]) -> float:
        """Train on one batch a step, and return the mean loss."""
        config, total = self.config, torch.zeros((), device=self.quantiles.device)
        batches = self.windows.training.draw(len(steps), config.batch, self.generator)
        for step, batch in zip(steps, batches, strict=True):
            if should_stop():
                raise TrainingStopped(f"The training was stopped at step {step} of member {self.number + 1}.")
            loss = pinball_loss(self.network(batch.inputs), batch, self.quantiles)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            self.optimizer.step(config.learning_rate * one_cycle(step / config.steps))
            total += loss.detach()
        return total.item() / len(steps)

    @torch.no_grad()
    def _validate(self) -> float | None:
        """Return the validation loss; None without validation windows."""
        validation = self.windows.validation
        if validation is None:
            return None
        return pinball_loss(self.network(validation.inputs), validation, self.quantiles).item()


def pinball_loss(outputs: Tensor, batch: Batch, quantiles: Tensor) -> Tensor:
    """Return the weighted mean pinball (quantile) loss over the targets that are no gaps.

    `outputs` (batch, horizon, quantiles). Source: Koenker & Bassett (1978), Regression Quantiles.
    """
    apply = _PinballLoss.apply
    loss: Tensor = apply(outputs, batch.targets, batch.weights, quantiles)  # type: ignore[no-untyped-call]
    return loss


class _PinballLoss(torch.autograd.Function):
    """The loss with its gradient written out: that of its formula, at half of the cost of a long horizon.

    The gradient of an error is its slope, `quantiles` above zero and `quantiles - 1` below.
    """

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, targets: Tensor, weights: Tensor, quantiles: Tensor) -> Tensor:
        error = targets[..., None] - outputs
        slope = torch.where(error > 0, quantiles, quantiles - 1)
        loss = (slope * error).mean(dim=2)
        count = weights.count_nonzero().clamp(min=1)
        ctx.save_for_backward(slope, weights, count)
        return (loss * weights).sum() / count

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        slope, weights, count = ctx.saved_tensors
        share = gradient / count * weights / slope.shape[2]
        return slope * -share[..., None], None, None, None


def one_cycle(share: float) -> float:
    """Return the learning rate as a share of its peak, at a share (0 to 1) of the steps.

    It rises over the first 30 % and falls to almost zero, along cosines: Smith & Topin (2019),
    Super-Convergence.
    """
    if share < 0.3:  # noqa: PLR2004 - the share of the rise
        return 0.04 + 0.96 * (1 - math.cos(math.pi * share / 0.3)) / 2
    return (1 + math.cos(math.pi * (share - 0.3) / 0.7)) / 2
