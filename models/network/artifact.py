"""A trained ensemble as bytes and metadata, and back; never a pickle."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

from models.config import TrainingConfig
from models.errors import ArtifactDamaged
from models.network.devices import resolve_device
from models.network.forecaster import Forecaster, trained_member
from models.network.tensors import group

FORMAT = 1


@dataclass(frozen=True)
class Artifact:
    """`weights`, or other tensors, in the safetensors format; `metadata`, made for JSON.

    It has the format, the SHA-256 of the weights, and what they belong to: for a model its config.
    """

    weights: bytes
    metadata: dict[str, object]


def dump(forecaster: Forecaster) -> Artifact:
    groups = {str(member): network.state_dict() for member, network in enumerate(forecaster.networks)}
    return pack(groups, {"format": FORMAT, "config": forecaster.config.to_dict()})


def load(weights: bytes, metadata: Mapping[str, object], device: str = "cpu") -> Forecaster:
    """The forecaster that was dumped, on any device.

    Raises `ArtifactDamaged` when the format is unknown or weights and metadata do not belong together, and
    `InvalidConfig` or `DeviceUnavailable`.
    """
    config = checked_config(weights, metadata, FORMAT)
    place = resolve_device(device)
    with fitting():
        tensors = safetensors.load(weights)
        networks = [
            trained_member(config, member, group(tensors, str(member))) for member in range(config.members)
        ]
    return Forecaster(config, tuple(network.to(place) for network in networks))


def pack(groups: Mapping[str, Mapping[str, Tensor]], metadata: dict[str, object]) -> Artifact:
    tensors = {
        f"{group}.{name}": value.cpu().contiguous()
        for group, members in groups.items()
        for name, value in members.items()
    }
    weights = safetensors.save(tensors)
    return Artifact(weights, {**metadata, "sha256": _digest(weights)})


def checked_config(weights: bytes, metadata: Mapping[str, object], expected: int | str) -> TrainingConfig:
    check(weights, metadata, expected)
    stored = metadata.get("config")
    if not isinstance(stored, Mapping):
        raise ArtifactDamaged("The model's metadata holds no configuration.")
    return TrainingConfig.from_dict(_brought_up_to_date(stored))


def check(weights: bytes, metadata: Mapping[str, object], expected: int | str) -> None:
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
def fitting() -> Iterator[None]:
    """Whatever goes wrong when tensors are put into place means that they do not fit."""
    try:
        yield
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ArtifactDamaged(f"The model's weights do not fit its configuration: {error}") from error


def _digest(weights: bytes) -> str:
    return hashlib.sha256(weights).hexdigest()
