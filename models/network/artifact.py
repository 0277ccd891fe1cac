"""Store a trained ensemble as safetensors bytes and metadata, and load it; never a pickle."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

from models.config import TrainingConfig
from models.digest import sha256
from models.errors import ArtifactDamaged
from models.network.devices import resolve_device
from models.network.forecaster import Forecaster, trained_member
from models.network.tensors import group

FORMAT = 1

_SEASON_LENGTHS: dict[object, list[int]] = {1: [], 24: [24, 168], 48: [48, 336]}
"""The seasons of models that have one `season_length`, where they are not that length alone."""


@dataclass(frozen=True)
class Artifact:
    """Tensors as bytes in the safetensors format, and their metadata as JSON types.

    The metadata holds the format number, the SHA-256 of the tensors, and the config of a model.
    """

    weights: bytes
    metadata: dict[str, object]


def dump(forecaster: Forecaster) -> Artifact:
    """Return an ensemble as bytes and metadata."""
    groups = {str(member): network.state_dict() for member, network in enumerate(forecaster.networks)}
    return pack(groups, {"format": FORMAT, "config": forecaster.config.to_dict()})


def load(weights: bytes, metadata: Mapping[str, object], device: str = "cpu") -> Forecaster:
    """Load a dumped ensemble to a device.

    Raise `ArtifactDamaged` for an unknown format or weights that do not match their metadata,
    `InvalidConfig` or `DeviceUnavailable`.
    """
    config = checked_config(weights, metadata, FORMAT)
    place = resolve_device(device)
    with reading_tensors():
        tensors = safetensors.load(weights)
        networks = [
            trained_member(config, member, group(tensors, str(member))) for member in range(config.members)
        ]
    return Forecaster(config, tuple(network.to(place) for network in networks))


def pack(groups: Mapping[str, Mapping[str, Tensor]], metadata: dict[str, object]) -> Artifact:
    """Return groups of tensors as one artifact; a tensor is stored as `<group>.<name>`."""
    tensors = {
        f"{group}.{name}": value.cpu().contiguous()
        for group, members in groups.items()
        for name, value in members.items()
    }
    weights = safetensors.save(tensors)
    return Artifact(weights, {**metadata, "sha256": sha256(weights)})


def checked_config(weights: bytes, metadata: Mapping[str, object], expected: int | str) -> TrainingConfig:
    """Return the stored config. Raise `ArtifactDamaged` as `check`, and `InvalidConfig`."""
    check(weights, metadata, expected)
    stored = metadata.get("config")
    if not isinstance(stored, Mapping):
        raise ArtifactDamaged("The model's metadata holds no configuration.")
    return TrainingConfig.from_dict(_upgraded(stored))


def check(weights: bytes, metadata: Mapping[str, object], expected: int | str) -> None:
    """Raise `ArtifactDamaged` unless the format is the expected one and the SHA-256 matches."""
    if metadata.get("format") != expected:
        raise ArtifactDamaged(
            f"The model has format {metadata.get('format')!r}; this version reads format {expected}."
        )
    if metadata.get("sha256") != sha256(weights):
        raise ArtifactDamaged(
            "The model's weights do not match their SHA-256: they were changed or cut short."
        )


def _upgraded(stored: Mapping[str, object]) -> dict[str, object]:
    """Return a stored config with the fields of this version.

    Old models name no encoder, since there was one, and no number of backtest windows, since it was 1,000
    for all. Those that stopped early count `evaluations` for epochs. Those with one `season_length` took out
    a weekly season beside the daily one of hours and half hours, and had no calendar.
    """
    config = {"architecture": "lstm", "windows": 1000, "calendar": "none", **stored}
    if "season_length" in config:
        config["season_lengths"] = _SEASON_LENGTHS.get(length := config.pop("season_length"), [length])
    if "patience" in config:
        del config["patience"]
        config["epochs"] = config.pop("evaluations")
    return config


@contextmanager
def reading_tensors() -> Iterator[None]:
    """Turn any error of reading tensors into `ArtifactDamaged`."""
    try:
        yield
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ArtifactDamaged(f"The model's weights do not fit its configuration: {error}") from error
