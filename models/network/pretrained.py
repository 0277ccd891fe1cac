"""The pretrained network: trained on synthetic series, for every season and horizon."""

from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor, nn

from models.choices import Seasons
from models.config import MIN_INPUTS, PRETRAINED_HIDDEN, PRETRAINED_MEMBERS, TrainingConfig, View
from models.errors import ArtifactDamaged
from models.network.tensors import Tensors, allocated, group

WEIGHTS = Path(__file__).parents[1] / "weights" / "pretrained.safetensors"

VIEW: View = "pretrained"

INPUTS = 6
WIDTH = 128
STEP_FEATURES = 5
MAX_STEP_ROWS = 2**14


class PretrainedNetwork(nn.Module):
    """An LSTM reads the context; a head shared by all steps forecasts each from the step's own features.

    No weight depends on the horizon or the season, so the same weights serve every series: a multi-horizon
    quantile forecaster with a shared local decoder, after Wen et al. (2017), MQ-RNN. It is not recursive. Its
    weights are not initialised.
    """

    growth: Tensor
    steps: Tensor
    head: nn.Linear

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        # On the meta device nothing is drawn, so the global random state does not change.
        with torch.device("meta"):
            lstm, read = (
                nn.LSTM(INPUTS, PRETRAINED_HIDDEN, batch_first=True),
                nn.Linear(PRETRAINED_HIDDEN, WIDTH),
            )
            step, mix = nn.Linear(STEP_FEATURES, WIDTH), nn.Linear(WIDTH, WIDTH)
            head = nn.Linear(WIDTH, len(config.quantiles))
        self.lstm, self.read = allocated(lstm), allocated(read)
        # Stored weights name this layer `told`.
        self.told, self.mix = allocated(step), allocated(mix)
        self.head = allocated(head)
        self.set_horizon(config)

    def set_horizon(self, config: TrainingConfig) -> None:
        """Forecast as many steps ahead as the config has, in its shortest season."""
        steps = torch.arange(1, config.horizon + 1, dtype=torch.float32)
        # The spread of a random walk grows with the root of the step; the head learns the rest.
        self.register_buffer("growth", steps.sqrt()[:, None], persistent=False)
        self.register_buffer("steps", _step_features(steps, config.season_length), persistent=False)

    def forward(self, context: Tensor) -> Tensor:
        """Map (batch, context, inputs) to (batch, horizon, quantiles), in units of the scale."""
        _, (hidden, _) = self.lstm(context)
        # Each step of each series has a hidden vector: only some are in memory at a time.
        rows = len(context) if torch.is_grad_enabled() else max(1, MAX_STEP_ROWS // len(self.steps))
        return torch.cat([self._decode(part) for part in hidden[-1].split(rows)])

    def _decode(self, hidden: Tensor) -> Tensor:
        mixed = (self.read(hidden)[:, None] + self.told(self.steps)).relu()
        mixed = mixed + self.mix(mixed).relu()
        quantiles: Tensor = self.head(mixed) * self.growth
        return quantiles


def _step_features(steps: Tensor, season_length: int) -> Tensor:
    """Return (horizon, STEP_FEATURES): steps from the origin, position in a season, season length."""
    angle = 2 * torch.pi * steps / season_length
    season = torch.full_like(steps, season_length).log() / 4
    return torch.stack([steps.log() / 4, 1 / steps, angle.sin(), angle.cos(), season], dim=1)


def zero_shot_config(horizon: int, seasons: Seasons) -> TrainingConfig:
    """Return the config of the pretrained networks for a horizon and seasons; it is not for training."""
    return TrainingConfig(
        horizon=horizon,
        season_lengths=seasons.lengths,
        calendar=seasons.calendar,
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
    """Return the stored weights of each member, which the caller must not change.

    Raise `ArtifactDamaged` if they are missing or damaged.
    """
    try:
        tensors = safetensors.load(WEIGHTS.read_bytes())
    except (OSError, SafetensorError) as error:
        raise ArtifactDamaged(f"The pretrained weights, {WEIGHTS}, cannot be read: {error}.") from error
    return tuple(group(tensors, str(member)) for member in range(PRETRAINED_MEMBERS))
