"""A trained ensemble, or a part of a training under way, as bytes and metadata, and back; never a pickle."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

from models.config import TrainingConfig
from models.errors import ArtifactDamaged, CannotResume
from models.forecasting import resolve_device
from models.forecasts import Forecast
from models.network import Forecaster, trained_member
from models.pretraining import Curriculum, PupilState
from models.state import BaselineState, MemberState, Tensors, TrainingState, group

FORMAT = 1
STATE_FORMAT = "training 3"
"""Differs from every other format, so that none is taken for another.

It changes with what a state is made of, and with whatever else the bits of a resumed training depend on.
"""

BASELINES_FORMAT = "baselines 1"
"""Changes likewise, with what a baseline answers too."""

PUPIL_FORMAT = "pretraining 1"
"""Changes likewise, with what a lesson is too."""


@dataclass(frozen=True)
class Artifact:
    """`weights`, or other tensors, in the safetensors format; `metadata`, made for JSON.

    It has the format, the SHA-256 of the weights, and what they belong to: for a model its config.
    """

    weights: bytes
    metadata: dict[str, object]


def dump(forecaster: Forecaster) -> Artifact:
    groups = {str(member): network.state_dict() for member, network in enumerate(forecaster.networks)}
    return _packed(groups, {"format": FORMAT, "config": forecaster.config.to_dict()})


def load(weights: bytes, metadata: Mapping[str, object], device: str = "cpu") -> Forecaster:
    """The forecaster that was dumped, on any device.

    Raises `ArtifactDamaged` when the format is unknown or weights and metadata do not belong together, and
    `InvalidConfig` or `DeviceUnavailable`.
    """
    config = _checked_config(weights, metadata, FORMAT)
    place = resolve_device(device)
    with _fitting():
        tensors = safetensors.load(weights)
        networks = [
            trained_member(config, member, group(tensors, str(member))) for member in range(config.members)
        ]
    return Forecaster(config, tuple(network.to(place) for network in networks))


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
    return _packed(groups, metadata)


def load_state(weights: bytes, metadata: Mapping[str, Any]) -> TrainingState:
    """The state that was dumped, for `fit` to resume from.

    Raises `ArtifactDamaged` when the format is unknown or weights and metadata do not belong together, and
    `InvalidConfig`.
    """
    config = _checked_config(weights, metadata, STATE_FORMAT)
    with _fitting():
        tensors = safetensors.load(weights)
        begun = {name.partition(".")[0] for name in tensors}
        return TrainingState(
            config=config,
            held_out=int(metadata["held_out"]),
            panel_sha256=str(metadata["panel_sha256"]),
            members={int(number): _member_state(tensors, number) for number in begun},
            seconds=float(metadata["seconds"]),
        )


def dump_pupil(state: PupilState, curriculum: Curriculum) -> Artifact:
    """A network under pretraining, to go on from later."""
    run = {"rounds": torch.tensor(state.rounds), "loss": torch.tensor(state.loss, dtype=torch.float64)}
    groups = {"weights": state.weights, "optimizer": state.optimizer, "run": run}
    return _packed(groups, {"format": PUPIL_FORMAT, "curriculum": asdict(curriculum)})


def load_pupil(weights: bytes, metadata: Mapping[str, Any], curriculum: Curriculum) -> PupilState:
    """The state that was dumped.

    Raises `ArtifactDamaged` when the format is unknown or weights and metadata do not belong together, and
    `CannotResume` when it is of another curriculum.
    """
    _check(weights, metadata, PUPIL_FORMAT)
    if metadata["curriculum"] != asdict(curriculum):
        raise CannotResume("The saved pretraining has another curriculum than the one asked for: begin anew.")
    with _fitting():
        tensors = safetensors.load(weights)
        run = group(tensors, "run")
        return PupilState(
            int(run["rounds"]), float(run["loss"]), group(tensors, "weights"), group(tensors, "optimizer")
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
    return _packed(groups, {"format": BASELINES_FORMAT, "asked": dict(state.asked)})


def load_baselines(weights: bytes, metadata: Mapping[str, Any]) -> BaselineState:
    """The state that was dumped, to the last bit.

    Raises `ArtifactDamaged` when the format is unknown or weights and metadata do not belong together.
    """
    _check(weights, metadata, BASELINES_FORMAT)
    with _fitting():
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


def _packed(groups: Mapping[str, Mapping[str, Tensor]], metadata: dict[str, object]) -> Artifact:
    tensors = {
        f"{group}.{name}": value.cpu().contiguous()
        for group, members in groups.items()
        for name, value in members.items()
    }
    weights = safetensors.save(tensors)
    return Artifact(weights, {**metadata, "sha256": _digest(weights)})


def _checked_config(weights: bytes, metadata: Mapping[str, object], expected: int | str) -> TrainingConfig:
    _check(weights, metadata, expected)
    stored = metadata.get("config")
    if not isinstance(stored, Mapping):
        raise ArtifactDamaged("The model's metadata holds no configuration.")
    return TrainingConfig.from_dict(_brought_up_to_date(stored))


def _check(weights: bytes, metadata: Mapping[str, object], expected: int | str) -> None:
    if metadata.get("format") != expected:
        raise ArtifactDamaged(
            f"The model has format {metadata.get('format')!r}; this version reads format {expected}."
        )
    if metadata.get("sha256") != _digest(weights):
        raise ArtifactDamaged(
            "The model's weights do not match their SHA-256: they were changed or cut short."
        )


def _brought_up_to_date(stored: Mapping[str, object]) -> dict[str, object]:
    """Models from before there was a choice name no encoder; those that stopped early count evaluations.

    How many windows a backtest had made no difference to the weights, and was the same for all.
    """
    config = {"architecture": "lstm", "windows": 1000, **stored}
    if "patience" in config:
        del config["patience"]
        config["epochs"] = config.pop("evaluations")
    return config


@contextmanager
def _fitting() -> Iterator[None]:
    """Whatever goes wrong when tensors are put into place means that they do not fit."""
    try:
        yield
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ArtifactDamaged(f"The model's weights do not fit its configuration: {error}") from error


def _digest(weights: bytes) -> str:
    return hashlib.sha256(weights).hexdigest()
