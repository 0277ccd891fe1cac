"""A trained ensemble, or a training under way, as bytes and readable metadata, and back; never a pickle."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

from models.config import TrainingConfig
from models.errors import ArtifactDamaged
from models.forecasting import resolve_device
from models.network import Forecaster, trained_member
from models.state import MemberState, Tensors, TrainingState

FORMAT = 1
STATE_FORMAT = "training 1"
"""Differs from every format of a model, so that neither is taken for the other."""


@dataclass(frozen=True)
class Artifact:
    """`weights` in the safetensors format; `metadata`, made for JSON: format, config, their SHA-256."""

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
            trained_member(config, member, _group(tensors, str(member))) for member in range(config.members)
        ]
    return Forecaster(config, tuple(network.to(place) for network in networks))


def dump_state(state: TrainingState) -> Artifact:
    """A training under way, to go on from later."""
    groups: dict[str, Mapping[str, Tensor]] = {
        f"finished-{member}": weights for member, weights in enumerate(state.finished)
    }
    if state.current is not None:
        groups |= _member_groups(state.current)
    metadata = {
        "format": STATE_FORMAT,
        "config": state.config.to_dict(),
        "panel_sha256": state.panel_sha256,
        "finished": len(state.finished),
        "epoch": 0 if state.current is None else state.current.epoch,
    }
    return _packed(groups, metadata)


def load_state(weights: bytes, metadata: Mapping[str, object]) -> TrainingState:
    """The state that was dumped, for `fit` to resume from.

    Raises `ArtifactDamaged` when the format is unknown or weights and metadata do not belong together, and
    `InvalidConfig`.
    """
    config = _checked_config(weights, metadata, STATE_FORMAT)
    with _fitting():
        tensors = safetensors.load(weights)
        finished = len({name.partition(".")[0] for name in tensors if name.startswith("finished-")})
        return TrainingState(
            config=config,
            panel_sha256=str(metadata["panel_sha256"]),
            finished=tuple(_group(tensors, f"finished-{member}") for member in range(finished)),
            current=_member_state(tensors) if metadata["epoch"] else None,
        )


def _member_groups(state: MemberState) -> dict[str, Mapping[str, Tensor]]:
    # The numbers travel as a tensor as well: float64 holds them exactly, and the SHA-256 covers them.
    numbers = torch.tensor([state.epoch, state.since, state.loss], dtype=torch.float64)
    return {
        "weights": state.weights,
        "best": state.best,
        "optimizer": state.optimizer,
        "run": {"generator": state.generator, "numbers": numbers},
    }


def _member_state(tensors: Mapping[str, Tensor]) -> MemberState:
    run = _group(tensors, "run")
    epoch, since, loss = run["numbers"].tolist()
    return MemberState(
        epoch=int(epoch),
        since=int(since),
        loss=loss,
        weights=_group(tensors, "weights"),
        best=_group(tensors, "best"),
        optimizer=_group(tensors, "optimizer"),
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


def _group(tensors: Mapping[str, Tensor], group: str) -> Tensors:
    prefix = f"{group}."
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _checked_config(weights: bytes, metadata: Mapping[str, object], expected: int | str) -> TrainingConfig:
    if metadata.get("format") != expected:
        raise ArtifactDamaged(
            f"The model has format {metadata.get('format')!r}; this version reads format {expected}."
        )
    if metadata.get("sha256") != _digest(weights):
        raise ArtifactDamaged(
            "The model's weights do not match their SHA-256: they were changed or cut short."
        )
    stored = metadata.get("config")
    if not isinstance(stored, Mapping):
        raise ArtifactDamaged("The model's metadata holds no configuration.")
    # Models from before there was a choice do not name their encoder.
    return TrainingConfig.from_dict({"architecture": "lstm", **stored})


@contextmanager
def _fitting() -> Iterator[None]:
    """Whatever goes wrong when tensors are put into place means that they do not fit."""
    try:
        yield
    except (SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise ArtifactDamaged(f"The model's weights do not fit its configuration: {error}") from error


def _digest(weights: bytes) -> str:
    return hashlib.sha256(weights).hexdigest()
