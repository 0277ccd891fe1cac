"""Teach the pretrained networks what series do, from synthetic ones alone.

A lesson is a batch or more of windows of one season and one horizon; a round mixes the batches of several
lessons. Every lesson is drawn from its own number, so a pretraining that goes on sees what one that was
never broken off would have seen.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from models.choices import MAX_PRETRAINED_HORIZON
from models.config import PRETRAINED_HIDDEN, PRETRAINED_MEMBERS, QUANTILES, TrainingConfig
from models.inputs.batches import Batch, WindowSampler
from models.network.forecaster import draw_weights
from models.network.pretrained import VIEW, PretrainedNetwork, zero_shot_config
from models.network.tensors import Tensors, on_cpu
from models.panel import Floats, Panel
from models.pretraining.state import Curriculum, PupilState
from models.pretraining.synthetic import Random, Shape, draw, log_uniform
from models.training.member import one_cycle, pinball_loss
from models.training.state import optimizer_tensors, restore_optimizer

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
"""Seasons of lessons and how often they come; `None` is any from 2 to 60."""

GRADIENT_LIMIT = 1.0
"""The norm that gradients are drawn in to: one odd series must not undo what was learned."""

EXAMINATION = 2**32
"""Numbers from here on are of lessons that nobody learns from."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """Windows of synthetic series, at random, and the config that says of what season and horizon."""

    config: TrainingConfig
    windows: Batch

    @classmethod
    def of(cls, curriculum: Curriculum, number: Sequence[int]) -> "Lesson":
        """The lesson of a number, whatever came before."""
        random = np.random.default_rng([curriculum.seed, *number])
        season_length = _season_length(random)
        horizon = _length(4, min(MAX_PRETRAINED_HORIZON, max(16, 2 * season_length)), random)
        wanted = curriculum.batches * curriculum.batch
        config = zero_shot_config(horizon, season_length)
        # From a season or less to more than the pattern of a season is estimated from.
        shortest, longest = max(14, min(3 * season_length, 200)), min(1100, max(160, 8 * season_length))
        length = _length(shortest, longest, random) + horizon
        # Ten windows of a series, no more: another series teaches more than another window.
        count = max(64, wanted // min(10, length - 2))
        series = draw(Shape(count, length, season_length), random)
        sampler = WindowSampler.of(Panel.of(list(series)), config, 0, torch.device("cpu"))
        generator = torch.Generator().manual_seed(int(random.integers(2**62)))
        with torch.no_grad():
            return cls(config, sampler.training(VIEW, wanted, generator))

    def batch(self, number: int, size: int) -> Batch:
        """Its windows from `number` times `size` on."""
        rows, windows = slice(number * size, (number + 1) * size), self.windows
        return Batch(windows.inputs[rows], windows.targets[rows], windows.weights[rows])


class Pupil:
    """One network under pretraining; one thread at a time."""

    def __init__(self, curriculum: Curriculum, member: int, state: PupilState) -> None:
        self.curriculum, self.member = curriculum, member
        self.rounds = state.rounds
        self.network = PretrainedNetwork(zero_shot_config(1, 1))
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), weight_decay=curriculum.weight_decay, fused=True
        )
        self.quantiles = torch.tensor(QUANTILES)
        if state.rounds:
            self.network.load_state_dict(state.weights)
            restore_optimizer(self.optimizer, state.optimizer)
        else:
            self._begin()

    def advance(self) -> PupilState:
        """Take a round of lessons, their batches in an order of chance."""
        curriculum, total = self.curriculum, 0.0
        lessons = [
            Lesson.of(curriculum, (self.member, self.rounds, number)) for number in range(curriculum.lessons)
        ]
        steps = curriculum.lessons * curriculum.batches
        order = np.random.default_rng([curriculum.seed, self.member, self.rounds]).permutation(steps)
        for step, place in enumerate(order.tolist()):
            share = (self.rounds + step / steps) / curriculum.rounds
            lesson, number = lessons[place // curriculum.batches], place % curriculum.batches
            total += self._learn(lesson.config, lesson.batch(number, curriculum.batch), share)
        self.rounds += 1
        return PupilState(
            self.rounds, total / steps, on_cpu(self.network.state_dict()), optimizer_tensors(self.optimizer)
        )

    def _begin(self) -> None:
        seed = self.curriculum.seed * PRETRAINED_MEMBERS + self.member
        draw_weights(self.network, PRETRAINED_HIDDEN, torch.Generator().manual_seed(seed))

    def _learn(self, config: TrainingConfig, batch: Batch, share: float) -> float:
        self.network.set_horizon(config)
        loss = pinball_loss(self.network(batch.inputs), batch, self.quantiles)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_LIMIT)
        self.optimizer.param_groups[0]["lr"] = self.curriculum.learning_rate * one_cycle(share)
        self.optimizer.step()
        return loss.item()


def pretrain(
    curriculum: Curriculum,
    states: Sequence[PupilState],
    on_round: Callable[[int, PupilState], None] = lambda *_: None,
) -> list[PupilState]:
    """Take every member through all rounds, side by side in threads, from where its state is.

    `on_round` is told of each member's state after each of its rounds, from that member's thread. The same
    curriculum on the same machine gives the same bits, broken off or not.
    """

    def through(member: int) -> PupilState:
        state = states[member]
        pupil = Pupil(curriculum, member, state)
        while state.rounds < curriculum.rounds:
            state = pupil.advance()
            on_round(member, state)
        return state

    # Each thread has a number of its own, and a new one starts with the machine's.
    with ThreadPoolExecutor(PRETRAINED_MEMBERS, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(through, range(PRETRAINED_MEMBERS)))


@torch.no_grad()
def examine(curriculum: Curriculum, weights: Sequence[Tensors]) -> Floats:
    """(examination,): the pinball loss of the members' mean answer in each lesson of the examination."""
    network, quantiles = PretrainedNetwork(zero_shot_config(1, 1)), torch.tensor(QUANTILES)
    losses = np.empty(curriculum.examination)
    for number in range(curriculum.examination):
        lesson = Lesson.of(curriculum, (EXAMINATION, number))
        network.set_horizon(lesson.config)
        answers = []
        for member in weights:
            network.load_state_dict(member)
            answers.append(network(lesson.windows.inputs))
        losses[number] = pinball_loss(torch.stack(answers).mean(dim=0), lesson.windows, quantiles).item()
    return losses


def _season_length(random: Random) -> int:
    chosen = list(SEASONS)[random.choice(len(SEASONS), p=list(SEASONS.values()))]
    return int(random.integers(2, 61)) if chosen is None else chosen


def _length(least: int, most: int, random: Random) -> int:
    return round(float(log_uniform(least, most, 1, random)[0]))
