import json
from dataclasses import replace

import pytest

from models.config import HISTORY_LIMIT, Preset, TrainingConfig, longest_horizon, preset
from models.errors import InvalidConfig
from tests.models.samples import tiny_config


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("horizon", 0),
        ("horizon", 2.5),
        ("season_length", 0),
        ("seed", -1),
        ("context", HISTORY_LIMIT + 1),
        ("evaluations", 31),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("weight_decay", -0.1),
        ("architecture", "transformer"),
        ("views", ()),
        ("views", ("sideways",)),
        ("quantiles", (0.1, 0.5, 0.8)),
        ("quantiles", (0.9, 0.5, 0.1)),
        ("quantiles", (0.5,)),
    ],
)
def test_value_outside_its_limits_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidConfig, match=field):
        tiny_config(**{field: value})


def test_config_survives_json() -> None:
    config = tiny_config()
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_stored_config_with_unknown_field_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="momentum"):
        TrainingConfig.from_dict({**tiny_config().to_dict(), "momentum": 0.9})


@pytest.mark.parametrize("season_length", [1, 4, 7, 12, 24, 168, 600, 8760])
@pytest.mark.parametrize("name", ["quick", "balanced", "accurate"])
def test_preset_fits_any_season_into_the_history(name: Preset, season_length: int) -> None:
    config = preset(name, horizon=6, season_length=season_length, series=100, longest=500)
    assert config.span <= HISTORY_LIMIT
    assert config.context <= 500 - 6


def test_better_presets_train_more() -> None:
    sizes = [
        preset(name, horizon=6, season_length=12, series=100, longest=500) for name in ("quick", "balanced")
    ]
    sizes.append(preset("accurate", horizon=6, season_length=12, series=100, longest=500))
    work = [config.members * config.steps * config.batch for config in sizes]
    assert work == sorted(set(work))


def test_preset_takes_the_architecture_and_changes_nothing_else() -> None:
    plain = preset("quick", horizon=6, season_length=4, series=9, longest=50)
    cnn = preset("quick", horizon=6, season_length=4, series=9, longest=50, architecture="cnn")
    assert cnn == replace(plain, architecture="cnn")
    assert plain.architecture == "lstm"


@pytest.mark.parametrize(
    ("series", "longest", "batch"),
    [(1, 30, 32), (6, 60, 32), (20, 60, 128), (400, 100, 512), (100_000, 100, 512)],
)
def test_batch_follows_the_windows_there_are(series: int, longest: int, batch: int) -> None:
    config = preset("balanced", horizon=6, season_length=12, series=series, longest=longest)
    assert config.batch == batch


def test_unknown_preset_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="quick, balanced, accurate"):
        preset("best", horizon=6, season_length=1, series=1, longest=50)  # type: ignore[arg-type]


@pytest.mark.parametrize(("longest", "limit"), [(3, 0), (4, 1), (12, 5), (64, 31)])
def test_longest_horizon_leaves_two_inputs_and_every_step(longest: int, limit: int) -> None:
    assert longest_horizon(longest) == limit
