from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import ArrayLike

from models.choices import Measure, MeasureChoice
from models.evaluation.backtest import Backtest
from models.evaluation.held_out import HeldOut
from models.evaluation.losses import BACKTEST_LEVELS, error, error_over_series, losses_by, measure_of
from models.evaluation.verdict import judge
from models.methods.baselines import BASELINES
from models.methods.forecast import Forecast
from models.metrics import pinball
from models.panel import Floats
from tests.models.samples import around, held_out_of

NAN = np.nan


def of(median: ArrayLike) -> Forecast:
    """Without bounds, which measures of the median do not read."""
    return Forecast(np.asarray(median, dtype=np.float64), {}, {})


def losses(held_out: HeldOut, forecast: Forecast) -> Floats:
    return losses_by(measure_of(held_out), held_out, forecast)


def measured_by(measure: MeasureChoice, held_out: HeldOut) -> HeldOut:
    return replace(held_out, measure=measure)


def test_absolute_errors_are_counted_in_units_of_the_scale() -> None:
    held_out = held_out_of([[3.0, NAN], [-5.0, 1.0]], scale=2.0)
    assert measure_of(held_out) == "MASE"
    np.testing.assert_array_equal(losses(held_out, of(np.ones((2, 2)))), [[1.0, NAN], [3.0, 0.0]])


@pytest.mark.parametrize("scale", [0.0, NAN])
@pytest.mark.parametrize("choice", ["auto", "mase", "rmsse"])
def test_errors_are_percentages_where_no_series_has_a_scale(scale: float, choice: MeasureChoice) -> None:
    held_out = measured_by(choice, held_out_of([[3.0, NAN]], scale=scale, root_scale=scale))
    assert measure_of(held_out) == "sMAPE"
    np.testing.assert_array_equal(losses(held_out, of(np.ones((1, 2)))), [[100.0, NAN]])


def test_errors_are_percentages_where_all_values_are_zero_and_wql_has_no_size() -> None:
    assert measure_of(measured_by("wql", held_out_of([[0.0, NAN]]))) == "sMAPE"


@pytest.mark.parametrize(
    ("choice", "of_demand", "measure"),
    [
        ("auto", False, "MASE"),
        ("auto", True, "pinball"),
        ("mase", True, "MASE"),
        ("rmsse", True, "RMSSE"),
        ("wql", True, "WQL"),
    ],
)
def test_chosen_measure_counts_and_demand_decides_only_by_itself(
    choice: MeasureChoice, measure: Measure, *, of_demand: bool
) -> None:
    assert measure_of(measured_by(choice, held_out_of([[3.0]])), of_demand=of_demand) == measure


def test_one_scale_is_enough_for_mase_and_the_others_do_not_count() -> None:
    held_out = replace(held_out_of([[3.0], [9.0], [5.0]]), scale=np.array([0.0, NAN, 2.0]))
    assert measure_of(held_out) == "MASE"
    assert error(held_out, of(np.ones((3, 1)))) == 2.0


def test_error_is_the_mean_over_units_of_their_means() -> None:
    """Series 0 has three windows with errors of 1, the five others one with an error of 3."""
    held_out = held_out_of([[1.0]] * 3 + [[3.0]] * 5, series=[0, 0, 0, 1, 2, 3, 4, 5])
    median = of(np.zeros((8, 1)))
    assert error(held_out, median) == (1 + 5 * 3) / 6
    assert error(held_out, median, held_out.series < 2) == 2.0
    assert np.isnan(error(held_out, median, held_out.series > 5))


def test_rmsse_is_rooted_within_a_series_and_then_averaged() -> None:
    """Series 0 is off by 2 and 4 in units of 2, five others by 6, and one by nothing."""
    target = [[2.0], [4.0], *[[6.0]] * 5, [0.0]]
    held_out = measured_by("rmsse", held_out_of(target, series=[0, 0, 1, 2, 3, 4, 5, 6], root_scale=2.0))
    expected = (np.sqrt((1 + 4) / 2) + 5 * 3 + 0) / 7
    assert error(held_out, of(np.zeros((8, 1)))) == pytest.approx(expected)
    assert error_over_series(held_out, of(np.zeros((8, 1)))) == pytest.approx(expected)


