import numpy as np
import pytest
import torch
from torch import Tensor

from models.config import TrainingConfig, View
from models.inputs.calendar import places
from models.inputs.scaling import (
    DEFAULT_CHANGE,
    FEATURE_CHANGE,
    Scale,
    Transform,
    features,
    scaled_targets,
    seasonal_component,
)
from models.inputs.windows import Windows
from tests.models.samples import tiny_config, wave

CONTEXTS = {
    "growing": wave(32),
    "populations": wave(32, level=1.4e9, growth=0.001),
    "negative": wave(32) - 100,
    "with zeros": np.tile([0.0, 0.0, 3.0, 1.0], 8),
    "all zero": np.zeros(32),
    "constant": np.full(32, 7.5),
    "huge": wave(32, level=1e306),
    "huge and signed": wave(32, level=1e306) * np.tile([1, -1], 16),
    "tiny": wave(32, level=1e-306),
    "tiny and signed": wave(32, level=1e-306) - 1e-306,
    "with gaps": np.where(np.arange(32) % 5 == 2, np.nan, wave(32)),
    "begins late": np.where(np.arange(32) < 25, np.nan, wave(32)),
}


def row(values: object) -> Tensor:
    return torch.tensor(np.asarray(values, dtype=np.float64))[None]


def scale_of(z: Tensor, view: View, config: TrainingConfig) -> Scale:
    return Scale.of(
        z, seasonal_component(z, torch.zeros(len(z), dtype=torch.int64), view, config), view, config
    )


def scaled(history: Tensor, view: View) -> tuple[Transform, Scale, Tensor]:
    transform = Transform.of(history)
    z = transform.forward(history)
    return transform, scale_of(z, view, tiny_config()), z


@pytest.mark.parametrize("view", ["last", "season", "phase"])
@pytest.mark.parametrize("name", CONTEXTS)
def test_scaling_there_and_back_keeps_values_and_gaps(name: str, view: View) -> None:
    history = row(CONTEXTS[name])
    transform, scale, z = scaled(history, view)
    back = transform.inverse(scale.inverse(scale.forward(z, -32), -32))
    # Rounding may leave a denormal number of a zero among tiny values.
    torch.testing.assert_close(back, history, rtol=1e-9, atol=1e-320, equal_nan=True)


@pytest.mark.parametrize("view", ["last", "season", "phase"])
@pytest.mark.parametrize("name", CONTEXTS)
def test_features_are_finite_and_of_ordinary_size(name: str, view: View) -> None:
    _, scale, z = scaled(row(CONTEXTS[name]), view)
    inputs = features(z, scale, torch.tensor([0]), view, tiny_config())
    assert inputs.dtype == torch.float32
    assert inputs.abs().max() < 1000


@pytest.mark.parametrize("view", ["last", "season", "long", "pretrained"])
def test_week_of_hours_is_removed_beside_its_day(view: View) -> None:
    week = np.random.default_rng(2).lognormal(size=168)
    config = tiny_config(season_lengths=(24, 168), context=24, views=(view,))
    z = row(np.tile(week, 6)).log()
    assert scale_of(z, view, config).forward(z, -1008).abs().max() < 1e-6


def test_week_of_hours_stays_for_the_short_view() -> None:
    week = np.random.default_rng(2).lognormal(size=168)
    config = tiny_config(season_lengths=(24, 168), context=24, views=("short", "last"))
    z = row(np.tile(week, 6)).log()
    assert scale_of(z, "short", config).forward(z, -1008).abs().max() > 1


def test_day_is_removed_without_two_weeks_of_history() -> None:
    day = np.random.default_rng(2).lognormal(size=24)
    config = tiny_config(season_lengths=(24, 168), context=24, views=("last",))
    z = row(np.concatenate([np.full(1008 - 240, np.nan), np.tile(day, 10)])).log()
    assert scale_of(z, "last", config).forward(z[:, -240:], -240).abs().max() < 1e-6


def test_gap_in_series_is_masked() -> None:
    _, scale, z = scaled(row(CONTEXTS["with gaps"]), "last")
    inputs = features(z, scale, torch.tensor([0]), "last", tiny_config())
    valid = inputs[0, :, 2]
    assert valid.tolist() == [1, 1, 1, 0, 1, 1, 1, 1]
    assert inputs[0, 3, :2].tolist() == [0, 0]


