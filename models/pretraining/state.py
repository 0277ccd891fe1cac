"""The configuration of a pretraining and the state of each of its networks, with their stored form."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from safetensors import torch as safetensors

from models.errors import CannotResume
from models.network.artifact import Artifact, check, pack, reading_tensors
from models.network.tensors import Tensors, group

FORMAT = "pretraining 1"
"""Format of a stored state; it changes with anything that the bits of a resumed pretraining depend on."""


@dataclass(frozen=True)
class PretrainingConfig:
    """The configuration of a pretraining: `rounds`, each with `sources` of `batches` of `batch` windows.

    A batch source is windows of synthetic series of one season and horizon. The final loss is computed on
    `validation` sources that no network was trained on.
    """

    seed: int = 0
    rounds: int = 192
    sources: int = 16
    batches: int = 4
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    validation: int = 64

    def to_dict(self) -> dict[str, object]:
        """Return the fields as stored, where `sources` and `validation` have older names."""
        stored = {"sources": "lessons", "validation": "examination"}
        return {stored.get(name, name): value for name, value in asdict(self).items()}


@dataclass(frozen=True, eq=False)
class PretrainingState:
    """The state of one network after so many `rounds`; `loss` is its mean pinball loss in the last one."""

    rounds: int = 0
    loss: float = math.nan
    weights: Tensors = field(default_factory=dict)
    optimizer: Tensors = field(default_factory=dict)


def dump_state(state: PretrainingState, config: PretrainingConfig) -> Artifact:
    """Return the state of one network as bytes and metadata."""
    run = {"rounds": torch.tensor(state.rounds), "loss": torch.tensor(state.loss, dtype=torch.float64)}
    groups = {"weights": state.weights, "optimizer": state.optimizer, "run": run}
    return pack(groups, {"format": FORMAT, "curriculum": config.to_dict()})


def load_state(weights: bytes, metadata: Mapping[str, Any], config: PretrainingConfig) -> PretrainingState:
    """Load a dumped state.

    Raise `ArtifactDamaged` for an unknown format or weights that do not match their metadata, and
    `CannotResume` for a state of another configuration.
    """
    check(weights, metadata, FORMAT)
    if metadata["curriculum"] != config.to_dict():
        raise CannotResume(
            "The saved pretraining has another configuration than the one asked for: start again."
        )
    with reading_tensors():
        tensors = safetensors.load(weights)
        run = group(tensors, "run")
        return PretrainingState(
            int(run["rounds"]), float(run["loss"]), group(tensors, "weights"), group(tensors, "optimizer")
        )
