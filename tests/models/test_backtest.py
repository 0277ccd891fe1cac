import math
from dataclasses import replace

import numpy as np
import pytest

from models.backtest import Backtest, Trial, beside_baselines, compare, ranked
from models.baselines import BASELINES, drift
from models.errors import TrainingStopped
from models.forecasting import Forecast, forecast
from models.held_out import HeldOut
from models.metrics import coverage
from models.network import Forecaster
from models.training import fit
from models.windows import Floats, Panel
from tests.models.samples import tiny_config, wave, waves

CONFIG = tiny_config(steps=5)


@pytest.fixture(scope="module")
def model() -> Forecaster:
    return fit(waves(), CONFIG, held_out=8)


@pytest.fixture(scope="module")
def backtest(model: Forecaster) -> Backtest:
    return beside_baselines(compare([model], HeldOut.of(waves(), CONFIG)), 4)


def made(target: list[list[float]], median: list[list[float]], series: list[int]) -> Backtest:
    """One whose series all have a scale of 2 and a root scale of 4, and a last value of 1."""
    windows = len(target)
    held_out = HeldOut(
        known=Panel.of([[1.0]] * windows),
        target=np.array(target),
        series=np.array(series),
        cut=np.zeros(windows, np.int64),
        scale=np.full(windows, 2.0),
        root_scale=np.full(windows, 4.0),
        cuts=1,
    )
    return Backtest(held_out, {"naive": Forecast(np.array(median), lo={}, hi={})})


def trial(mase: float, smape: float = 1.0) -> Trial:
    return Trial(architecture="lstm", smape=smape, mase=mase, parameters=1, seconds=0.0)


def test_every_method_forecasts_the_same_windows(backtest: Backtest, model: Forecaster) -> None:
    held_out = backtest.held_out
    assert set(backtest.forecasts) == {"lstm", *BASELINES}
    assert {answer.median.shape for answer in backtest.forecasts.values()} == {(24, 4)}
    assert backtest.forecasts["drift"].median.tolist() == drift(held_out.known, 4).tolist()
    expected = forecast(model, held_out.known).median
    assert backtest.forecasts["lstm"].median.tolist() == expected.tolist()


@pytest.mark.parametrize("cut", [0, 1])
def test_no_method_sees_what_comes_after_its_cut(model: Forecaster, backtest: Backtest, cut: int) -> None:
    values = waves().values.copy()
    values[np.arange(len(values)) % 40 >= 36 - 4 * cut] *= 5
    other = beside_baselines(compare([model], HeldOut.of(replace(waves(), values=values), CONFIG)), 4)
    windows = backtest.held_out.cut >= cut
    assert not np.array_equal(other.held_out.target, backtest.held_out.target)
    for name, answer in backtest.forecasts.items():
        for mine, theirs in zip(parts(answer), parts(other.forecasts[name]), strict=True):
            assert mine[windows].tobytes() == theirs[windows].tobytes()


def parts(answer: Forecast) -> list[Floats]:
    return [answer.median, *answer.lo.values(), *answer.hi.values()]


def test_errors_are_averaged_within_a_series_and_then_over_them() -> None:
    """Series 0 is off by 2 and 4, series 3 by 8 in its one known step."""
    gap = math.nan
    result = made([[3, 5], [9, gap], [gap, gap]], [[1, 1], [1, 1], [1, 1]], [0, 3, 3])
    assert result.mase_by_series("naive").tolist() == [1.5, 4.0]
    assert result.tested.tolist() == [0, 3]
    measures = result.measures("naive")
    assert measures.mase == 2.75
    assert measures.rmsse == pytest.approx((math.sqrt((0.25 + 1) / 2) + 2) / 2)
    assert measures.smape == pytest.approx(((100 + 400 / 3) / 2 + 160) / 2)


def test_measures_by_step_count_that_step_alone() -> None:
    first, second = made([[3, 5], [9, math.nan]], [[1, 1], [1, 1]], [0, 3]).measures_by_step("naive")
    assert (first.mase, second.mase) == (2.5, 2.0)
    assert (first.rmsse, second.rmsse) == (1.25, 1.0)


def test_intervals_are_judged_by_pinball_loss_and_coverage() -> None:
    plain = made([[3.0], [9.0]], [[1.0], [1.0]], [0, 1])
    lo, hi = {80: np.array([[0.0], [0.0]])}, {80: np.array([[3.0], [4.0]])}
    result = Backtest(plain.held_out, {"lstm": Forecast(plain.forecasts["naive"].median, lo, hi)})
    measures = result.measures("lstm")
    assert measures.coverage == {80: 0.5}
    losses = [(0.5 * 2 + 0.1 * 3 + 0) / 3, (0.5 * 8 + 0.1 * 9 + 0.9 * 5) / 3]
    assert measures.pinball == pytest.approx(sum(losses) / 2 / 2)


def test_network_has_intervals_and_baselines_do_not(backtest: Backtest) -> None:
    answer, target = backtest.forecasts["lstm"], backtest.held_out.target
    measures, simple = backtest.measures("lstm"), backtest.measures("ets")
    assert set(answer.lo) == {50, 80, 95}
    assert set(measures.coverage) == {80, 95}
    assert measures.coverage[95] == pytest.approx(coverage(target, answer.lo[95], answer.hi[95]))
    assert measures.pinball is not None
    assert 0 < measures.pinball < measures.mase
    assert (simple.pinball, simple.coverage) == (None, {})


def test_history_without_change_has_no_mase() -> None:
    constant = HeldOut.of(Panel.of([np.full(20, 5.0)]), CONFIG)
    model = fit(Panel.of([wave(20)]), tiny_config(steps=5), held_out=4)
    measures = compare([model], constant).measures("lstm")
    assert all(math.isnan(value) for value in (measures.mase, measures.rmsse))


def test_errors_of_absurd_size_are_finite() -> None:
    result = made([[1e300, 1e300]], [[-1e300, 1.0]], [0])
    tiny = Backtest(replace(result.held_out, scale=np.array([1e-300])), result.forecasts)
    measures = tiny.measures("naive")
    assert all(math.isfinite(value) for value in (measures.smape, measures.mase, measures.rmsse))


def test_stop_is_heard_between_windows_of_a_baseline(model: Forecaster) -> None:
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) == 2

    with pytest.raises(TrainingStopped, match="window 16 of a baseline"):
        beside_baselines(compare([model], HeldOut.of(waves(), CONFIG)), 4, should_stop=stop)


def test_trial_has_the_measures_of_its_architecture(backtest: Backtest, model: Forecaster) -> None:
    result, measures = Trial.of(backtest, model, 1.5), backtest.measures("lstm")
    assert (result.smape, result.mase) == (measures.smape, measures.mase)
    assert (result.architecture, result.seconds) == ("lstm", 1.5)


def test_weights_are_counted_over_all_members(backtest: Backtest) -> None:
    """An LSTM of 16 has 4 * 16 * (inputs + 16 + 2) and the head 28 * 17; phase has 6 inputs, last 4."""
    model = fit(waves(), tiny_config(views=("last", "phase"), steps=1, epochs=1))
    expected = 64 * (4 + 18) + 64 * (6 + 18) + 2 * 28 * 17
    assert Trial.of(backtest, model, 0.0).parameters == expected


def test_least_mase_comes_first() -> None:
    assert [each.mase for each in ranked([trial(0.9), trial(0.7), trial(0.8)])] == [0.7, 0.8, 0.9]


def test_smape_decides_where_no_history_has_a_scale() -> None:
    first, _ = ranked([trial(math.nan, smape=3.0), trial(math.nan, smape=2.0)])
    assert first.smape == 2.0
