"""The network: an encoder reads the context once, and a head answers every step ahead at every quantile."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.config import TrainingConfig
from models.encoders import ENCODERS
from models.scaling import feature_count


class Network(nn.Module):
    """Direct multi-horizon quantile forecaster: it never reads an answer of its own back in.

    Its weights are not set when it is made: `build_member` draws them, and a checkpoint brings its own.
    """

    growth: Tensor

    def __init__(self, inputs: int, config: TrainingConfig) -> None:
        super().__init__()
        self.shape = (config.horizon, len(config.quantiles))
        # Made on the meta device, where nothing is drawn: the global random state stays as it was.
        with torch.device("meta"):
            encoder = ENCODERS[config.architecture](inputs, config)
            head = nn.Linear(config.hidden, config.horizon * len(config.quantiles))
        self.encoder, self.head = encoder.to_empty(device="cpu"), head.to_empty(device="cpu")
        # The spread of a random walk grows with the root of the step; the head learns what is left.
        growth = torch.arange(1, config.horizon + 1, dtype=torch.float32).sqrt()[:, None]
        self.register_buffer("growth", growth, persistent=False)

    def forward(self, context: Tensor) -> Tensor:
        """(batch, context, inputs) to (batch, horizon, quantiles), in units of the scale."""
        answers: Tensor = self.head(self.encoder(context))
        return answers.reshape(-1, *self.shape) * self.growth


def build_member(config: TrainingConfig, member: int, generator: torch.Generator) -> Network:
    """A fresh network for one member, on the CPU; every weight is drawn from `generator` and nothing else."""
    network = Network(feature_count(config.views[member]), config)
    bound = config.hidden**-0.5
    for parameter in network.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return network


def trained_member(config: TrainingConfig, member: int, weights: Mapping[str, Tensor]) -> Network:
    """A network for one member, on the CPU, with these weights; raises RuntimeError where they do not fit."""
    network = Network(feature_count(config.views[member]), config)
    network.load_state_dict(weights)
    return network


@dataclass(frozen=True, eq=False)
class Forecaster:
    """A trained ensemble: one network for each view its config names, in that order, on one device."""

    config: TrainingConfig
    networks: tuple[Network, ...]

    @property
    def nbytes(self) -> int:
        """Bytes its weights take in memory."""
        return sum(p.numel() * p.element_size() for network in self.networks for p in network.parameters())

    @property
    def parameters(self) -> int:
        """Numbers that were learned, over all members."""
        return sum(p.numel() for network in self.networks for p in network.parameters())

    @property
    def device(self) -> torch.device:
        return self.networks[0].head.weight.device
