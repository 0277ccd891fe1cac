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
        np.append(np.full(40, 9.0), np.zeros(2)),
        np.tile(np.repeat([9.0, 0.0], [40, 20]), 3),
        np.resize([5.0, 6, 7, 8, 9, 0, 0], 70),
    ],
    ids=[
        "no zeros",
        "one zero",
        "negative",
        "zeros before the launch",
        "two at the end",
        "closed for as long before",
        "closed at weekends",
    ],
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


def ended(zeros: int, season_length: int = WEEK) -> Demand:
    """Regular demand of a week with more of it at its end, then so many zeros."""
    sold = np.resize([4.0, 4, 4, 4, 4, 8, 8], 98)
    return demand(np.append(sold, np.zeros(zeros)), season_length)


def test_each_zero_at_the_end_takes_a_tenth_of_the_chance_of_demand() -> None:
    sums = [ended(zeros).means(WEEK).mean() for zeros in (3, 4, 10, 40)]
    assert sums == pytest.approx([36 / 7 * 0.9**zeros for zeros in (3, 4, 10, 40)], rel=0.03)
    assert [ended(zeros).zeros for zeros in (3, 10)] == pytest.approx([1 - 0.9**3, 1 - 0.9**10])


def test_demand_that_may_be_over_does_not_rise_but_with_its_week() -> None:
    found = ended(10).means(4 * WEEK).reshape(4, WEEK)
    assert np.ptp(found, axis=0).max() == 0
    assert found[0].argmax() in {2, 3}


def test_demand_missed_is_no_surprise_where_it_comes_seldom() -> None:
    seldom = np.append(np.resize([5.0, 0, 0, 0], 200), np.zeros(40))
    assert demand(seldom, 1).level == pytest.approx(1.25 * 0.9**10, rel=0.1)


def test_quantiles_of_demand_that_may_be_over_are_zeros_then_its_sizes() -> None:
    found = ended(7, 1).quantiles(np.array([0.4, 0.6, 0.99]), 2)
    assert found is not None
    assert found.tolist() == [[0, 0], [4, 4], [8, 8]]
    assert demand(poisson(0.5, 100)).quantiles(np.array([0.5]), 1) is None
