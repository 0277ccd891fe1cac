import warnings
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from statsforecast import models

from models.config import HISTORY_LIMIT
from models.errors import UnusableHistory
from models.methods.baselines import (
    BASELINES,
    OF_CHANCE,
    OF_DEMAND,
    Baseline,
    baseline_forecast,
    damped_trend,
    drift,
    ets,
    fitting_work,
    joining,
    last_change,
    naive,
    seasonal_naive,
    theta,
    values_read,
)
from models.panel import Floats, Panel
from tests.models.samples import bounds, wave

NAN = np.nan
ODD = np.arange(20) % 2 + 0.0
"""Changes by 1 at every step."""


def test_naive_repeats_the_last_known_value() -> None:
    panel = Panel.of([[1, 2, 3], [4, 5, NAN]])
    assert naive(panel, 2).tolist() == [[3, 3], [5, 5]]


def test_drift_continues_the_line_through_first_and_last() -> None:
    panel = Panel.of([[1, 9, 5], [4.0]])
    assert drift(panel, 2).tolist() == [[7, 9], [4, 4]]


def test_drift_looks_past_gaps_at_the_ends() -> None:
    assert drift(Panel.of([[NAN, 1, 3, NAN]]), 2).tolist() == [[7, 9]]


def test_last_change_is_repeated_at_every_step() -> None:
    panel = Panel.of([[1, 9, 5], [7, 7, 7]])
    assert last_change(panel, 2).tolist() == [[1, -3], [7, 7]]


def test_damped_trend_starts_with_nine_tenths_of_the_mean_of_the_last_three_changes() -> None:
    """The changes are 9, 1, 2 and 3; the mean of the last three is 2."""
    forecast = damped_trend(Panel.of([[0, 9, 10, 12, 15]]), 3)
    np.testing.assert_allclose(
        forecast, [[15 + 2 * 0.9, 15 + 2 * (0.9 + 0.81), 15 + 2 * (0.9 + 0.81 + 0.729)]]
    )


def test_damped_trend_ends_nine_mean_changes_above_the_last_value() -> None:
    assert damped_trend(Panel.of([[0, 1, 2, 3]]), 500)[0, -1] == pytest.approx(3 + 9)


def test_damped_trend_of_a_short_series_starts_with_the_mean_of_the_changes_there_are() -> None:
    np.testing.assert_allclose(damped_trend(Panel.of([[1, 2, 5]]), 1), [[5 + 0.9 * 2]])


@pytest.mark.parametrize("method", [drift, last_change, damped_trend])
def test_trend_crosses_gaps_by_straight_lines_and_ends_none_early(
    method: Callable[[Panel, int], Floats],
) -> None:
    gappy, filled = [NAN, 1, NAN, 5, 4, NAN, NAN, 10, NAN], [1, 3, 5, 4, 6, 8, 10]
    np.testing.assert_allclose(method(Panel.of([gappy]), 2), method(Panel.of([filled]), 3)[:, 1:])


@pytest.mark.parametrize("method", [drift, last_change, damped_trend])
def test_trend_of_each_series_is_its_own(method: Callable[[Panel, int], Floats]) -> None:
    series = [[1.0, 2.0, 4.0], [9.0], [8.0, 1.0], [0.0, 5.0, 6.0, 2.0, 3.0, 9.0]]
    alone = [method(Panel.of([values]), 3)[0].tolist() for values in series]
    assert method(Panel.of(series), 3).tolist() == alone


def test_seasonal_naive_repeats_the_last_season() -> None:
    panel = Panel.of([[1, 2, 3, 4, 5, 6, 7]])
    assert seasonal_naive(panel, 5, 3).tolist() == [[5, 6, 7, 5, 6]]


def test_seasonal_naive_takes_an_older_season_for_a_gap() -> None:
    panel = Panel.of([[8, 2, 3, 4, NAN, 6], [9, 9, 9]])
    assert seasonal_naive(panel, 3, 3).tolist() == [[4, 2, 6], [9, 9, 9]]


def test_place_never_seen_gets_the_last_value() -> None:
    assert seasonal_naive(Panel.of([[1, 2], [7, 8, 9]]), 3, 3).tolist() == [[2, 1, 2], [7, 8, 9]]


@pytest.mark.parametrize("method", [drift, last_change, damped_trend])
def test_line_that_leaves_float64_gives_way_to_the_last_value(
    method: Callable[[Panel, int], Floats],
) -> None:
    assert method(Panel.of([[-1.7e308, 1.7e308]]), 1).tolist() == [[1.7e308]]


@pytest.mark.parametrize("method", [theta, ets])
def test_season_and_growth_are_continued(method: Baseline) -> None:
    panel = Panel.of([wave(40), wave(30, level=5.0)])
    expected = [wave(44)[-4:], wave(34, level=5.0)[-4:]]
    np.testing.assert_allclose(method(panel, 4, 4), expected, rtol=0.05)


