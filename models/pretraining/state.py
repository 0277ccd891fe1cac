"""What a pretraining is made of, and how far each of its networks is, as bytes too."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from safetensors import torch as safetensors

from models.errors import CannotResume
from models.network.artifact import Artifact, check, pack, reading_tensors
from models.network.tensors import Tensors, group

PUPIL_FORMAT = "pretraining 1"
"""Changes with what a state is made of, and with what else the bits of a resumed pretraining depend on."""


@dataclass(frozen=True)
class Curriculum:
    """What a pretraining is made of: `rounds` of `lessons`, each of `batches` of `batch` windows.

    At the end there is an `examination` of so many lessons that no network has learned from.
    """

    seed: int = 0
    rounds: int = 192
    lessons: int = 16
    batches: int = 4
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    examination: int = 64


@dataclass(frozen=True, eq=False)
class PupilState:
    """Where one network is after `rounds` rounds; `loss` is its mean pinball loss in the last of them."""

    rounds: int = 0
    loss: float = math.nan
    weights: Tensors = field(default_factory=dict)
    optimizer: Tensors = field(default_factory=dict)


def dump_pupil(state: PupilState, curriculum: Curriculum) -> Artifact:
    """A network under pretraining, to go on from later."""
    run = {"rounds": torch.tensor(state.rounds), "loss": torch.tensor(state.loss, dtype=torch.float64)}
    groups = {"weights": state.weights, "optimizer": state.optimizer, "run": run}
    return pack(groups, {"format": PUPIL_FORMAT, "curriculum": asdict(curriculum)})


def load_pupil(weights: bytes, metadata: Mapping[str, Any], curriculum: Curriculum) -> PupilState:
    """The state that was dumped.

    Raises `ArtifactDamaged` when the format is unknown or weights and metadata do not belong together, and
    `CannotResume` when it is of another curriculum.
    """
    check(weights, metadata, PUPIL_FORMAT)
    if metadata["curriculum"] != asdict(curriculum):
        raise CannotResume("The saved pretraining has another curriculum than the one asked for: begin anew.")
    with reading_tensors():
        tensors = safetensors.load(weights)
        run = group(tensors, "run")
        return PupilState(
            int(run["rounds"]), float(run["loss"]), group(tensors, "weights"), group(tensors, "optimizer")
        )
