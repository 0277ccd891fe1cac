import math

import numpy as np
import pytest

from models.backtest import HeldOut, Trial, judge, ranked
from models.baselines import naive
from models.errors import UnusableHistory
from models.metrics import mase, seasonal_naive_error, smape
from models.training import fit
from models.windows import Panel
from tests.models.samples import tiny_config, wave, waves


def trial(mase: float, smape: float = 1.0) -> Trial:
    return Trial(architecture="lstm", smape=smape, mase=mase, parameters=1, seconds=0.0)


def test_last_steps_are_the_target_and_the_rest_is_known() -> None:
    held_out = HeldOut.of(Panel.of([[1, 2, 3, 4, 5], [6, 7, 8]], phases=[0, 3]), 2)
    assert held_out.known.values.tolist() == [1, 2, 3, 6]
    assert held_out.known.phases.tolist() == [0, 3]
    assert held_out.target.tolist() == [[4, 5], [7, 8]]


def test_series_that_cannot_be_cut_are_left_out() -> None:
    gap = np.nan
    panel = Panel.of([[1, 2], [gap, gap, 3, 4], [1, 2, gap, gap], [5, gap, 6, gap]])
    held_out = HeldOut.of(panel, 2)
    np.testing.assert_array_equal(held_out.known.values, [5, gap])
    np.testing.assert_array_equal(held_out.target, [[6, gap]])


@pytest.mark.parametrize("series", [[1.0, 2.0], [1.0, 2.0, np.nan, np.nan]])
def test_nothing_to_hold_out_is_refused(series: list[float]) -> None:
    with pytest.raises(UnusableHistory, match="nothing can be held out"):
        HeldOut.of(Panel.of([series]), 2)


def test_trial_has_the_errors_of_the_median_on_the_held_out_steps() -> None:
    held_out = HeldOut.of(waves(), 4)
    result = judge(fit(waves(), tiny_config(), held_out=4), held_out, 1.5)
    simple = naive(held_out.known, 4)
    scale = seasonal_naive_error(held_out.known, 4)
    assert 0 < result.smape < smape(held_out.target, simple)
    assert 0 < result.mase < mase(held_out.target, simple, scale)
    assert (result.architecture, result.seconds) == ("lstm", 1.5)


def test_weights_are_counted_over_all_members() -> None:
    """An LSTM of 16 has 4 * 16 * (inputs + 16 + 2) and the head 28 * 17; phase has 6 inputs, last 4."""
    model = fit(waves(), tiny_config(views=("last", "phase"), steps=1, epochs=1))
    assert judge(model, HeldOut.of(waves(), 4), 0.0).parameters == 64 * (4 + 18) + 64 * (6 + 18) + 2 * 28 * 17


def test_least_mase_comes_first() -> None:
    assert [each.mase for each in ranked([trial(0.9), trial(0.7), trial(0.8)])] == [0.7, 0.8, 0.9]


def test_smape_decides_where_no_history_has_a_scale() -> None:
    first, _ = ranked([trial(math.nan, smape=3.0), trial(math.nan, smape=2.0)])
    assert first.smape == 2.0


def test_history_without_change_has_no_mase() -> None:
    held_out = HeldOut.of(Panel.of([np.full(20, 5.0)]), 4)
    result = judge(fit(Panel.of([wave(20)]), tiny_config(steps=1, epochs=1)), held_out, 0.0)
    assert math.isnan(result.mase)
