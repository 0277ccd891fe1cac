from dataclasses import replace

import numpy as np
import pytest

from models.config import TrainingConfig
from models.errors import UnusableHistory
from models.held_out import MOST_WINDOWS, HeldOut, cut_count
from models.training import fit
from models.windows import Panel
from tests.models.samples import tiny_config, wave

NAN = np.nan


def config(horizon: int) -> TrainingConfig:
    return tiny_config(horizon=horizon, season_length=1, context=2, steps=1, epochs=1)


def test_each_cut_lies_a_horizon_before_the_next() -> None:
    held_out = HeldOut.of(Panel.of([np.arange(20.0)], phases=[3]), config(2))
    assert (held_out.cuts, held_out.steps) == (2, 4)
    assert held_out.cut.tolist() == [0, 1]
    assert held_out.known.lengths.tolist() == [18, 16]
    assert held_out.known.phases.tolist() == [3, 3]
    assert held_out.target.tolist() == [[18, 19], [16, 17]]


@pytest.mark.parametrize(
    ("series", "length", "horizon", "cuts"),
    [
        (1, 40, 4, 2),
        (1, 1000, 4, 12),
        (5, 1000, 4, 12),
        (6, 1000, 4, 4),
        (6, 19, 4, 1),
        (1, 4, 1, 1),
        (1, 100, 49, 1),
    ],
)
def test_cuts_fill_a_fifth_of_the_history(series: int, length: int, horizon: int, cuts: int) -> None:
    assert cut_count(Panel.of([np.ones(length)] * series), horizon) == cuts


def test_cuts_are_fewer_rather_than_leaving_nothing_to_learn() -> None:
    """Long gaps before the last values: two cuts would be held out where only the last leaves any."""
    panel = Panel.of([[*[NAN] * 29, *np.arange(11.0)]])
    assert cut_count(panel, 4) == 2
    late = Panel.of([[*[NAN] * 33, *np.arange(7.0)]])
    assert cut_count(late, 4) == 1
    fit(late, config(4), held_out=HeldOut.of(late, config(4)).steps)


def test_fit_learns_nothing_from_the_first_cut_on() -> None:
    panel = Panel.of([wave(40)])
    held_out = HeldOut.of(panel, config(4))
    changed = panel.values.copy()
    changed[min(held_out.known.lengths) :] *= 7
    fits = [
        fit(replace(panel, values=values), config(4), held_out=held_out.steps)
        for values in (panel.values, changed)
    ]
    weights = [fitted.networks[0].head.weight for fitted in fits]
    assert held_out.cuts == 2
    assert weights[0].equal(weights[1])


def test_windows_that_cannot_be_judged_are_left_out() -> None:
    panel = Panel.of([[1, 2], [NAN, NAN, 3, 4], [1, 2, NAN, NAN], [5, NAN, 6, NAN]])
    held_out = HeldOut.of(panel, config(2))
    assert held_out.series.tolist() == [3]
    np.testing.assert_array_equal(held_out.known.values, [5, NAN])
    np.testing.assert_array_equal(held_out.target, [[6, NAN]])


def test_history_with_no_value_in_reach_of_a_forecast_is_left_out() -> None:
    panel = Panel.of([[*np.ones(9), *[NAN] * 1100, 1.0], wave(1100)])
    assert set(HeldOut.of(panel, config(1)).series) == {1}


@pytest.mark.parametrize("series", [[1.0, 2.0], [1.0, 2.0, NAN, NAN]])
def test_nothing_to_hold_out_is_refused(series: list[float]) -> None:
    with pytest.raises(UnusableHistory, match="nothing can be held out"):
        HeldOut.of(Panel.of([series]), config(2))


def test_scale_is_that_of_the_history_before_the_first_cut() -> None:
    """Changes of 1 up to the first cut at 16, and wild ones after it; the short one has only the last cut."""
    values = np.where(np.arange(20) < 16, np.arange(20.0), 1000.0 * np.arange(20))
    held_out = HeldOut.of(Panel.of([values, values, [1.0, 3.0, 5.0, 5.0]]), config(2))
    assert held_out.series.tolist() == [0, 0, 1, 1, 2]
    assert held_out.scale.tolist() == held_out.root_scale.tolist() == [1, 1, 1, 1, 2]


def test_sample_holds_series_of_all_lengths_alike() -> None:
    """1,500 short and 500 long series: three of four windows are of short ones, and each comes once."""
    panel = Panel.of([np.arange(4.0)] * 1500 + [np.arange(9.0)] * 500)
    held_out = HeldOut.of(panel, config(1))
    assert len(held_out) == MOST_WINDOWS
    assert (panel.lengths[held_out.series] == 4).sum() == 750
    assert len(set(zip(held_out.series, held_out.cut, strict=True))) == MOST_WINDOWS


def test_sample_depends_on_the_seed_alone() -> None:
    panel = Panel.of([np.arange(5.0)] * 2000)
    first, again, other = (HeldOut.of(panel, replace(config(1), seed=seed)).series for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
