import json
from dataclasses import replace
from typing import Any

import pytest

from models.choices import (
    MAX_PRETRAINED_HORIZON,
    NO_SEASONS,
    Architecture,
    MemberStart,
    Preset,
    Seasons,
    StartChoice,
)
from models.config import HISTORY_LIMIT, TrainingConfig, View, preset
from models.errors import InvalidConfig
from tests.models.samples import tiny_config

LSTM_AND_CNN: tuple[Architecture, ...] = ("lstm", "cnn")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("horizon", 0),
        ("horizon", 2.5),
        ("season_lengths", (0,)),
        ("season_lengths", (1,)),
        ("season_lengths", (12.0,)),
        ("season_lengths", (168, 24)),
        ("season_lengths", (7, 7)),
        ("calendar", "moon"),
        ("seed", -1),
        ("context", HISTORY_LIMIT + 1),
        ("epochs", 31),
        ("windows", 0),
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


@pytest.mark.parametrize("lengths", [(), (4,), (7,), (24, 168), (600,), (288, 2016), (5000,), (20_000,)])
@pytest.mark.parametrize("name", ["quick", "balanced", "accurate"])
def test_preset_fits_any_season_into_the_history(name: Preset, lengths: tuple[int, ...]) -> None:
    config = preset(name, horizon=6, seasons=Seasons(lengths), values=50_000, longest=500)
    assert config.span <= config.history_limit
    assert config.context <= 500 - 6


def test_better_presets_train_more() -> None:
    names: tuple[Preset, ...] = ("quick", "balanced", "accurate")
    sizes = [preset(name, horizon=6, seasons=Seasons((12,)), values=50_000, longest=500) for name in names]
    work = [config.members * config.steps * config.batch for config in sizes]
    assert work == sorted(set(work))


@pytest.mark.parametrize(("name", "windows"), [("quick", 200), ("balanced", 1000), ("accurate", 1000)])
def test_quick_preset_compares_on_fewer_windows(name: Preset, windows: int) -> None:
    assert preset(name, horizon=6, seasons=Seasons((12,)), values=50_000, longest=500).windows == windows


def test_preset_takes_the_architecture_and_changes_nothing_else() -> None:
    plain, cnn = (
        preset(
            "quick",
            horizon=6,
            seasons=Seasons((4,)),
            values=450,
            longest=50,
            start="scratch",
            architecture=each,
        )
        for each in LSTM_AND_CNN
    )
    assert cnn == replace(plain, architecture="cnn")
    assert plain.architecture == "lstm"


@pytest.mark.parametrize(
    ("values", "batch", "steps"), [(30, 32, 300), (360, 32, 300), (19_600, 128, 700), (10_000_000, 128, 2000)]
)
def test_training_is_as_long_as_the_data_is_large(values: int, batch: int, steps: int) -> None:
    config = preset("balanced", horizon=6, seasons=Seasons((12,)), values=values, longest=30)
    assert (config.batch, config.steps) == (batch, steps)


@pytest.mark.parametrize(
    ("lengths", "longest", "context"),
    [((), 40, 8), ((), 100, 16), ((), 9000, 24), ((4,), 90, 8), ((24, 168), 900, 24)],
)
def test_context_holds_two_seasons_or_follows_the_length(
    lengths: tuple[int, ...], longest: int, context: int
) -> None:
    config = preset("quick", horizon=6, seasons=Seasons(lengths), values=9999, longest=longest)
    assert config.context == context


@pytest.mark.parametrize(
    ("seasons", "longest", "views"),
    [
        (NO_SEASONS, 2000, {"last"}),
        (Seasons((12,)), 100, {"last", "season", "phase"}),
        (Seasons((7, 365), "days"), 2000, {"last", "season", "short", "long"}),
        (Seasons((24, 168)), 700, {"last", "season", "short", "long"}),
        (Seasons((96, 672)), 700, {"last", "season", "short", "long"}),
        (Seasons((52,), "weeks"), 400, {"last", "season"}),
    ],
)
def test_views_are_those_that_the_data_can_fill(seasons: Seasons, longest: int, views: set[str]) -> None:
    config = preset(
        "balanced",
        horizon=6,
        seasons=seasons,
        values=9999,
        longest=longest,
        start="scratch",
    )
    assert set(config.views) == views


@pytest.mark.parametrize(
    ("start", "of_members"), [("auto", "both"), ("pretrained", "pretrained"), ("scratch", "scratch")]
)
def test_start_chooses_the_members(start: StartChoice, of_members: MemberStart) -> None:
    config = preset("quick", horizon=6, seasons=Seasons((4,)), values=450, longest=50, start=start)
    assert config.start == of_members


@pytest.mark.parametrize("facts", [{"architecture": "gru"}, {"horizon": MAX_PRETRAINED_HORIZON + 1}])
def test_what_nothing_was_pretrained_for_starts_from_scratch(facts: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {
        "horizon": 6,
        "seasons": Seasons((4,)),
        "values": 4000,
        "longest": 900,
        **facts,
    }
    assert preset("quick", **arguments).start == "scratch"
    with pytest.raises(InvalidConfig, match="Start from scratch"):
        preset("quick", **arguments, start="pretrained")


def test_pretrained_members_are_not_trained() -> None:
    assert tiny_config(views=("last", "pretrained", "season")).trainable_members == (0, 2)


@pytest.mark.parametrize(
    ("lengths", "views", "span"),
    [
        ((12,), ("last",), 96),
        ((24, 168), ("short", "last"), 1008),
        ((24, 168), ("short",), 192),
        ((24, 168), ("long",), 1008),
        ((96, 672), ("long",), 2688),
        ((24, 168), ("phase",), 24),
        ((), ("last",), 24),
    ],
)
def test_window_reaches_back_over_the_seasons_its_views_take_out(
    lengths: tuple[int, ...], views: tuple[View, ...], span: int
) -> None:
    assert tiny_config(season_lengths=lengths, context=24, views=views).span == span


@pytest.mark.parametrize(
    ("lengths", "limit"),
    [((), 1024), ((24, 168), 1024), ((7, 365), 4 * 366), ((96, 672), 4 * 673), ((5000,), 20_000)],
)
def test_history_holds_four_of_the_longest_season(lengths: tuple[int, ...], limit: int) -> None:
    assert tiny_config(season_lengths=lengths).history_limit == limit


@pytest.mark.parametrize(("length", "windows"), [(12, 960), (128, 120)])
def test_windows_of_long_spans_are_fewer(length: int, windows: int) -> None:
    """Of 30 steps of 32 windows; eight seasons of 128 steps are eight times as long as a short window."""
    config = tiny_config(season_lengths=(length,), context=24)
    assert config.most_windows == windows


def test_season_too_long_for_two_in_the_history_is_left_out() -> None:
    assert tiny_config(season_lengths=(12, 10_001)).season_lengths_of("last") == (12,)


def test_unknown_preset_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="quick, balanced, accurate"):
        preset("best", horizon=6, seasons=NO_SEASONS, values=50, longest=50)  # type: ignore[arg-type]
