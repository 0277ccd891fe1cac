"""A trained ensemble as bytes and readable metadata, and back; never a pickle."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors

from models.config import TrainingConfig
from models.errors import ArtifactDamaged
from models.forecasting import resolve_device
from models.network import Forecaster, Network
from models.scaling import feature_count

FORMAT = 1


@dataclass(frozen=True)
class Artifact:
    """`weights` in the safetensors format; `metadata`, made for JSON: format, config, their SHA-256."""

    weights: bytes
    metadata: dict[str, object]


def dump(forecaster: Forecaster) -> Artifact:
    tensors = {
        f"{member}.{name}": value.cpu().contiguous()
        for member, network in enumerate(forecaster.networks)
        for name, value in network.state_dict().items()
    }
    weights = safetensors.save(tensors)
    metadata = {"format": FORMAT, "config": forecaster.config.to_dict(), "sha256": _digest(weights)}
    return Artifact(weights, metadata)


def load(weights: bytes, metadata: Mapping[str, object], device: str = "cpu") -> Forecaster:
    """The forecaster that was dumped, on any device.

    Raises `ArtifactDamaged` when the format is unknown or weights and metadata do not belong together, and
    `InvalidConfig` or `DeviceUnavailable`.
    """
    if metadata.get("format") != FORMAT:
        raise ArtifactDamaged(
            f"The model has format {metadata.get('format')!r}; this version reads format {FORMAT}."
        )
    if metadata.get("sha256") != _digest(weights):
        raise ArtifactDamaged(
            "The model's weights do not match their SHA-256: they were changed or cut short."
        )
    stored = metadata.get("config")
    if not isinstance(stored, Mapping):
        raise ArtifactDamaged("The model's metadata holds no configuration.")
    config = TrainingConfig.from_dict(stored)
    place = resolve_device(device)
    networks = tuple(network.to(place) for network in _networks(weights, config))
    return Forecaster(config, networks)


def _networks(weights: bytes, config: TrainingConfig) -> list[Network]:
    networks = [Network(feature_count(view), config) for view in config.views]
    try:
        tensors = safetensors.load(weights)
        for member, network in enumerate(networks):
            network.load_state_dict(_of_member(tensors, member))
    except (SafetensorError, RuntimeError) as error:
        raise ArtifactDamaged(f"The model's weights do not fit its configuration: {error}") from error
    return networks


def _of_member(tensors: Mapping[str, torch.Tensor], member: int) -> dict[str, torch.Tensor]:
    prefix = f"{member}."
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _digest(weights: bytes) -> str:
    return hashlib.sha256(weights).hexdigest()
