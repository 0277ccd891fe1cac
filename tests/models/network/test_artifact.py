import json

import numpy as np
import pytest

from models.errors import ArtifactDamaged, DeviceUnavailable, InvalidConfig
from models.methods.ensemble import ensemble_forecast
from models.network.artifact import Artifact, dump, load
from models.network.forecaster import Forecaster
from models.training.fit import fit
from tests.models.samples import tiny_config, waves


@pytest.fixture(scope="module")
def model() -> Forecaster:
    return fit(waves(), tiny_config())


@pytest.fixture(scope="module")
def artifact(model: Forecaster) -> Artifact:
    return dump(model)


def test_loaded_model_forecasts_the_same_bits(model: Forecaster, artifact: Artifact) -> None:
    again = load(artifact.weights, json.loads(json.dumps(artifact.metadata)))
    first, second = ensemble_forecast(model, waves()), ensemble_forecast(again, waves())
    assert np.array_equal(first.median, second.median)
    assert np.array_equal(first.lo[95], second.lo[95])
    assert again.config == model.config


def test_changed_weights_are_refused(artifact: Artifact) -> None:
    flipped = artifact.weights[:-1] + bytes([artifact.weights[-1] ^ 1])
    with pytest.raises(ArtifactDamaged, match="SHA-256"):
        load(flipped, artifact.metadata)


def test_unknown_format_is_refused(artifact: Artifact) -> None:
    with pytest.raises(ArtifactDamaged, match="format 99"):
        load(artifact.weights, {**artifact.metadata, "format": 99})


def test_metadata_without_config_is_refused(artifact: Artifact) -> None:
    with pytest.raises(ArtifactDamaged, match="no configuration"):
        load(artifact.weights, {**artifact.metadata, "config": None})


@pytest.mark.parametrize(
    "change", [{"hidden": 17}, {"horizon": 5}, {"views": ("last",) * 4}, {"architecture": "gru"}]
)
def test_weights_of_another_config_are_refused(artifact: Artifact, change: dict[str, object]) -> None:
    other = tiny_config(**change).to_dict()
    with pytest.raises(ArtifactDamaged, match="do not fit"):
        load(artifact.weights, {**artifact.metadata, "config": other})


def test_config_outside_its_limits_is_refused(artifact: Artifact) -> None:
    config = {**tiny_config().to_dict(), "context": 0}
    with pytest.raises(InvalidConfig, match="context"):
        load(artifact.weights, {**artifact.metadata, "config": config})


def test_model_from_before_the_choice_of_encoders_is_an_lstm(artifact: Artifact) -> None:
    config = tiny_config().to_dict()
    del config["architecture"]
    assert load(artifact.weights, {**artifact.metadata, "config": config}).config == tiny_config()


def test_model_from_the_time_of_early_stopping_is_read(artifact: Artifact) -> None:
    config = tiny_config().to_dict()
    old = {**config, "evaluations": config.pop("epochs"), "patience": 10}
    del old["epochs"]
    assert load(artifact.weights, {**artifact.metadata, "config": old}).config == tiny_config()


@pytest.mark.parametrize(("length", "lengths"), [(1, ()), (12, (12,)), (24, (24, 168)), (48, (48, 336))])
def test_model_from_before_several_seasons_takes_the_same_ones_out(
    artifact: Artifact, length: int, lengths: tuple[int, ...]
) -> None:
    config = tiny_config(season_lengths=lengths).to_dict()
    del config["season_lengths"], config["calendar"]
    old = {**config, "season_length": length}
    loaded = load(artifact.weights, {**artifact.metadata, "config": old}).config
    assert (loaded.season_lengths, loaded.calendar) == (lengths, "none")


def test_model_from_before_backtests_had_a_size_had_the_one_of_all(artifact: Artifact) -> None:
    config = tiny_config(windows=5).to_dict()
    del config["windows"]
    assert load(artifact.weights, {**artifact.metadata, "config": config}).config.windows == 1000


def test_missing_device_is_refused(artifact: Artifact) -> None:
    with pytest.raises(DeviceUnavailable):
        load(artifact.weights, artifact.metadata, device="tpu")
