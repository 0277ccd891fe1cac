import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from models.evaluation.backtest import Backtest, Measures, Trial
from models.evaluation.held_out import HeldOut
from models.evaluation.losses import BACKTEST_LEVELS
from models.evaluation.verdict import judge
from models.methods.baselines import OF_DEMAND, baseline_forecast
from models.methods.forecast import Forecast
from models.metrics import coverage
from models.network.forecaster import Forecaster
from models.panel import Panel
from models.training.fit import fit
from tests.models.samples import around, held_out_of, tiny_config, waves


def made(target: Sequence[Sequence[float]], forecast: Forecast, series: Sequence[int]) -> Backtest:
    """One of `naive`, whose windows are all at cuts of their own, with a scale of 2 and a root scale of 4."""
    held_out = held_out_of(target, series=series, cut=np.arange(len(target)), scale=2.0, root_scale=4.0)
    return Backtest(held_out, {"naive": forecast})


def fixed(windows: int, level_80: tuple[float, float], level_95: tuple[float, float]) -> Forecast:
    """The same median of 1 and bounds for every window, one step ahead."""
    (lo, hi), (lowest, highest) = (
        [np.full((windows, 1), bound) for bound in pair] for pair in (level_80, level_95)
    )
    return Forecast(np.ones((windows, 1)), lo={80: lo, 95: lowest}, hi={80: hi, 95: highest})


def figures(measures: Measures) -> list[float]:
    return [
        measures.smape,
        measures.mase,
        measures.rmsse,
        measures.pinball,
        measures.interval_score,
        *measures.coverage.values(),
    ]


@pytest.fixture(scope="module")
def model() -> Forecaster:
    return fit(waves(), tiny_config(views=("last", "phase"), steps=1, epochs=1))


def test_errors_are_averaged_within_a_series_and_then_over_them() -> None:
    """Series 0 is off by 2 and 4, series 3 by 8 in its one known step."""
    gap = math.nan
    result = made([[3, 5], [9, gap], [gap, gap]], around(np.ones((3, 2))), [0, 3, 3])
    measures = result.measures("naive")
    assert measures.mase == 2.75
    assert measures.rmsse == pytest.approx((math.sqrt((0.25 + 1) / 2) + 2) / 2)
    assert measures.smape == pytest.approx(((100 + 400 / 3) / 2 + 160) / 2)


def test_measures_by_step_count_that_step_alone() -> None:
    result = made([[3, 5], [9, math.nan]], around(np.ones((2, 2))), [0, 3])
    first, second = result.measures_by_step("naive")
    assert (first.mase, second.mase) == (2.5, 2.0)
    assert (first.rmsse, second.rmsse) == (1.25, 1.0)


def test_measures_by_series_are_over_all_its_windows() -> None:
    """The second of the series tested is number 3."""
    result = made([[9, 1], [3, 5], [3, math.nan]], around(np.ones((3, 2))), [3, 0, 3])
    first, second = result.measures_by_series("naive")
    assert (first.mase, second.mase) == (1.5, (4 + 0 + 1) / 3)
    assert first.rmsse == pytest.approx(math.sqrt((0.25 + 1) / 2))


def test_mean_of_the_series_is_the_measure_of_all() -> None:
    rng = np.random.default_rng(2)
    target = rng.normal(0, 2, (40, 3))
    target[rng.random(target.shape) < 0.2] = math.nan
    result = made(target.tolist(), around(np.zeros((40, 3))), (np.arange(40) % 7).tolist())
    each = [figures(measures) for measures in result.measures_by_series("naive")]
    assert np.mean(each, axis=0).tolist() == pytest.approx(figures(result.measures("naive")))


def test_coverage_is_measured_at_both_levels() -> None:
    """The targets 3 and 9 lie on a bound and outside at 80, and both inside at 95."""
    measures = made([[3.0], [9.0]], fixed(2, (0, 3), (-9, 9)), [0, 1]).measures("naive")
    assert measures.coverage == {80: 0.5, 95: 1.0}


def test_coverage_is_averaged_within_a_series_first() -> None:
    result = made([[3.0], [3.0], [3.0], [9.0]], fixed(4, (0, 4), (0, 4)), [0, 0, 0, 1])
    assert result.measures("naive").coverage[80] == 0.5
    forecast, target = result.forecasts["naive"], result.held_out.target
    assert coverage(target, forecast.lo[80], forecast.hi[80]) == 0.75


