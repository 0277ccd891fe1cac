"""The network: an encoder reads the context once, and a head answers every step ahead at every quantile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress

import torch
from torch import Tensor, nn

from models.config import PRETRAINED_MEMBERS, TrainingConfig
from models.inputs.scaling import feature_count
from models.network.encoders import ENCODERS
from models.network.pretrained import VIEW, PretrainedNetwork, pretrained_weights


class Network(nn.Module):
    """Direct multi-horizon quantile forecaster: it never reads an answer of its own back in.

    Its weights are not set when it is made: `build_member` draws them, and a checkpoint brings its own.
    """

    growth: Tensor
    head: nn.Linear

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


AnyNetwork = Network | PretrainedNetwork


def build_member(config: TrainingConfig, member: int, generator: torch.Generator) -> Network:
    """A fresh network for one member, on the CPU; every weight is drawn from `generator` and nothing else."""
    network = Network(feature_count(config.views[member]), config)
    draw_weights(network, config.hidden, generator)
    return network


def draw_weights(network: nn.Module, hidden: int, generator: torch.Generator) -> None:
    """Set every weight anew, as large as suits so many numbers in a state."""
    bound = hidden**-0.5
    for parameter in network.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)


def pretrained_member(config: TrainingConfig, member: int) -> PretrainedNetwork:
    """The network for a member of the view `pretrained`, on the CPU, with the weights that are stored."""
    network, before = PretrainedNetwork(config), config.views[:member].count(VIEW)
    network.load_state_dict(pretrained_weights()[before % PRETRAINED_MEMBERS])
    return network


def trained_member(config: TrainingConfig, member: int, weights: Mapping[str, Tensor]) -> AnyNetwork:
    """A network for one member, on the CPU, with these weights; raises RuntimeError where they do not fit."""
    view = config.views[member]
    network = PretrainedNetwork(config) if view == VIEW else Network(feature_count(view), config)
    network.load_state_dict(weights)
    return network


@dataclass(frozen=True, eq=False)
class Forecaster:
    """A trained ensemble: one network for each view its config names, in that order, on one device."""

    config: TrainingConfig
    networks: tuple[AnyNetwork, ...]

    @property
    def by_start(self) -> list["Forecaster"]:
        """The ensemble, and of a mixed one the members that were pretrained, and those that learned."""
        if self.config.start != "both":
            return [self]
        pretrained = [view == VIEW for view in self.config.views]
        return [self, self._some(pretrained), self._some([not each for each in pretrained])]

    def _some(self, chosen: Sequence[bool]) -> "Forecaster":
        views = tuple(compress(self.config.views, chosen))
        return Forecaster(replace(self.config, views=views), tuple(compress(self.networks, chosen)))

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
