import numpy as np
import pytest

from models.baselines import drift, naive, seasonal_naive
from models.errors import UnusableHistory
from models.windows import Panel

NAN = np.nan


def test_naive_repeats_the_last_known_value() -> None:
    panel = Panel.of([[1, 2, 3], [4, 5, NAN]])
    assert naive(panel, 2).tolist() == [[3, 3], [5, 5]]


def test_drift_continues_the_line_through_first_and_last() -> None:
    panel = Panel.of([[1, 9, 5], [4.0]])
    assert drift(panel, 2).tolist() == [[7, 9], [4, 4]]


def test_drift_looks_past_gaps_at_the_ends() -> None:
    assert drift(Panel.of([[NAN, 1, 3, NAN]]), 2).tolist() == [[7, 9]]


def test_seasonal_naive_repeats_the_last_season() -> None:
    panel = Panel.of([[1, 2, 3, 4, 5, 6, 7]])
    assert seasonal_naive(panel, 5, 3).tolist() == [[5, 6, 7, 5, 6]]


def test_seasonal_naive_takes_an_older_season_for_a_gap() -> None:
    panel = Panel.of([[8, 2, 3, 4, NAN, 6], [9, 9, 9]])
    assert seasonal_naive(panel, 3, 3).tolist() == [[4, 2, 6], [9, 9, 9]]


def test_place_never_seen_gets_the_last_value() -> None:
    assert seasonal_naive(Panel.of([[1, 2], [7, 8, 9]]), 3, 3).tolist() == [[2, 1, 2], [7, 8, 9]]


@pytest.mark.parametrize("baseline", [naive, drift, lambda p, h: seasonal_naive(p, h, 3)])
def test_series_without_a_value_is_named(baseline: object) -> None:
    with pytest.raises(UnusableHistory, match="Series 1"):
        baseline(Panel.of([[1.0], [NAN, NAN], [2.0]]), 2)  # type: ignore[operator]