def test_rmsse_of_few_series_is_rooted_within_a_cut() -> None:
    held_out = measured_by("rmsse", held_out_of([[3.0], [4.0], [5.0]], series=[0, 1, 0], cut=[0, 0, 1]))
    assert error(held_out, of(np.zeros((3, 1)))) == pytest.approx((np.sqrt(12.5) + 5) / 2)
    assert error_over_series(held_out, of(np.zeros((3, 1)))) == pytest.approx((np.sqrt(17) + 4) / 2)


def test_backtest_of_rmsse_is_its_verdict_s_error() -> None:
    held_out = measured_by(
        "rmsse", held_out_of([[2.0, 1.0], [4.0, NAN], *[[6.0, 7.0]] * 6], series=[0, 0, *range(1, 7)])
    )
    backtest = Backtest(held_out, {"naive": around(np.zeros((8, 2)))})
    assert error(held_out, backtest.forecasts["naive"]) == pytest.approx(backtest.measures("naive").rmsse)


def test_wql_is_twice_the_mean_pinball_loss_over_the_mean_absolute_target() -> None:
    """As GluonTS has it: the sum of the losses over that of the absolute targets, for each quantile."""
    target, forecast = np.array([[4.0, -2.0], [10.0, 6.0]]), around([[3.0, 1.0], [8.0, 8.0]], spread=2.0)
    held_out = measured_by("wql", held_out_of(target, series=[0, 0], cut=[0, 0]))
    bounds = {0.5: forecast.median}
    for level in BACKTEST_LEVELS:
        bounds |= {0.5 - level / 200: forecast.lo[level], 0.5 + level / 200: forecast.hi[level]}
    expected = np.mean([2 * pinball(target, bound, quantile) for quantile, bound in bounds.items()])
    assert measure_of(held_out) == "WQL"
    assert error(held_out, forecast) == pytest.approx(expected / np.abs(target).mean())


def test_wql_does_not_depend_on_the_size_of_values_and_leaves_out_series_of_zeros() -> None:
    target = np.array([[4.0, 2.0]] * 6)
    sizes = np.array([1.0, 10.0, 1e-5, 1e300, 5.0, 0.0])[:, None]
    held_out = measured_by("wql", held_out_of(target * sizes))
    errors = losses(held_out, around(3 * sizes * np.ones((6, 2)), spread=sizes))
    np.testing.assert_allclose(errors[:5], np.repeat(errors[:1], 5, axis=0))
    assert np.isnan(errors[5]).all()


def judged_by(measure: MeasureChoice) -> str:
    """The network misses rarely and by far; the naive method always, by more than that in the mean."""
    rng = np.random.default_rng(3)
    target = np.zeros((40, 10))
    target[np.arange(40), rng.integers(0, 10, 40)] = rng.uniform(8, 12, 40)
    held_out = measured_by(measure, held_out_of(target))
    poor = around(np.full(target.shape, 1e3))
    forecasts = dict.fromkeys(BASELINES, poor) | {
        "naive": around(np.full(target.shape, 1.5)),
        "lstm": around(np.zeros(target.shape)),
    }
    return judge(Backtest(held_out, forecasts), "lstm").outcome


def test_verdict_follows_the_measure() -> None:
    assert (judged_by("mase"), judged_by("rmsse")) == ("beats", "loses")


@pytest.mark.parametrize(("choice", "measure"), [("rmsse", "RMSSE"), ("wql", "WQL")])
def test_sentence_names_the_measure(choice: MeasureChoice, measure: Measure) -> None:
    held_out = measured_by(choice, held_out_of(np.ones((8, 2))))
    forecasts = {name: around(np.full((8, 2), 2.0)) for name in (*BASELINES, "lstm")}
    verdict = judge(Backtest(held_out, forecasts), "lstm", candidates=[np.zeros((8, 2))])
    assert verdict.measure == measure
    assert f"error ({measure})" in verdict.sentence
