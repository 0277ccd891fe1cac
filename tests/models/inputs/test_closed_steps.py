"""Steps that series never have a value at get no forecast."""

import numpy as np
import pytest

from models.inputs.closed_steps import open_steps
from models.panel import Floats, Panel

WEEK = 7


def weeks(count: int, *closed: int, share_missing: float = 0.0) -> Floats:
    """Return daily values that end on day 5 of a week, empty on the closed days."""
    days = np.arange(count * WEEK - 1)
    values = np.where(np.isin(days % WEEK, closed), np.nan, 10.0 + days)
    missing = np.random.default_rng(2).random(len(days)) < share_missing
    values[missing] = np.nan
    values[[0, -1]] = 1.0
    return values


def closed_days(values: Floats, *cycles: int) -> list[int]:
    """Return the closed steps of the next week, 0 being day 6."""
    is_open = open_steps(Panel.of([values]), cycles or (WEEK,), WEEK)
    return [] if is_open is None else np.flatnonzero(~is_open[0]).tolist()


def test_day_without_values_for_three_weeks_is_closed() -> None:
    assert closed_days(weeks(4, 6)) == [0]
    assert closed_days(weeks(4, 2, 6)) == [0, 3]


def test_two_weeks_do_not_suffice() -> None:
    assert closed_days(weeks(3, 6)) == []


def test_day_that_was_open_in_one_of_the_last_three_weeks_is_open() -> None:
    values = weeks(10, 6)
    values[-7] = 5.0
    assert closed_days(values) == []


def test_day_closed_of_late_is_closed() -> None:
    values = np.append(weeks(20), weeks(5, 6)[-28:])
    assert closed_days(values) == [0]


@pytest.mark.parametrize(("count", "closed"), [(4, []), (40, [0])])
def test_where_half_of_all_values_are_missing_it_takes_longer(count: int, closed: list[int]) -> None:
    assert closed_days(weeks(count, 6, share_missing=0.5)) == closed


@pytest.mark.parametrize("seed", range(20))
def test_gaps_at_random_close_nothing(seed: int) -> None:
    values = np.where(np.random.default_rng(seed).random(700) < 0.7, np.nan, 1.0)
    values[[0, -1]] = 1.0
    assert closed_days(values) == []


def test_nights_and_sundays_are_closed_together() -> None:
    hours = np.arange(24 * 7 * 4)
    shut = (hours % 24 < 8) | (hours // 24 % 7 == 6)
    values = np.where(shut, np.nan, 5.0)[: -24 - 3]  # ends on a Saturday at 20:00
    is_open = open_steps(Panel.of([values]), (24, 168), 60)
    assert is_open is not None
    ahead = np.arange(len(values), len(values) + 60)
    assert is_open[0].tolist() == ((ahead % 24 >= 8) & (ahead // 24 % 7 != 6)).tolist()


def test_series_are_judged_each_by_itself() -> None:
    is_open = open_steps(Panel.of([weeks(4), weeks(4, 6), [1.0, 2.0]]), (WEEK,), 3)
    assert is_open is not None
    assert is_open.tolist() == [[True] * 3, [False, True, True], [True] * 3]


def test_series_without_gaps_are_open() -> None:
    assert open_steps(Panel.of([weeks(9)]), (WEEK,), 30) is None
