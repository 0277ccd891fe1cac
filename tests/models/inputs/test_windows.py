import numpy as np
import pytest
import torch

from models.errors import InvalidPanel
from models.inputs.scaling import Scale, Transform, features
from models.inputs.windows import Tape, Windows, cut
from models.panel import Panel
from tests.models.samples import tiny_config, wave, waves

CPU = torch.device("cpu")


def windows_at(panel: Panel, series: int, origin: int, end: int) -> Windows:
    row, at, stop = (torch.tensor([value]) for value in (series, origin, end))
    return cut(Tape.of(panel, CPU), row, at, stop, tiny_config())


def test_panel_without_series_is_refused() -> None:
    with pytest.raises(InvalidPanel, match="at least one series"):
        Panel.of([])


def test_empty_series_is_refused_by_number() -> None:
    with pytest.raises(InvalidPanel, match="Series 1 has no values"):
        Panel.of([[1.0], [], [2.0]])


def test_infinite_value_is_refused() -> None:
    with pytest.raises(InvalidPanel, match="position 2 is infinite"):
        Panel.of([[1.0], [2.0, np.inf]])


def test_wrong_type_is_refused() -> None:
    with pytest.raises(InvalidPanel, match="values must be float64"):
        Panel(np.ones(3, dtype=np.float32), np.array([0, 3]), np.array([0]))


def test_offsets_that_miss_values_are_refused() -> None:
    with pytest.raises(InvalidPanel, match="run from 0"):
        Panel(np.ones(3), np.array([0, 2]), np.array([0]))


def test_phase_missing_for_a_series_is_refused() -> None:
    with pytest.raises(InvalidPanel, match="phases must hold 2"):
        Panel.of([[1.0], [2.0]], phases=[0])


def test_tail_keeps_last_values_and_moves_phases() -> None:
    tail = Panel.of([[1, 2, 3, 4], [5, 6]], phases=[1, 2]).tail(3)
    assert tail.values.tolist() == [2, 3, 4, 5, 6]
    assert tail.offsets.tolist() == [0, 3, 5]
    assert tail.phases.tolist() == [2, 2]


def test_without_last_drops_the_ends() -> None:
    cut_short = Panel.of([[1, 2, 3, 4], [5, 6]], phases=[1, 2]).without_last(1)
    assert cut_short.values.tolist() == [1, 2, 3, 5]
    assert cut_short.phases.tolist() == [1, 2]


def test_series_too_short_to_drop_from_is_named() -> None:
    with pytest.raises(InvalidPanel, match="series 1"):
        Panel.of([[1, 2, 3], [5]]).without_last(1)


def test_heads_are_beginnings_of_the_series_named_in_their_order() -> None:
    heads = Panel.of([[1, 2, 3], [5, 6]], phases=[1, 2]).heads(np.array([1, 0, 1]), np.array([1, 2, 2]))
    assert heads.values.tolist() == [5, 1, 2, 5, 6]
    assert heads.offsets.tolist() == [0, 1, 3, 5]
    assert heads.phases.tolist() == [2, 1, 2]


def test_last_pads_shorter_series_in_front() -> None:
    last = Panel.of([[1, 2, 3], [5]]).last(2)
    np.testing.assert_array_equal(last, [[2, 3], [np.nan, 5]])


def test_window_reads_back_from_origin_and_ahead_of_it() -> None:
    windows = windows_at(Panel.of([np.arange(50.0)], phases=[3]), series=0, origin=40, end=50)
    assert windows.history[0].tolist() == list(range(8, 40))
    assert windows.targets[0].tolist() == [40, 41, 42, 43]
    assert windows.phases.tolist() == [43]


def test_neighbouring_series_stay_out_of_the_window() -> None:
    panel = Panel.of([np.full(9, -1.0), np.arange(9.0), np.full(9, -1.0)])
    windows = windows_at(panel, series=1, origin=16, end=18)
    assert windows.history[0, -7:].tolist() == list(range(7))
    assert windows.history[0, :-7].isnan().all()
    assert windows.targets[0, :2].tolist() == [7, 8]


def test_targets_from_the_end_on_are_masked() -> None:
    windows = windows_at(Panel.of([np.arange(50.0)]), series=0, origin=40, end=42)
    np.testing.assert_array_equal(windows.targets[0].numpy(), [40, 41, np.nan, np.nan])


def test_gap_longer_than_context_is_bridged_by_last_value() -> None:
    values = np.r_[wave(10), np.full(9, np.nan)]
    windows = windows_at(Panel.of([values]), series=0, origin=19, end=19)
    assert windows.history[0, -8] == values[9]
    assert windows.history[0, -7:].isnan().all()


def test_blank_start_borrows_nothing_from_the_series_before() -> None:
    panel = Panel.of([wave(10), np.full(20, np.nan)])
    assert windows_at(panel, series=1, origin=25, end=25).history.isnan().all()


@pytest.mark.parametrize("view", ["last", "season", "short", "long", "phase"])
@pytest.mark.parametrize("future", [1e9, 0.0, -5.0, np.nan])
def test_no_window_sees_its_future(view: str, future: float) -> None:
    panel = waves(series=3)
    origin = int(panel.offsets[1]) + 20
    changed = panel.values.copy()
    changed[origin:] = future
    inputs = [
        inputs_at(Panel(values, panel.offsets, panel.phases), origin, view)
        for values in (panel.values, changed)
    ]
    assert torch.equal(inputs[0], inputs[1])


def inputs_at(panel: Panel, origin: int, view: str) -> torch.Tensor:
    config = tiny_config(views=(view,))
    windows = windows_at(panel, series=1, origin=origin, end=origin + 4)
    z = Transform.of(windows.history).forward(windows.history)
    scale = Scale.of(z, config.views[0], config)
    return features(z, scale, windows.phases, config.views[0], config)
