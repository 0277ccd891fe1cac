"""Where the parts of a training stand: all that is needed to go on and end with the same bits."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from safetensors import torch as safetensors
from torch import Tensor
from torch.optim import Optimizer

from models.config import TrainingConfig
from models.errors import CannotResume
from models.methods.forecast import Forecast, joined
from models.network.artifact import Artifact, check, checked_config, pack, reading_tensors
from models.network.tensors import Tensors, group, on_cpu

STATE_FORMAT = "training 3"
"""Differs from every other format, so that none is taken for another.

It changes with what a state is made of, and with whatever else the bits of a resumed training depend on.
"""

BASELINES_FORMAT = "baselines 1"
"""Changes likewise, with what a baseline answers too."""


@dataclass(frozen=True, eq=False)
class MemberState:
    """One member after its epoch number `epoch`; all tensors are copies on the CPU.

    `loss` in that epoch and `validation_loss` after it, on the held-out windows (None where there are none),
    both as mean pinball loss in units of scale. `optimizer` is named as by `optimizer_tensors`; `generator`
    is the state of the member's random numbers.
    """

    epoch: int
    loss: float
    validation_loss: float | None
    weights: Tensors
    optimizer: Tensors
    generator: Tensor


@dataclass(frozen=True, eq=False)
class TrainingState:
    """A training under way: what it trains on what, and how far each member that has begun is.

    `held_out` as `fit` has it; `panel_sha256` is the panel's digest; `seconds` is what it took so far, with
    those of the attempts it was resumed from.
    """

    config: TrainingConfig
    held_out: int
    panel_sha256: str
    members: Mapping[int, MemberState] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def share_done(self) -> float:
        """From 0 to 1, over all members that learn."""
        if not self.config.trainable_members:
            return 1.0
        done = sum(member.epoch for member in self.members.values())
        return done / (len(self.config.trainable_members) * self.config.epochs)

    def having(self, member: int, state: MemberState, seconds: float) -> "TrainingState":
        """The same training with one member further on."""
        return replace(self, members={**self.members, member: state}, seconds=seconds)

    def check(self, wanted: "TrainingState") -> None:
        """Raises `CannotResume` unless both have the same config, hold-out and panel."""
        ours, theirs = ({**state.config.to_dict(), "held_out": state.held_out} for state in (self, wanted))
        if other := [name for name in theirs if ours[name] != theirs[name]]:
            raise CannotResume(
                f"The saved training has another {', '.join(other)} than the one asked for: begin anew."
            )
        if self.panel_sha256 != wanted.panel_sha256:
            raise CannotResume("The saved training was of other data than these: begin anew.")


@dataclass(frozen=True, eq=False)
class BaselineState:
    """A backtest of the baselines under way: what they are asked, and what each has answered so far.

    `asked`, made for JSON, is all that the answers depend on; they are by name, to the first `windows` of the
    held-out windows.
    """

    asked: Mapping[str, object]
    answers: Mapping[str, Forecast] = field(default_factory=dict)

    @property
    def windows(self) -> int:
        return min((len(answer.median) for answer in self.answers.values()), default=0)

    def having(self, answers: Mapping[str, Forecast]) -> "BaselineState":
        """The same backtest with the answers of every baseline to the next windows."""
        before = {name: [self.answers[name]] if self.windows else [] for name in answers}
        return replace(self, answers={name: joined([*before[name], answers[name]]) for name in answers})

    def check(self, wanted: "BaselineState") -> None:
        """Raises `CannotResume` unless both are asked the same."""
        if self.asked != wanted.asked:
            raise CannotResume("The saved answers are to other questions than these: begin anew.")


def optimizer_tensors(optimizer: Optimizer) -> Tensors:
    """The optimizer's memory of each parameter, named `<number of the parameter>.<what it is>`."""
    held = optimizer.state_dict()["state"]
    return on_cpu(
        {f"{number}.{name}": value for number, kept in held.items() for name, value in kept.items()}
    )


def restore_optimizer(optimizer: Optimizer, tensors: Tensors) -> None:
    """The inverse of `optimizer_tensors`; the settings stay those the optimizer was made with."""
    # Copies, for the optimizer works in place and a state may be resumed from again.
    state: dict[int, Tensors] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value.clone()
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def dump_state(state: TrainingState) -> Artifact:
    """A training under way, to go on from later."""
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
    """The state that was dumped, for `fit` to resume from.

    Raises `ArtifactDamaged` when the format is unknown or weights and metadata do not belong together, and
    `InvalidConfig`.
    """
    config = checked_config(weights, metadata, STATE_FORMAT)
    with reading_tensors():
        tensors = safetensors.load(weights)
        begun = {name.partition(".")[0] for name in tensors}
        return TrainingState(
            config=config,
            held_out=int(metadata["held_out"]),
            panel_sha256=str(metadata["panel_sha256"]),
            members={int(number): _member_state(tensors, number) for number in begun},
            seconds=float(metadata["seconds"]),
        )


def dump_baselines(state: BaselineState) -> Artifact:
    """A backtest of the baselines under way, to go on from later."""
    groups = {
        name: {
            "median": torch.from_numpy(answer.median),
            **{f"lo.{level}": torch.from_numpy(bound) for level, bound in answer.lo.items()},
            **{f"hi.{level}": torch.from_numpy(bound) for level, bound in answer.hi.items()},
        }
        for name, answer in state.answers.items()
    }
    return pack(groups, {"format": BASELINES_FORMAT, "asked": dict(state.asked)})


def load_baselines(weights: bytes, metadata: Mapping[str, Any]) -> BaselineState:
    """The state that was dumped, to the last bit.

    Raises `ArtifactDamaged` when the format is unknown or weights and metadata do not belong together.
    """
    check(weights, metadata, BASELINES_FORMAT)
    with reading_tensors():
        tensors = safetensors.load(weights)
        names = {name.partition(".")[0] for name in tensors}
        answers = {name: _answer(group(tensors, name)) for name in names}
        return BaselineState(metadata["asked"], answers)


def _answer(tensors: Tensors) -> Forecast:
    lo, hi = (
        {int(level): bound.numpy() for level, bound in group(tensors, side).items()} for side in ("lo", "hi")
    )
    return Forecast(tensors["median"].numpy(), lo, hi)


def _member_groups(number: int, state: MemberState) -> dict[str, Mapping[str, Tensor]]:
    # Numbers travel as tensors as well: so the SHA-256 covers them.
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
