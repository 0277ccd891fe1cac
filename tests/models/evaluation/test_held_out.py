from dataclasses import replace

import numpy as np
import pytest

from models.config import TrainingConfig
from models.errors import UnusableHistory
from models.evaluation import held_out as held_out_module
from models.evaluation.held_out import HeldOut
from models.evaluation.rolling_origin import RollingOrigin, cut_count
from models.panel import Panel
from models.training.fit import fit
from tests.models.samples import held_out_of, tiny_config, wave

NAN = np.nan


def config(horizon: int) -> TrainingConfig:
    return tiny_config(horizon=horizon, season_lengths=(), context=2, steps=1, epochs=1)


def test_each_cut_lies_a_horizon_before_the_next() -> None:
    held_out = HeldOut.of(Panel.of([np.arange(20.0)], phases=[3]), config(2))
    assert (held_out.cuts, held_out.steps) == (2, 4)
    assert held_out.cut.tolist() == [0, 1]
    assert held_out.contexts.lengths.tolist() == [18, 16]
    assert held_out.contexts.phases.tolist() == [3, 3]
    assert held_out.target.tolist() == [[18, 19], [16, 17]]


def test_requested_cuts_lie_so_many_steps_apart() -> None:
    origin = RollingOrigin(cuts=3, step_size=2)
    held_out = HeldOut.of(Panel.of([np.arange(20.0)]), config(3), origin=origin)
    assert (held_out.cuts, held_out.steps) == (3, 7)
    assert held_out.contexts.lengths.tolist() == [17, 15, 13]
    assert held_out.target.tolist() == [[17, 18, 19], [15, 16, 17], [13, 14, 15]]


def test_cuts_further_apart_than_a_horizon_leave_steps_between_windows() -> None:
    held_out = HeldOut.of(Panel.of([np.arange(20.0)]), config(2), origin=RollingOrigin(cuts=2, step_size=5))
    assert held_out.target.tolist() == [[18, 19], [13, 14]]
    assert held_out.apart is held_out


def test_windows_that_share_no_step_are_apart() -> None:
    """Of seven cuts a step from each other, with a horizon of three, the first, the fourth and the last."""
    origin = RollingOrigin(cuts=7, step_size=1)
    held_out = HeldOut.of(Panel.of([np.arange(40.0)]), config(3), origin=origin)
    apart = held_out.apart
    assert apart.target.tolist() == [[37, 38, 39], [34, 35, 36], [31, 32, 33]]
    assert (apart.cut.tolist(), apart.cuts, apart.stride) == ([0, 1, 2], 3, 3)
    assert held_out.is_clear_of(0).tolist() == [False] * 3 + [True] * 4


def test_scale_reads_nothing_after_the_first_of_cuts_that_overlap() -> None:
    origin, values = RollingOrigin(cuts=3, step_size=1), np.arange(20.0)
    steep = values.copy()
    steep[16:] *= 9
    first, second = (HeldOut.of(Panel.of([each]), config(2), origin=origin).scale for each in (values, steep))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize(
    ("length", "step_size", "cuts"), [(40, 1, 5), (100, 4, 5), (1000, 1, 12), (40, 8, 1)]
)
def test_steps_between_cuts_alone_leave_their_number_to_the_history(
    length: int, step_size: int, cuts: int
) -> None:
    panel = Panel.of([np.ones(length)])
    assert cut_count(panel, 4, RollingOrigin(step_size=step_size)) == cuts


def test_more_cuts_than_there_is_room_for_are_refused() -> None:
    panel = Panel.of([np.arange(20.0)])
    with pytest.raises(UnusableHistory, match="ask for at most 8"):
        cut_count(panel, 2, RollingOrigin(cuts=9))
    assert cut_count(panel, 2, RollingOrigin(cuts=8)) == 8


def test_every_window_of_requested_cuts_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    panel, few = Panel.of([wave(40)] * 30), replace(config(4), windows=25)
    assert len(HeldOut.of(panel, few)) < 60
    assert len(HeldOut.of(panel, few, origin=RollingOrigin(cuts=2))) == 60
    monkeypatch.setattr(held_out_module, "MOST_REQUESTED", 50)
    assert len(HeldOut.of(panel, few, origin=RollingOrigin(cuts=2))) == 50
    monkeypatch.setattr(held_out_module, "MOST_VALUES", 40 * 34)  # a context has 34 steps on average
    assert len(HeldOut.of(panel, few, origin=RollingOrigin(cuts=2))) == 40


