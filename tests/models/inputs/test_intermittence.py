"""Which zeros are by chance, and how much demand comes on average."""

import numpy as np
import pytest

from models.inputs.intermittence import Demand, demands
from models.panel import Floats, Panel

WEEK = 7


def poisson(rate: float | list[float], length: int, seed: int = 0) -> Floats:
    rates = np.resize(np.atleast_1d(np.asarray(rate, dtype=np.float64)), length)
    return np.random.default_rng(seed).poisson(rates).astype(np.float64)


def demand(values: Floats, season_length: int = WEEK) -> Demand:
    found = Demand.of(values, season_length)
    assert found is not None
    return found


@pytest.mark.parametrize(("rate", "expected"), [(0.1, True), (0.5, True), (1.0, True), (2.0, False)])
def test_demand_that_comes_seldom_is_intermittent(rate: float, expected: bool) -> None:  # noqa: FBT001
    assert demand(poisson(rate, 200)).is_intermittent == expected


def test_interval_is_the_steps_for_each_demand() -> None:
    assert demand(np.array([1.0, 0, 0, 2, 0, 0, 4, 0]), 1).interval == pytest.approx(8 / 3)


def test_level_is_the_mean_and_follows_a_change() -> None:
    rates = [0.2] * 300 + [2.0] * 100
    assert demand(poisson(rates, 400), 1).level == pytest.approx(1.8, abs=0.35)
    short = np.array([0.0, 3, 0, 1])
    assert demand(short, 1).level == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(1.0, 50),
        np.where(np.arange(60) == 30, 0.0, 5.0),
        np.where(np.arange(60) % 2, -1.0, 0.0),
        np.append(np.zeros(20), np.arange(1.0, 40)),
        np.append(np.full(40, 9.0), np.zeros(20)),
        np.resize([5.0, 6, 7, 8, 9, 0, 0], 70),
    ],
    ids=["no zeros", "one zero", "negative", "zeros before the launch", "ended", "closed at weekends"],
)
def test_zeros_that_are_not_by_chance_are_no_intermittence(values: Floats) -> None:
    assert Demand.of(values, WEEK) is None


def test_zeros_before_the_launch_do_not_lower_the_level() -> None:
    sold = poisson(1.0, 100)
    late = np.append(np.zeros(200), sold)
    assert demand(late, 1).level == pytest.approx(demand(sold, 1).level, rel=0.05)


def test_means_follow_the_week_as_far_as_there_is_one() -> None:
    rates = [0.2, 0.2, 0.2, 0.2, 0.2, 2.0, 2.0]
    found = demand(poisson(rates, 70 * WEEK)).means(2 * WEEK)
    np.testing.assert_allclose(found, np.resize(rates, 2 * WEEK), rtol=0.5)
    assert found[5] > 5 * found[0]
    flat = demand(poisson(0.5, 70 * WEEK)).means(WEEK)
    assert flat.max() < 1.5 * flat.min()


def test_gaps_are_left_out() -> None:
    values = poisson(0.5, 140)
    with_gaps = np.insert(values, 70, np.full(70, np.nan))
    assert demand(with_gaps).level == pytest.approx(demand(values).level, rel=0.3)
    assert demand(with_gaps).interval == demand(values).interval


def test_series_without_any_demand_expects_none() -> None:
    found = demand(np.zeros(30))
    assert (found.is_intermittent, found.means(3).tolist()) == (True, [0.0] * 3)


@pytest.mark.parametrize("size", [1e308, 5e-324])
def test_values_at_the_ends_of_float64_have_finite_means(size: float) -> None:
    values = np.where(np.arange(70) % 7 == 3, size, 0.0) * (poisson(0.6, 70) > 0)
    found = Demand.of(values, WEEK)
    assert found is None or np.isfinite(found.means(9)).all()
    assert np.isfinite(demand(np.resize([0, size, 0, 0, size], 70), 1).means(9)).all()


def test_panel_tells_the_demand_of_each_series_by_its_number() -> None:
    panel = Panel.of([np.arange(1.0, 30), poisson(0.5, 60), np.arange(0.0, 40)])
    found = demands(panel, WEEK)
    assert list(found) == [1]
    assert found[1].level == demand(poisson(0.5, 60)).level
