"""Pretrain networks on synthetic series alone.

A batch source is windows of one season and one horizon; a round mixes the batches of several sources. Each
source is drawn from its own numbers, so a pretraining that resumes has the same batches as one without
interruption.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from models.choices import MAX_PRETRAINED_HORIZON, NO_SEASONS
from models.config import PRETRAINED_HIDDEN, PRETRAINED_MEMBERS, QUANTILES, TrainingConfig
from models.inputs.batches import Batch, WindowSampler
from models.network.forecaster import draw_weights
from models.network.pretrained import VIEW, PretrainedNetwork, zero_shot_config
from models.network.tensors import Tensors, on_cpu
from models.panel import Floats, Panel
from models.pretraining.state import PretrainingConfig, PretrainingState
from models.pretraining.synthetic import Random, Shape, draw, log_uniform
from models.training.optimizer import AdamW
from models.training.training_loop import one_cycle, pinball_loss

SEASONS: Mapping[int | None, float] = {
    1: 0.28,
    4: 0.14,
    7: 0.08,
    12: 0.22,
    24: 0.10,
    52: 0.06,
    168: 0.04,
    None: 0.08,
}
"""Season lengths and their probabilities; `None` is any from 2 to 60."""

GRADIENT_LIMIT = 1.0
"""Largest norm of a gradient: one odd series must not undo the training."""

FIRST_VALIDATION_NUMBER = 2**32
"""Sources from this number on are never trained on."""


@dataclass(frozen=True, eq=False)
class SyntheticBatches:
    """A batch source: random windows of synthetic series, and the config with their season and horizon."""

    config: TrainingConfig
    windows: Batch

    @classmethod
    def of(cls, config: PretrainingConfig, number: Sequence[int]) -> "SyntheticBatches":
        """Draw the source of a number, which depends on nothing before it."""
        random = np.random.default_rng([config.seed, *number])
        season_length = _season_length(random)
        horizon = _length(4, min(MAX_PRETRAINED_HORIZON, max(16, 2 * season_length)), random)
        wanted = config.batches * config.batch
        # From less than a season to more than seasonal patterns are estimated from.
        shortest, longest = max(14, min(3 * season_length, 200)), min(1100, max(160, 8 * season_length))
        length = _length(shortest, longest, random) + horizon
        # At most ten windows of a series: another series helps more than another window.
        count = max(64, wanted // min(10, length - 2))
        shape = Shape(count, length, season_length)
        of_network, series = zero_shot_config(horizon, shape.seasons), draw(shape, random)
        sampler = WindowSampler.of(Panel.of(list(series)), of_network, 0, torch.device("cpu"))
        generator = torch.Generator().manual_seed(int(random.integers(2**62)))
        with torch.no_grad():
            return cls(of_network, sampler.training(VIEW, wanted, generator))

    def batch(self, number: int, size: int) -> Batch:
        """Return batch `number` (from 0) of `size` windows."""
        rows, windows = slice(number * size, (number + 1) * size), self.windows
        return Batch(windows.inputs[rows], windows.targets[rows], windows.weights[rows])


class Pretrainer:
    """Pretrains one network; for one thread at a time."""

    def __init__(self, config: PretrainingConfig, member: int, state: PretrainingState) -> None:
        self.config, self.member = config, member
        self.rounds = state.rounds
        self.network = PretrainedNetwork(zero_shot_config(1, NO_SEASONS))
        self.optimizer = AdamW(self.network.parameters(), config.weight_decay)
        self.quantiles = torch.tensor(QUANTILES)
        if state.rounds:
            self.network.load_state_dict(state.weights)
            self.optimizer.restore(state.optimizer)
        else:
            self._initialise()

    def advance(self) -> PretrainingState:
        """Train for one round, on the batches of its sources in random order."""
        config, total = self.config, 0.0
        sources = [
            SyntheticBatches.of(config, (self.member, self.rounds, number))
            for number in range(config.sources)
        ]
        steps = config.sources * config.batches
        order = np.random.default_rng([config.seed, self.member, self.rounds]).permutation(steps)
        for step, place in enumerate(order.tolist()):
            share = (self.rounds + step / steps) / config.rounds
            source, number = sources[place // config.batches], place % config.batches
            total += self._train(source.config, source.batch(number, config.batch), share)
        self.rounds += 1
        return PretrainingState(
            self.rounds, total / steps, on_cpu(self.network.state_dict()), self.optimizer.tensors
        )

    def _initialise(self) -> None:
        seed = self.config.seed * PRETRAINED_MEMBERS + self.member
        draw_weights(self.network, PRETRAINED_HIDDEN, torch.Generator().manual_seed(seed))

    def _train(self, of_network: TrainingConfig, batch: Batch, share: float) -> float:
        self.network.set_horizon(of_network)
        loss = pinball_loss(self.network(batch.inputs), batch, self.quantiles)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_LIMIT)
        self.optimizer.step(self.config.learning_rate * one_cycle(share))
        return loss.item()


def pretrain(
    config: PretrainingConfig,
    states: Sequence[PretrainingState],
    on_round: Callable[[int, PretrainingState], None] = lambda *_: None,
) -> list[PretrainingState]:
    """Pretrain every member through all rounds, in parallel threads, from its state.

    `on_round` is called with each member and its state after each round, in that member's thread. The same
    configuration on the same machine produces the same bits, interrupted or not.
    """

    def pretrain_member(member: int) -> PretrainingState:
        state = states[member]
        pretrainer = Pretrainer(config, member, state)
        while state.rounds < config.rounds:
            state = pretrainer.advance()
            on_round(member, state)
        return state

    # torch's number of threads is set for each thread; a new one starts with that of the machine.
    with ThreadPoolExecutor(PRETRAINED_MEMBERS, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(pretrain_member, range(PRETRAINED_MEMBERS)))


@torch.no_grad()
def validate(config: PretrainingConfig, weights: Sequence[Tensors]) -> Floats:
    """Return (validation,), the pinball loss of the members' mean forecast on each validation source."""
    network, quantiles = PretrainedNetwork(zero_shot_config(1, NO_SEASONS)), torch.tensor(QUANTILES)
    losses = np.empty(config.validation)
    for number in range(config.validation):
        source = SyntheticBatches.of(config, (FIRST_VALIDATION_NUMBER, number))
        network.set_horizon(source.config)
        outputs = []
        for member in weights:
            network.load_state_dict(member)
            outputs.append(network(source.windows.inputs))
        losses[number] = pinball_loss(torch.stack(outputs).mean(dim=0), source.windows, quantiles).item()
    return losses


def _season_length(random: Random) -> int:
    chosen = list(SEASONS)[random.choice(len(SEASONS), p=list(SEASONS.values()))]
    return int(random.integers(2, 61)) if chosen is None else chosen


def _length(least: int, most: int, random: Random) -> int:
    return round(float(log_uniform(least, most, 1, random)[0]))
