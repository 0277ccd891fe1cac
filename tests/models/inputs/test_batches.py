import numpy as np
import pytest
import torch

from models.inputs.batches import MAX_VALIDATION_WINDOWS, WindowSampler
from models.panel import Panel
from tests.models.samples import tiny_config, waves

CPU = torch.device("cpu")


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(4)


def test_every_training_window_comes_once() -> None:
    """A window starts from 2 values and has a target: 38 of 40 values, 7 of 9, 3 of 5."""
    values = waves(series=2).values
    panel = Panel.of([values[:40], values[40:49], values[49:54]])
    windows = WindowSampler.of(panel, tiny_config(), 0, CPU).training("last", 1000, generator())
    assert len(windows) == 38 + 7 + 3
    assert len(torch.unique(windows.inputs, dim=0)) == len(windows)


def test_training_windows_end_before_what_is_held_out() -> None:
    """Of 40, 9 and 5 values the last 4 are held out: nothing is left of the last but one input."""
    values = waves(series=2).values
    panel = Panel.of([values[:40], values[40:49], values[49:54]])
    windows = WindowSampler.of(panel, tiny_config(), 4, CPU).training("last", 1000, generator())
    assert len(windows) == 34 + 3


def test_no_more_training_windows_than_requested() -> None:
    windows = WindowSampler.of(waves(), tiny_config(), 0, CPU).training("last", 160, generator())
    assert len(windows) == 160


def test_training_windows_of_a_large_panel_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.inputs.batches.MAX_TRAINING_WINDOWS", 50)
    monkeypatch.setattr("models.inputs.windows.VALUES_PER_CUT", 100)
    windows = WindowSampler.of(waves(), tiny_config(), 0, CPU).training("last", 1000, generator())
    assert [len(part) for part in (windows.inputs, windows.targets, windows.weights)] == [50] * 3


def test_windows_cut_in_parts_are_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = WindowSampler.of(waves(), tiny_config(), 0, CPU)
    whole = sampler.training("season", 1000, generator())
    monkeypatch.setattr("models.inputs.windows.VALUES_PER_CUT", 100)
    assert torch.equal(sampler.training("season", 1000, generator()).inputs, whole.inputs)


def test_batch_is_drawn_from_all_windows() -> None:
    windows = WindowSampler.of(waves(series=1), tiny_config(), 0, CPU).training("last", 1000, generator())
    (batch,) = windows.draw(1, 1000, generator())
    assert len(batch) == 1000
    assert len(torch.unique(batch.inputs, dim=0)) == len(windows) == 38


def test_batches_drawn_together_are_those_drawn_one_by_one() -> None:
    windows = WindowSampler.of(waves(), tiny_config(), 0, CPU).training("last", 1000, generator())
    together, one_by_one = generator(), generator()
    for batch in list(windows.draw(3, 33, together)):
        (single,) = windows.draw(1, 33, one_by_one)
        assert torch.equal(batch.inputs, single.inputs)
    assert torch.equal(together.get_state(), one_by_one.get_state())


def test_rows_of_a_batch_stay_together() -> None:
    windows = WindowSampler.of(waves(series=1), tiny_config(), 0, CPU).training("last", 1000, generator())
    (batch,) = windows.draw(1, 20, generator())
    rows = [int((windows.inputs == window).all(dim=(1, 2)).nonzero()[0]) for window in batch.inputs]
    assert torch.equal(batch.targets, windows.targets[rows])
    assert torch.equal(batch.weights, windows.weights[rows])


def test_validation_windows_are_sampled_from_a_large_panel() -> None:
    panel = Panel.of(list(np.arange(1.0, 13.0) + np.arange(MAX_VALIDATION_WINDOWS + 9.0)[:, None]))
    validation = WindowSampler.of(panel, tiny_config(), 4, CPU).validation("last", generator())
    assert len(validation) == MAX_VALIDATION_WINDOWS
    assert len(torch.unique(validation.inputs, dim=0)) == MAX_VALIDATION_WINDOWS
