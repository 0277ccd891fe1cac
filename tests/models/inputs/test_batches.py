import numpy as np
import pytest
import torch

from models.inputs.batches import MOST_HELD_OUT, Source
from models.panel import Panel
from tests.models.samples import tiny_config, waves

CPU = torch.device("cpu")


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(4)


def test_pool_holds_every_training_window_once() -> None:
    """A window starts from 2 values and has a target: 38 of 40 values, 7 of 9, 3 of 5."""
    values = waves(series=2).values
    panel = Panel.of([values[:40], values[40:49], values[49:54]])
    pool = Source.of(panel, tiny_config(), 0, CPU).pool("last", 1000, generator())
    assert len(pool) == 38 + 7 + 3
    assert len(torch.unique(pool.inputs, dim=0)) == len(pool)


def test_pool_ends_before_what_is_held_out() -> None:
    """Of 40, 9 and 5 values the last 4 are held out: nothing is left of the last but one input."""
    values = waves(series=2).values
    panel = Panel.of([values[:40], values[40:49], values[49:54]])
    pool = Source.of(panel, tiny_config(), 4, CPU).pool("last", 1000, generator())
    assert len(pool) == 34 + 3


def test_pool_is_no_larger_than_is_asked_for() -> None:
    pool = Source.of(waves(), tiny_config(), 0, CPU).pool("last", 160, generator())
    assert len(pool) == 160


def test_pool_of_a_large_panel_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.inputs.batches.MOST_IN_POOL", 50)
    monkeypatch.setattr("models.inputs.batches.CUT_AT_ONCE", 7)
    pool = Source.of(waves(), tiny_config(), 0, CPU).pool("last", 1000, generator())
    assert [len(part) for part in (pool.inputs, pool.targets, pool.weights)] == [50] * 3


def test_windows_cut_in_parts_are_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source.of(waves(), tiny_config(), 0, CPU)
    whole = source.pool("season", 1000, generator())
    monkeypatch.setattr("models.inputs.batches.CUT_AT_ONCE", 7)
    assert torch.equal(source.pool("season", 1000, generator()).inputs, whole.inputs)


def test_batch_is_drawn_from_the_whole_pool() -> None:
    pool = Source.of(waves(series=1), tiny_config(), 0, CPU).pool("last", 1000, generator())
    batch = pool.draw(1000, generator())
    assert len(batch) == 1000
    assert len(torch.unique(batch.inputs, dim=0)) == len(pool) == 38


def test_rows_of_a_batch_stay_together() -> None:
    pool = Source.of(waves(series=1), tiny_config(), 0, CPU).pool("last", 1000, generator())
    batch = pool.draw(20, generator())
    rows = [int((pool.inputs == window).all(dim=(1, 2)).nonzero()[0]) for window in batch.inputs]
    assert torch.equal(batch.targets, pool.targets[rows])
    assert torch.equal(batch.weights, pool.weights[rows])


def test_held_out_windows_are_sampled_from_a_large_panel() -> None:
    panel = Panel.of(list(np.arange(1.0, 13.0) + np.arange(MOST_HELD_OUT + 9.0)[:, None]))
    held_out = Source.of(panel, tiny_config(), 4, CPU).held_out("last", generator())
    assert len(held_out) == MOST_HELD_OUT
    assert len(torch.unique(held_out.inputs, dim=0)) == MOST_HELD_OUT
