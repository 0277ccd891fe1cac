"""The network that has learned from synthetic series alone, for every season and horizon."""

from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor, nn

from models.config import MIN_INPUTS, PRETRAINED_HIDDEN, PRETRAINED_MEMBERS, TrainingConfig, View
from models.errors import ArtifactDamaged
from models.network.tensors import Tensors, group

WEIGHTS = Path(__file__).parents[1] / "weights" / "pretrained.safetensors"

VIEW: View = "pretrained"

INPUTS = 6
WIDTH = 128
STEP_FEATURES = 5
ANSWERS_AT_ONCE = 2**14


class PretrainedNetwork(nn.Module):
    """An LSTM reads the context once; a head that is told the step answers each step ahead by itself.

    No weight depends on the horizon or the season, so the same ones serve every series: a multi-horizon
    quantile forecaster with a shared local decoder, after Wen et al. (2017), MQ-RNN. It never reads an answer
    of its own back in. Its weights are not set when it is made.
    """

    growth: Tensor
    ahead: Tensor
    head: nn.Linear

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        # Made on the meta device, where nothing is drawn: the global random state stays as it was.
        with torch.device("meta"):
            lstm, read = (
                nn.LSTM(INPUTS, PRETRAINED_HIDDEN, batch_first=True),
                nn.Linear(PRETRAINED_HIDDEN, WIDTH),
            )
            told, mix = nn.Linear(STEP_FEATURES, WIDTH), nn.Linear(WIDTH, WIDTH)
            head = nn.Linear(WIDTH, len(config.quantiles))
        self.lstm, self.read = lstm.to_empty(device="cpu"), read.to_empty(device="cpu")
        self.told, self.mix = told.to_empty(device="cpu"), mix.to_empty(device="cpu")
        self.head = head.to_empty(device="cpu")
        self.set_horizon(config)

    def set_horizon(self, config: TrainingConfig) -> None:
        """Answer as many steps ahead as the config wants, in its season."""
        steps = torch.arange(1, config.horizon + 1, dtype=torch.float32)
        # The spread of a random walk grows with the root of the step; the head learns what is left.
        self.register_buffer("growth", steps.sqrt()[:, None], persistent=False)
        self.register_buffer("ahead", _step_features(steps, config.season_length), persistent=False)

    def forward(self, context: Tensor) -> Tensor:
        """(batch, context, inputs) to (batch, horizon, quantiles), in units of the scale."""
        _, (hidden, _) = self.lstm(context)
        # Every step ahead has a layer of its own: of many series and steps only some are held at a time.
        rows = len(context) if torch.is_grad_enabled() else max(1, ANSWERS_AT_ONCE // len(self.ahead))
        return torch.cat([self._answer(part) for part in hidden[-1].split(rows)])

    def _answer(self, hidden: Tensor) -> Tensor:
        mixed = (self.read(hidden)[:, None] + self.told(self.ahead)).relu()
        mixed = mixed + self.mix(mixed).relu()
        answers: Tensor = self.head(mixed) * self.growth
        return answers


def _step_features(steps: Tensor, season_length: int) -> Tensor:
    """(horizon, STEP_FEATURES): how far ahead, where in a season from the origin on, how long that is."""
    angle = 2 * torch.pi * steps / season_length
    season = torch.full_like(steps, season_length).log() / 4
    return torch.stack([steps.log() / 4, 1 / steps, angle.sin(), angle.cos(), season], dim=1)


def zero_shot_config(horizon: int, season_length: int) -> TrainingConfig:
    """The config of the pretrained networks for series of one season, as a forecast reads it."""
    return TrainingConfig(
        horizon=horizon,
        season_length=season_length,
        seed=0,
        views=(VIEW,) * PRETRAINED_MEMBERS,
        context=MIN_INPUTS,
        hidden=PRETRAINED_HIDDEN,
        steps=1,
        epochs=1,
        batch=1,
        learning_rate=1.0,
        weight_decay=0.0,
        windows=40,
    )


@cache
def pretrained_weights() -> tuple[Tensors, ...]:
    """The weights of each member, as they are stored beside the code; not to be changed in place.

    Raises `ArtifactDamaged` if they are not there, or are damaged.
    """
    try:
        tensors = safetensors.load(WEIGHTS.read_bytes())
    except (OSError, SafetensorError) as error:
        raise ArtifactDamaged(f"The pretrained weights, {WEIGHTS}, cannot be read: {error}.") from error
    return tuple(group(tensors, str(member)) for member in range(PRETRAINED_MEMBERS))
