import numpy as np
import pytest

from models.errors import InvalidPanel
from models.panel import Panel


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
