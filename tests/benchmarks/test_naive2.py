import numpy as np
import pytest

from benchmarks.naive2 import naive2

INDICES = np.array([0.5, 1.0, 1.5, 1.0])


def test_season_is_put_back_on_the_last_level() -> None:
    history = np.tile(INDICES, 5)[:-1] * 200
    assert naive2(history, 5, 4) == pytest.approx([200, 100, 200, 300, 200])


def test_odd_season_is_put_back_too() -> None:
    history = np.tile([80.0, 100.0, 120.0], 6)
    assert naive2(history, 3, 3) == pytest.approx([80, 100, 120])


def test_under_three_seasons_the_last_value_is_repeated() -> None:
    spike = np.array([1.0] * 11 + [9.0])
    assert naive2(np.tile(spike, 4)[:-1], 1, 12) == pytest.approx([9])
    assert naive2(np.tile(spike, 3)[:-1], 1, 12) == pytest.approx([1])


def test_without_a_season_the_last_value_is_repeated() -> None:
    history = np.random.default_rng(0).normal(100, 1, 60)
    assert (naive2(history, 3, 12) == history[-1]).all()


def test_constant_series_stays_constant() -> None:
    assert naive2(np.full(24, 7.0), 2, 4) == pytest.approx([7, 7])
