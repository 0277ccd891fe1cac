"""Absurd values are drawn in before networks and simple methods read a history."""

import numpy as np
import pytest

from models.inputs.outliers import tamed
from models.panel import Floats, Panel


def noise(seed: int = 3, steps: int = 60) -> Floats:
    return np.random.default_rng(seed).normal(50, 1, steps)


@pytest.mark.parametrize("absurd", [-50_000.0, 50_000.0, 500.0])
def test_lone_absurd_value_is_drawn_near_the_others(absurd: float) -> None:
    values = noise()
    values[25] = absurd
    found = tamed(Panel.of([values])).values
    assert np.abs(found - 50).max() < 60
    assert np.array_equal(np.delete(found, 25), np.delete(values, 25))


def test_panel_without_absurd_values_is_the_same() -> None:
    panel = Panel.of([noise(), noise(4).cumsum(), np.exp(0.2 * np.arange(60)), np.full(60, 7.0)])
    assert tamed(panel) is panel


def test_level_that_has_moved_is_kept() -> None:
    panel = Panel.of([np.append(noise(), [900.0, 905.0])])
    assert tamed(panel) is panel


def test_last_value_may_be_a_move_and_is_kept() -> None:
    panel = Panel.of([np.append(noise(), 900.0)])
    assert tamed(panel) is panel


def test_demand_after_many_zeros_is_kept() -> None:
    values = np.zeros(60)
    values[[11, 30, 31]] = [2.0, 1.0, 400.0]
    panel = Panel.of([values])
    assert tamed(panel) is panel


def test_gaps_stay_gaps_beside_an_absurd_value() -> None:
    values = noise()
    values[[10, 26]] = np.nan
    values[25] = 1e9
    found = tamed(Panel.of([values])).values
    assert np.flatnonzero(np.isnan(found)).tolist() == [10, 26]


def test_absurd_value_before_a_gap_is_drawn_in() -> None:
    values = noise()
    values[25], values[26] = 1e9, np.nan
    assert np.nanmax(tamed(Panel.of([values])).values) < 200
