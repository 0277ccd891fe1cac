"""The states of a training's parts, from which it resumes to the same bits, and their stored form."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from safetensors import torch as safetensors
from torch import Tensor

from models.config import TrainingConfig
from models.errors import CannotResume
from models.methods.forecast import Forecast, joined
from models.network.artifact import Artifact, check, checked_config, pack, reading_tensors
from models.network.tensors import Tensors, group

STATE_FORMAT = "training 3"
"""Format of a stored `TrainingState`, different from that of anything else.

It changes with the fields of a state, and with anything else that the bits of a resumed training depend on.
"""

BASELINES_FORMAT = "baselines 2"
"""Format of a stored `BaselineState`; it also changes with the forecasts of a baseline."""


@dataclass(frozen=True, eq=False)
class MemberState:
    """A member after epoch number `epoch`; all tensors are copies on the CPU.

    `loss` is that of the epoch, and `validation_loss` that of the held-out windows after it (None without
    any): both are mean pinball losses in units of scale. `optimizer` is named as by `AdamW.tensors`;
    `generator` is the state of the member's random numbers.
    """

    epoch: int
    loss: float
    validation_loss: float | None
    weights: Tensors
    optimizer: Tensors
    generator: Tensor


@dataclass(frozen=True, eq=False)
class TrainingState:
    """The state of a fit: its config and data, and the state of each member that has started.

    `held_out` is as in `fit`; `panel_sha256` is the panel's digest; `seconds` is the time so far, earlier
    attempts included.
    """

    config: TrainingConfig
    held_out: int
    panel_sha256: str
    members: Mapping[int, MemberState] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def share_done(self) -> float:
        """The share from 0 to 1 of the epochs of all members to train."""
        if not self.config.trainable_members:
            return 1.0
        done = sum(member.epoch for member in self.members.values())
        return done / (len(self.config.trainable_members) * self.config.epochs)

    def updated(self, member: int, state: MemberState, seconds: float) -> "TrainingState":
        """Return the state with a new state of one member."""
        return replace(self, members={**self.members, member: state}, seconds=seconds)

    def check(self, wanted: "TrainingState") -> None:
        """Raise `CannotResume` unless both have the same config, hold-out and panel."""
        ours, theirs = ({**state.config.to_dict(), "held_out": state.held_out} for state in (self, wanted))
        if other := [name for name in theirs if ours[name] != theirs[name]]:
            raise CannotResume(
                f"The saved training has another {', '.join(other)} than the one asked for: start again."
            )
        if self.panel_sha256 != wanted.panel_sha256:
            raise CannotResume("The saved training was of other data than these: start again.")


@dataclass(frozen=True, eq=False)
class BaselineState:
    """The baselines' forecasts so far, by name, and the specification that they depend on, as JSON types.

    They are those of the first `count` windows or series.
    """

    spec: Mapping[str, object]
    forecasts: Mapping[str, Forecast] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return min((len(forecast.median) for forecast in self.forecasts.values()), default=0)

    def extended(self, forecasts: Mapping[str, Forecast]) -> "BaselineState":
        """Return the state with the forecasts of the next windows or series."""
        before = {name: [self.forecasts[name]] if self.count else [] for name in forecasts}
        return replace(self, forecasts={name: joined([*before[name], forecasts[name]]) for name in forecasts})

    def check(self, wanted: "BaselineState") -> None:
        """Raise `CannotResume` unless both have the same specification."""
        if self.spec != wanted.spec:
            raise CannotResume("The saved baseline forecasts are of other data or settings: start again.")


def dump_state(state: TrainingState) -> Artifact:
    """Return the state of a fit as bytes and metadata."""
    groups: dict[str, Mapping[str, Tensor]] = {}
    for number, member in state.members.items():
        groups |= _member_groups(number, member)
    metadata = {
        "format": STATE_FORMAT,
        "config": state.config.to_dict(),
        "held_out": state.held_out,
        "panel_sha256": state.panel_sha256,
        "seconds": state.seconds,
    }
    return pack(groups, metadata)


def load_state(weights: bytes, metadata: Mapping[str, Any]) -> TrainingState:
    """Load a dumped state, for `fit` to resume from.

    Raise `ArtifactDamaged` for an unknown format or weights that do not match their metadata, and
    `InvalidConfig`.
    """
    config = checked_config(weights, metadata, STATE_FORMAT)
    with reading_tensors():
        tensors = safetensors.load(weights)
        numbers = {name.partition(".")[0] for name in tensors}
        return TrainingState(
            config=config,
            held_out=int(metadata["held_out"]),
            panel_sha256=str(metadata["panel_sha256"]),
            members={int(number): _member_state(tensors, number) for number in numbers},
            seconds=float(metadata["seconds"]),
        )


def dump_baselines(state: BaselineState) -> Artifact:
    """Return forecasts of baselines as bytes and metadata."""
    groups = {
        name: {
            "median": torch.from_numpy(forecast.median),
            **{f"lo.{level}": torch.from_numpy(bound) for level, bound in forecast.lo.items()},
            **{f"hi.{level}": torch.from_numpy(bound) for level, bound in forecast.hi.items()},
        }
        for name, forecast in state.forecasts.items()
    }
    # Stored states name the specification `asked`.
    return pack(groups, {"format": BASELINES_FORMAT, "asked": dict(state.spec)})


def load_baselines(weights: bytes, metadata: Mapping[str, Any]) -> BaselineState:
    """Load dumped forecasts of baselines.

    Raise `ArtifactDamaged` for an unknown format or weights that do not match their metadata.
    """
    check(weights, metadata, BASELINES_FORMAT)
    with reading_tensors():
        tensors = safetensors.load(weights)
        names = {name.partition(".")[0] for name in tensors}
        forecasts = {name: _forecast(group(tensors, name)) for name in names}
        return BaselineState(metadata["asked"], forecasts)


def _forecast(tensors: Tensors) -> Forecast:
    lo, hi = (
        {int(level): bound.numpy() for level, bound in group(tensors, side).items()} for side in ("lo", "hi")
    )
    return Forecast(tensors["median"].numpy(), lo, hi)


def _member_groups(number: int, state: MemberState) -> dict[str, Mapping[str, Tensor]]:
    # Numbers are stored as tensors, so that the SHA-256 covers them.
    run = {
        "generator": state.generator,
        "epoch": torch.tensor(state.epoch),
        "loss": torch.tensor(state.loss, dtype=torch.float64),
    }
    if state.validation_loss is not None:
        run["validation_loss"] = torch.tensor(state.validation_loss, dtype=torch.float64)
    return {f"{number}.weights": state.weights, f"{number}.optimizer": state.optimizer, f"{number}.run": run}


def _member_state(tensors: Mapping[str, Tensor], number: str) -> MemberState:
    run = group(tensors, f"{number}.run")
    return MemberState(
        epoch=int(run["epoch"]),
        loss=float(run["loss"]),
        validation_loss=float(run["validation_loss"]) if "validation_loss" in run else None,
        weights=group(tensors, f"{number}.weights"),
        optimizer=group(tensors, f"{number}.optimizer"),
        generator=run["generator"],
    )
