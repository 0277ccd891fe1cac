"""How far the simple methods' forecasts lie off is told by their own errors in the history."""

import numpy as np
import pytest

from models.methods.baselines import BASELINES, baseline_forecast
from models.methods.spreads import spread
from models.panel import Floats, Panel

SERIES, KNOWN, AHEAD = 300, 60, 12


def walks() -> Floats:
    return 100 + np.random.default_rng(0).normal(size=(SERIES, KNOWN + AHEAD)).cumsum(axis=1)


def share_held(name: str, whole: Floats, season_length: int) -> float:
    """The share of what came within the 80 % interval of a simple method."""
    known, came = whole[:, :KNOWN], whole[:, KNOWN:]
    forecast = baseline_forecast(name, Panel.of(list(known)), AHEAD, season_length, (80,))
    return float(np.mean((came >= forecast.lo[80]) & (came <= forecast.hi[80])))


@pytest.mark.parametrize("season_length", [1, 12])
@pytest.mark.parametrize("name", ["naive", "drift", "damped_trend"])
def test_interval_of_a_random_walk_holds_its_level_whatever_season_is_said(
    name: str, season_length: int
) -> None:
    assert share_held(name, walks(), season_length) == pytest.approx(0.8, abs=0.04)


def test_interval_of_a_walk_with_a_trend_does_not_grow_with_the_trend() -> None:
    whole = walks() * 0.3 + 3 * np.arange(KNOWN + AHEAD)
    assert share_held("drift", whole, 12) == pytest.approx(0.8, abs=0.04)


def test_interval_of_a_seasonal_pattern_with_noise_holds_its_level() -> None:
    noise = np.random.default_rng(1).normal(size=(SERIES, KNOWN + AHEAD))
    pattern = 20 * np.sin(2 * np.pi * np.arange(KNOWN + AHEAD) / AHEAD)
    assert share_held("seasonal_naive", pattern + noise, AHEAD) == pytest.approx(0.8, abs=0.04)


def test_error_of_a_season_grows_with_each_season() -> None:
    panel = Panel.of([np.random.default_rng(2).normal(size=40)])
    found = spread("seasonal_naive", panel, 9, 4)[0]
    np.testing.assert_allclose(found / found[0], np.sqrt([1, 1, 1, 1, 2, 2, 2, 2, 3]))


def test_error_of_the_last_change_comes_again_at_each_step() -> None:
    found = spread("last_change", Panel.of([np.random.default_rng(3).normal(size=40)]), 3, 1)[0]
    np.testing.assert_allclose(found / found[0], [1, 2, 3])


def test_error_of_the_mean_demand_stays_the_same() -> None:
    found = spread("tsb", Panel.of([[0.0, 4.0, 0.0, 4.0]]), 3, 1)
    np.testing.assert_allclose(found, [[2.0, 2.0, 2.0]])


def test_theta_and_ets_are_off_as_the_better_of_a_line_and_a_season() -> None:
    line = [np.arange(40) * 5.0 + np.random.default_rng(4).normal(size=40)]
    assert spread("ets", Panel.of(line), 1, 12) == spread("drift", Panel.of(line), 1, 12) / np.sqrt(40 / 39)
    season = [np.tile([0.0, 9.0, 20.0, 3.0], 10) + np.random.default_rng(5).normal(size=40)]
    assert spread("theta", Panel.of(season), 1, 4) == spread("seasonal_naive", Panel.of(season), 1, 4)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("level", [0.0, 4e9])
def test_line_without_any_error_is_off_by_a_change_and_not_by_rounding(name: str, level: float) -> None:
    panel = Panel.of([level + 25.0 * np.arange(40)])
    assert 2 < spread(name, panel, 1, 12)[0, 0] < 25 * 12.5


@pytest.mark.parametrize("name", BASELINES)
def test_gap_is_no_error(name: str) -> None:
    values = np.random.default_rng(6).normal(size=60)
    values[[7, 20, 21, 59]] = np.nan
    assert 0.5 < spread(name, Panel.of([values]), 1, 4)[0, 0] < 3