@pytest.mark.parametrize(
    ("series", "length", "horizon", "cuts"),
    [
        (1, 40, 4, 2),
        (1, 1000, 4, 12),
        (5, 1000, 4, 12),
        (6, 1000, 4, 8),
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
    changed[min(held_out.contexts.lengths) :] *= 7
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
    np.testing.assert_array_equal(held_out.contexts.values, [5, NAN])
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
    """150 short and 50 long series: three of four windows are of short ones, and each comes once."""
    panel = Panel.of([np.arange(4.0)] * 150 + [np.arange(9.0)] * 50)
    held_out = HeldOut.of(panel, replace(config(1), windows=100))
    assert len(held_out) == 100
    assert (panel.lengths[held_out.series] == 4).sum() == 75
    assert len(set(zip(held_out.series, held_out.cut, strict=True))) == 100


@pytest.mark.parametrize(
    ("length", "season_length", "windows", "sampled"),
    [
        pytest.param(150, 12, 60, 60, id="all that the preset allows"),
        pytest.param(400, 12, 100, 50, id="half, as a fit reads 300 values and not 150"),
        pytest.param(100_000, 12, 100, 50, id="as many of series of any length"),
        pytest.param(400, 1, 100, 100, id="all, as ETS without a season is fast"),
        pytest.param(400, 12, 1, 24, id="never a few alone"),
    ],
)
def test_windows_are_fewer_where_fits_cost_more(
    length: int, season_length: int, windows: int, sampled: int
) -> None:
    panel = Panel.of([np.arange(float(length))] * 50)
    lengths = (season_length,) if season_length > 1 else ()
    wanted = replace(config(1), windows=windows, season_lengths=lengths)
    assert len(HeldOut.of(panel, wanted)) == sampled


def test_sample_depends_on_the_seed_alone() -> None:
    panel = Panel.of([np.arange(5.0)] * 2000)
    first, again, other = (HeldOut.of(panel, replace(config(1), seed=seed)).series for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_part_of_the_windows_knows_what_the_whole_does() -> None:
    held_out = HeldOut.of(Panel.of([np.arange(20.0), -np.arange(20.0)], phases=[3, 1]), config(2))
    parts = [held_out.context_batch(first, 3) for first in range(0, len(held_out), 3)]
    assert [part.series for part in parts] == [3, 1]
    np.testing.assert_array_equal(np.concatenate([p.values for p in parts]), held_out.contexts.values)
    assert [*parts[0].phases, *parts[1].phases] == held_out.contexts.phases.tolist()


def test_history_of_a_series_ends_before_its_first_window() -> None:
    panel = Panel.of([np.arange(20.0), np.arange(30.0), np.arange(25.0)], phases=[0, 4, 1])
    held_out = HeldOut.of(panel, config(2))
    history = held_out.history(np.array([0, 2]))
    assert history.lengths.tolist() == [20 - held_out.steps, 25 - held_out.steps]
    assert history.phases.tolist() == [0, 1]
    assert history.values[0] == history.values[history.offsets[1]] == 0


def test_series_are_the_units_unless_they_are_few() -> None:
    series, cut = np.repeat(np.arange(10, 16), 2), np.tile([0, 1], 6)
    many = held_out_of(np.zeros((12, 1)), series=series, cut=cut)
    few = held_out_of(np.zeros((10, 1)), series=series[:10], cut=cut[:10])
    assert (many.unit, many.units.tolist()) == ("series", series.tolist())
    assert (few.unit, few.units.tolist()) == ("cut", cut[:10].tolist())


def test_series_with_a_window_are_the_tested_ones() -> None:
    assert held_out_of(np.zeros((4, 1)), series=[7, 2, 7, 3]).tested.tolist() == [2, 3, 7]


@pytest.mark.parametrize("series", [3, 40])
def test_folds_have_equally_many_units_and_split_none(series: int) -> None:
    cut = np.tile(np.arange(8), series)
    held_out = held_out_of(np.zeros((8 * series, 1)), series=np.repeat(np.arange(series), 8), cut=cut)
    of_unit = [set(held_out.folds[held_out.units == unit]) for unit in np.unique(held_out.units)]
    assert [len(folds) for folds in of_unit] == [1] * len(of_unit)
    assert sum(True in folds for folds in of_unit) == len(of_unit) // 2


def test_single_unit_leaves_one_fold_empty() -> None:
    assert held_out_of(np.zeros((3, 1))).folds.tolist() == [False] * 3


def test_folds_are_not_the_first_and_the_last_units() -> None:
    folds = held_out_of(np.zeros((40, 1))).folds
    assert 0 < folds[:20].sum() < 20
