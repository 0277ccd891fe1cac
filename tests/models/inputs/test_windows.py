import numpy as np
import pytest
import torch

from models.inputs.scaling import Scale, Transform, features, seasonal_component
from models.inputs.windows import FlatPanel, Windows, cut_windows
from models.panel import Panel
from tests.models.samples import tiny_config, wave, waves

CPU = torch.device("cpu")


def windows_at(panel: Panel, series: int, origin: int, end: int) -> Windows:
    row, at, stop = (torch.tensor([value]) for value in (series, origin, end))
    return cut_windows(FlatPanel.of(panel, CPU), row, at, stop, tiny_config())


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
    season = seasonal_component(z, windows.phases, config.views[0], config)
    scale = Scale.of(z, season, config.views[0], config)
    return features(z, scale, windows.phases, config.views[0], config)