@pytest.mark.parametrize("method", [theta, ets])
def test_gaps_are_crossed_by_straight_lines(method: Baseline) -> None:
    gappy = [NAN, 1, 2, NAN, NAN, 5, 7, 6, 9, NAN, 11, NAN]
    filled = [1, 2, 3, 4, 5, 7, 6, 9, 10, 11, 11]
    assert method(Panel.of([gappy]), 2, 1).tolist() == method(Panel.of([filled]), 2, 1).tolist()


@pytest.mark.parametrize("method", [theta, ets])
@pytest.mark.parametrize("values", [[4.0], [4.0, 2.0], [4.0, 2.0, 3.0]])
def test_series_too_short_for_the_library_gets_the_last_value(method: Baseline, values: list[float]) -> None:
    panel = Panel.of([values, wave(20)])
    forecast = method(panel, 2, 4)
    assert forecast[0].tolist() == [values[-1]] * 2
    assert forecast[1].tolist() != naive(panel, 2)[1].tolist()


@pytest.mark.parametrize("method", [theta, ets])
@pytest.mark.parametrize("season_length", [1, 4])
def test_huge_series_gets_a_forecast_of_its_size(method: Baseline, season_length: int) -> None:
    forecast = method(Panel.of([wave(40) * 1e300]), 2, season_length)
    assert np.isfinite(forecast).all()
    assert (np.abs(forecast) < 1e303).all()


@pytest.mark.parametrize("method", [theta, ets])
@pytest.mark.parametrize("constant", [0.0, 7.5])
@pytest.mark.parametrize("season_length", [1, 4, 168])
def test_constant_series_stays(method: Baseline, constant: float, season_length: int) -> None:
    forecast = method(Panel.of([np.full(40, constant)]), 3, season_length)
    np.testing.assert_allclose(forecast, np.full((1, 3), constant))


def test_warnings_of_the_library_do_not_leak() -> None:
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        theta(Panel.of([np.zeros(40), wave(40) * 1e300]), 3, 4)
    assert leaked == []


