"""The network: an encoder reads the context, and a linear head forecasts every step at every quantile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress

import torch
from torch import Tensor, nn

from models.config import PRETRAINED_MEMBERS, TrainingConfig
from models.inputs.scaling import feature_count
from models.network.encoders import ENCODERS
from models.network.pretrained import VIEW, PretrainedNetwork, pretrained_weights
from models.network.tensors import allocated


class QuantileNetwork(nn.Module):
    """Direct multi-horizon quantile forecaster: it is not recursive.

    Its weights are not initialised: `build_member` draws them, and a checkpoint has its own.
    """

    growth: Tensor
    head: nn.Linear

    def __init__(self, inputs: int, config: TrainingConfig) -> None:
        super().__init__()
        self.shape = (config.horizon, len(config.quantiles))
        # On the meta device nothing is drawn, so the global random state does not change.
        with torch.device("meta"):
            encoder = ENCODERS[config.architecture](inputs, config)
            head = nn.Linear(config.hidden, config.horizon * len(config.quantiles))
        self.encoder, self.head = allocated(encoder), allocated(head)
        # The spread of a random walk grows with the root of the step; the head learns the rest.
        growth = torch.arange(1, config.horizon + 1, dtype=torch.float32).sqrt()[:, None]
        self.register_buffer("growth", growth, persistent=False)

    def forward(self, context: Tensor) -> Tensor:
        """Map (batch, context, inputs) to (batch, horizon, quantiles), in units of the scale."""
        quantiles: Tensor = self.head(self.encoder(context))
        return quantiles.reshape(-1, *self.shape) * self.growth


AnyNetwork = QuantileNetwork | PretrainedNetwork


def build_member(config: TrainingConfig, member: int, generator: torch.Generator) -> QuantileNetwork:
    """Return a new network for one member, on the CPU; every weight is drawn from `generator`."""
    network = QuantileNetwork(feature_count(config.views[member]), config)
    draw_weights(network, config.hidden, generator)
    return network


def draw_weights(network: nn.Module, hidden: int, generator: torch.Generator) -> None:
    """Draw every weight uniformly within ± 1 / sqrt(hidden), as torch's recurrent layers do."""
    bound = hidden**-0.5
    for parameter in network.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)


def pretrained_member(config: TrainingConfig, member: int) -> PretrainedNetwork:
    """Return the network of a member with the view `pretrained`, on the CPU, with its stored weights."""
    network, position = PretrainedNetwork(config), config.views[:member].count(VIEW)
    network.load_state_dict(pretrained_weights()[position % PRETRAINED_MEMBERS])
    return network


def trained_member(config: TrainingConfig, member: int, weights: Mapping[str, Tensor]) -> AnyNetwork:
    """Return the network of one member, on the CPU, with these weights; RuntimeError if they do not fit."""
    view = config.views[member]
    network = PretrainedNetwork(config) if view == VIEW else QuantileNetwork(feature_count(view), config)
    network.load_state_dict(weights)
    return network


@dataclass(frozen=True, eq=False)
class Forecaster:
    """A trained ensemble: one network for each view of its config, in that order, on one device."""

    config: TrainingConfig
    networks: tuple[AnyNetwork, ...]

    @property
    def subensembles(self) -> list["Forecaster"]:
        """The ensemble itself, and of a mixed one also its pretrained and its trained members alone."""
        if self.config.start != "both":
            return [self]
        pretrained = [view == VIEW for view in self.config.views]
        return [self, self._subset(pretrained), self._subset([not each for each in pretrained])]

    def _subset(self, chosen: Sequence[bool]) -> "Forecaster":
        views = tuple(compress(self.config.views, chosen))
        return Forecaster(replace(self.config, views=views), tuple(compress(self.networks, chosen)))

    @property
    def nbytes(self) -> int:
        """Bytes of its weights in memory."""
        return sum(p.numel() * p.element_size() for network in self.networks for p in network.parameters())

    @property
    def parameters(self) -> int:
        """Number of weights, over all members."""
        return sum(p.numel() for network in self.networks for p in network.parameters())

    @property
    def device(self) -> torch.device:
        return self.networks[0].head.weight.device