def test_pinball_is_of_the_median_and_all_bounds_in_units_of_the_scale() -> None:
    """The target is 9 beside a median of 1, with bounds at 0 and 4, and at -1 and 11."""
    measures = made([[9.0]], fixed(1, (0, 4), (-1, 11)), [0]).measures("naive")
    losses = [0.5 * 8, 0.1 * 9, 0.9 * 5, 0.025 * 10, 0.025 * 2]
    assert measures.pinball == pytest.approx(sum(losses) / 5 / 2)


def test_interval_score_is_the_mean_over_levels_in_units_of_the_scale() -> None:
    """Width 4 and a miss by 5 at 80 %, width 12 and none at 95 %."""
    measures = made([[9.0]], fixed(1, (0, 4), (-1, 11)), [0]).measures("naive")
    assert measures.interval_score == pytest.approx(((4 + 10 * 5) + 12) / 2 / 2)


@pytest.mark.parametrize("width", [0.25, 4.0])
def test_interval_score_is_best_at_the_right_width(width: float) -> None:
    target = np.random.default_rng(2).normal(0, 1, (2000, 1)).tolist()
    right, wrong = (
        made(target, around(np.zeros((2000, 1)), spread), range(2000)).measures("naive")
        for spread in (1.0, width)
    )
    assert right.interval_score < wrong.interval_score
    assert right.pinball < wrong.pinball


@pytest.mark.parametrize("scale", [0.0, math.nan])
def test_history_without_change_has_percentages_and_coverage_alone(scale: float) -> None:
    held_out = held_out_of([[3.0], [3.0]], cut=[0, 1], scale=scale, root_scale=scale)
    measures = Backtest(held_out, {"naive": fixed(2, (0, 2), (0, 4))}).measures("naive")
    scaled = (measures.mase, measures.rmsse, measures.pinball, measures.interval_score)
    assert all(math.isnan(value) for value in scaled)
    assert (measures.smape, measures.coverage) == (100.0, {80: 0.0, 95: 1.0})


def test_errors_of_absurd_size_are_finite() -> None:
    result = made([[1e300, 1e300]], around([[-1e300, 1.0]]), [0])
    tiny = Backtest(replace(result.held_out, scale=np.array([1e-300])), result.forecasts)
    errors = figures(tiny.measures("naive"))[: -len(BACKTEST_LEVELS)]
    assert all(math.isfinite(value) for value in errors)


def test_single_cut_has_no_coverage() -> None:
    """Its windows share the period that their intervals are calibrated on."""
    held_out = held_out_of([[3.0], [9.0]])
    measures = Backtest(held_out, {"naive": fixed(2, (0, 3), (-9, 9))}).measures("naive")
    assert all(math.isnan(share) for share in measures.coverage.values())


def test_trial_has_the_measures_of_its_architecture(model: Forecaster) -> None:
    result = made([[3, 5], [9, math.nan], [2, 2]], around(np.ones((3, 2))), [0, 3, 3])
    made_trial = Trial.of(model, result.forecasts["naive"], result.held_out, 1.5)
    measures = result.measures("naive")
    assert (made_trial.smape, made_trial.mase) == (measures.smape, measures.mase)
    assert (made_trial.architecture, made_trial.seconds) == ("lstm", 1.5)


def test_weights_are_counted_over_all_members(model: Forecaster) -> None:
    """An LSTM of 16 has 4 * 16 * (inputs + 16 + 2) and the head 28 * 17; phase has 6 inputs, last 4."""
    expected = 64 * (4 + 18) + 64 * (6 + 18) + 2 * 28 * 17
    assert Trial.of(model, around(np.ones((1, 1))), held_out_of([[1.0]]), 0.0).parameters == expected


def test_zero_wins_by_mase_on_intermittent_demand_and_not_by_the_verdict() -> None:
    rng = np.random.default_rng(8)
    panel = Panel.of([rng.poisson(0.4, 120).astype(float) for _ in range(30)])
    held_out = HeldOut.of(panel, tiny_config())
    levels = (80, 95)
    forecasts = {
        name: baseline_forecast(name, held_out.contexts, 4, 4, levels) for name in ("naive", *OF_DEMAND)
    }
    nothing = np.zeros(held_out.target.shape)
    forecasts["lstm"] = Forecast(nothing, dict.fromkeys(levels, nothing), dict.fromkeys(levels, nothing))
    backtest = Backtest(held_out, forecasts)
    assert backtest.measures("lstm").mase < min(backtest.measures(name).mase for name in OF_DEMAND)
    verdict = judge(backtest, "lstm")
    assert (verdict.measure, verdict.outcome) == ("pinball", "loses")
    assert "error (pinball)" in verdict.sentence