def test_constant_series_has_the_floor_as_scale() -> None:
    _, scale, _ = scaled(row(CONTEXTS["constant"]), "last")
    assert scale.change.item() == FEATURE_CHANGE


def test_single_value_has_the_default_change_as_scale() -> None:
    _, scale, _ = scaled(row([np.nan] * 31 + [5.0]), "last")
    assert scale.change.item() == DEFAULT_CHANGE
    assert scale.level.item() == pytest.approx(np.log(5.0))


def test_large_integers_survive_scaling_in_float64() -> None:
    population = row([1_438_069_596.0] * 32)
    transform, scale, z = scaled(population, "last")
    back = transform.inverse(scale.inverse(scale.forward(z, -32), -32))
    assert abs(back[0, -1].item() - 1_438_069_596.0) < 0.001


def test_tiny_changes_at_a_huge_level_set_the_scale() -> None:
    _, scale, _ = scaled(row(4e9 + 25 * np.random.default_rng(1).normal(size=32)), "last")
    assert 1e-9 < scale.change.item() < 3e-8


def test_logarithm_of_a_near_zero_value_stops_at_a_tenth_of_the_median() -> None:
    history = np.full(32, 20.0)
    history[10] = 0.01
    z = Transform.of(row(history)).forward(row(history))
    assert z[0, 10].item() == pytest.approx(np.log(2.0))


def test_year_of_weeks_is_removed_by_iso_week_through_a_year_of_53() -> None:
    weeks = places("weeks", 52)
    first = len(weeks) // 2
    shape = np.random.default_rng(3).normal(size=53)
    config = tiny_config(season_lengths=(52,), calendar="weeks", context=24, views=("last",))
    span = config.span
    z = row(shape[weeks[first : first + span + 4]])
    season = seasonal_component(z[:, :span], torch.tensor([first + span]), "last", config)
    rest = z - season
    rest = rest[:, weeks[first : first + span + 4] < 52]
    assert (rest - rest.mean()).abs().max() < 0.2


def test_level_of_season_view_is_mean_of_last_season() -> None:
    history = row(np.arange(-20.0, 12.0))
    transform, scale, _ = scaled(history, "season")
    assert scale.level.item() * transform.unit.item() == pytest.approx(9.5)


def test_phase_view_reads_the_position_in_the_season() -> None:
    _, scale, z = scaled(row(wave(32)), "phase")
    inputs = features(z, scale, torch.tensor([32]), "phase", tiny_config())
    assert inputs[0, -4:, 4].tolist() == pytest.approx([0, 1, 0, -1], abs=1e-6)
    assert inputs[0, -4:, 5].tolist() == pytest.approx([1, 0, -1, 0], abs=1e-6)


def test_target_that_falls_to_zero_stays_finite() -> None:
    history = row(wave(32))
    transform, scale, _ = scaled(history, "last")
    windows = Windows(history, row([0.0, -3.0, 1e300, np.nan]), torch.tensor([0]))
    targets = scaled_targets(windows, transform, scale)
    assert targets[0, :3].isfinite().all()
    assert targets[0, 3].isnan()


def test_floor_of_logarithms_is_below_a_series_that_has_fallen() -> None:
    """With a tenth of the median as the floor, a decay from 100 to 0.1 was forecast at 10."""
    history = row(np.append(np.full(40, 100.0), 100 * 0.5 ** np.arange(1, 11)))
    transform = Transform.of(history)
    torch.testing.assert_close(transform.inverse(transform.forward(history))[0, -1:], history[0, -1:])


@pytest.mark.parametrize("last", [[0.01], [0.01, 0.01]])
def test_odd_last_values_do_not_move_the_floor_of_logarithms(last: list[float]) -> None:
    values = row(np.append(np.full(40, 100.0), last))
    assert Transform.of(values).floor.item() == pytest.approx(10.0)


def test_nights_of_each_day_do_not_move_the_floor_of_logarithms() -> None:
    values = row(np.tile(np.repeat([100.0, 0.1], [16, 8]), 10))
    assert Transform.of(values, 24).floor.item() == pytest.approx(10.0)