@pytest.mark.parametrize("value", [NAN, np.inf])
def test_answer_that_is_no_number_gives_way_to_the_last_value(
    monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    outputs = {"mean": [1.0, 1.0]}
    monkeypatch.setattr(models.DynamicOptimizedTheta, "forecast", lambda *_, **__: outputs)
    assert theta(Panel.of([[4.0, 5.0]]), 2, 1).tolist() == [[1.0, 1.0]]
    outputs["mean"][1] = value
    assert theta(Panel.of([[4.0, 5.0]]), 2, 1).tolist() == [[5.0, 5.0]]


@pytest.mark.parametrize("name", BASELINES)
def test_bounds_lie_around_the_forecast_of_the_baseline(name: str) -> None:
    panel = Panel.of([wave(40) + 1000, wave(31, level=5.0) + 1000])  # no line reaches zero, where bounds stop
    forecast = baseline_forecast(name, panel, 3, 4, (50, 99))
    assert forecast.median.tolist() == BASELINES[name](panel, 3, 4).tolist()
    assert all((lower < upper).all() for lower, upper in pairwise(bounds(forecast)))


def test_bounds_are_those_of_a_random_walk_with_steps_as_in_the_history() -> None:
    forecast = baseline_forecast("naive", Panel.of([ODD - 2]), 4, 1, (80,))
    np.testing.assert_allclose(forecast.hi[80] - forecast.median, 1.2816 * np.sqrt([[1, 2, 3, 4]]), rtol=1e-4)
    np.testing.assert_allclose(forecast.median - forecast.lo[80], 1.2816 * np.sqrt([[1, 2, 3, 4]]), rtol=1e-4)


@pytest.mark.parametrize("season_length", [2, 40])
def test_series_with_no_seasonal_change_has_bounds_of_its_steps(season_length: int) -> None:
    """The pattern repeats exactly, or the history holds no season."""
    forecast = baseline_forecast("naive", Panel.of([ODD]), 1, season_length, (80,))
    assert forecast.hi[80][0, 0] - forecast.median[0, 0] == pytest.approx(1.2816, rel=1e-4)


def test_constant_has_narrow_bounds_that_are_not_none() -> None:
    forecast = baseline_forecast("naive", Panel.of([np.full(20, -40.0)]), 1, 1, (80,))
    assert forecast.hi[80][0, 0] - forecast.median[0, 0] == pytest.approx(1.2816 * 0.2, rel=1e-4)


def test_bounds_of_what_was_never_negative_stop_at_zero() -> None:
    forecast = baseline_forecast("drift", Panel.of([[9.0, 5.0, 1.0], [9.0, -5.0, -9.0]]), 2, 1, (80,))
    assert forecast.median.tolist() == [[0.0, 0.0], [-18.0, -27.0]]
    assert forecast.lo[80][0].tolist() == [0.0, 0.0]
    assert (forecast.lo[80][1] < forecast.median[1]).all()


def test_values_older_than_the_history_limit_do_not_count() -> None:
    old, recent = np.full(300, 1e6), np.sin(np.arange(HISTORY_LIMIT))
    whole, tail = (
        baseline_forecast("drift", Panel.of([values]), 3, 1, (95,))
        for values in (np.append(old, recent), recent)
    )
    assert [part.tolist() for part in bounds(whole)] == [part.tolist() for part in bounds(tail)]


@pytest.mark.parametrize(
    ("season_length", "read"), [(1, 300), (7, 300), (24, 300), (52, 520), (168, 1000), (365, 1000)]
)
def test_theta_and_ets_read_ten_seasons_but_300_to_1000_values(season_length: int, read: int) -> None:
    assert values_read(season_length) == read


@pytest.mark.parametrize("name", ["theta", "ets"])
@pytest.mark.parametrize("season_length", [4, 52])
def test_older_values_than_the_fits_read_do_not_count(name: str, season_length: int) -> None:
    read = values_read(season_length)
    recent = 50 + np.sin(np.arange(read) * 2 * np.pi / season_length) + np.arange(read) % 7 / 10
    long, short = Panel.of([np.append(np.full(30, 1e6), recent)]), Panel.of([recent])
    one_more = Panel.of([np.append(np.full(30, 1e6), recent[1:])])
    expected = BASELINES[name](short, 3, season_length).tolist()
    assert BASELINES[name](long, 3, season_length).tolist() == expected
    assert BASELINES[name](one_more, 3, season_length).tolist() != expected


def test_fits_cost_work_by_the_values_they_read_and_less_without_a_season() -> None:
    lengths = np.array([100, 300, 100_000])
    assert fitting_work(lengths, 12).tolist() == [100, 300, 300]
    assert fitting_work(lengths, 1).tolist() == [25, 75, 75]
    assert fitting_work(lengths, 52).tolist() == [25, 75, 130]


@pytest.mark.parametrize("name", BASELINES)
def test_bounds_near_the_end_of_float64_are_finite(name: str) -> None:
    forecast = baseline_forecast(
        name, Panel.of([[-1.7e308, 1.7e308] * 6, [1.0] * 5 + [1.7e308]]), 3, 1, (99,)
    )
    assert all(np.isfinite(part).all() for part in bounds(forecast))


def test_season_too_long_for_ets_is_none_to_it() -> None:
    panel = Panel.of([np.tile(np.arange(30.0), 4)])
    assert ets(panel, 5, 30).tolist() == ets(panel, 5, 1).tolist()


@pytest.mark.parametrize("name", BASELINES)
def test_series_without_a_value_is_named(name: str) -> None:
    with pytest.raises(UnusableHistory, match="Series 1"):
        BASELINES[name](Panel.of([[1.0], [NAN, NAN], [2.0]]), 2, 3)


@pytest.mark.parametrize("name", BASELINES)
def test_long_gap_at_the_end_keeps_the_last_value(name: str) -> None:
    panel = Panel.of([[3.0, *[NAN] * (HISTORY_LIMIT + 1)]])
    assert BASELINES[name](panel, 2, 4).tolist() == [[3.0, 3.0]]


def test_demand_methods_forecast_a_rate_between_the_zeros() -> None:
    demand = np.random.default_rng(3).poisson(0.4, 300).astype(float)
    for name in OF_DEMAND:
        found = baseline_forecast(name, Panel.of([demand, np.zeros(30)]), 3, 7, levels=()).median
        assert found[0].tolist() == [pytest.approx(demand[-60:].mean(), rel=0.6)] * 3
        assert found[1].tolist() == [0.0] * 3


def test_tsb_forgets_demand_that_ended_and_croston_does_not() -> None:
    ended = Panel.of([np.append(np.tile([0.0, 4.0], 20), np.zeros(40))])
    late, lasting = (
        baseline_forecast(name, ended, 1, 1, levels=()).median for name in ("tsb", "croston_sba")
    )
    assert late[0, 0] < 0.1
    assert lasting[0, 0] > 1.5


@pytest.mark.parametrize(
    ("rates", "joined"),
    [
        ((0.3, 0.4, 9.0), (*OF_DEMAND, *OF_CHANCE)),
        ((0.3, 9.0, 9.0), (*OF_CHANCE,)),
        ((0.3, 1e6, 1e6), ()),
    ],
    ids=["intermittent", "counts", "large numbers"],
)
def test_methods_of_demand_and_chance_join_where_half_of_the_series_are_of_their_kind(
    rates: tuple[float, ...], joined: tuple[str, ...]
) -> None:
    rng = np.random.default_rng(1)
    panel = Panel.of([rng.poisson(rate, 90).astype(float) for rate in rates])
    assert joining(panel, 7) == joined


def test_history_has_the_quantiles_of_its_own_values_at_every_step() -> None:
    values = np.random.default_rng(1).permutation(np.append(np.arange(1.0, 101), [NAN] * 5))
    found = baseline_forecast("history", Panel.of([values, [4.0]]), 2, 7, (80, 95))
    assert found.median.tolist() == [[50.0] * 2, [4.0] * 2]
    assert (found.lo[80][0, 0], found.hi[80][0, 0]) == (10.0, 90.0)
    assert (found.lo[95][0, 1], found.hi[95][0, 1]) == (3.0, 98.0)
