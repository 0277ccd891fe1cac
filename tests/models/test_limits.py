"""Limits of forecasts: a range, and whole numbers."""

import numpy as np
import pytest

from models.choices import NO_LIMITS, Limits
from models.methods.forecast import Forecast


def forecast(median: list[float], lo: list[float], hi: list[float]) -> Forecast:
    return Forecast(np.array([median]), {80: np.array([lo])}, {80: np.array([hi])})


def numbers(found: Forecast) -> list[list[float]]:
    return [side[0].tolist() for side in (found.lo[80], found.median, found.hi[80])]


def test_median_and_bounds_stay_in_the_range() -> None:
    found = forecast([0.5, 1.2], [-0.1, 0.9], [0.8, 1.4]).within(Limits(0.0, 1.0))
    assert numbers(found) == [[0.0, 0.9], [0.5, 1.0], [0.8, 1.0]]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(lower=0.0), [0.0, 0.5, 0.8]),
        (Limits(upper=0.6), [-0.1, 0.5, 0.6]),
        (NO_LIMITS, [-0.1, 0.5, 0.8]),
    ],
)
def test_each_end_may_be_open(limits: Limits, expected: list[float]) -> None:
    found = forecast([0.5], [-0.1], [0.8]).within(limits)
    assert [side[0] for side in numbers(found)] == expected


def test_interval_of_whole_numbers_has_those_that_were_within_it() -> None:
    found = forecast([2.4, 2.6, -0.2], [1.9, 2.0, -1.7], [2.5, 4.1, 0.4]).within(Limits(integer=True))
    assert numbers(found) == [[2.0, 2.0, -1.0], [2.0, 3.0, 0.0], [2.0, 4.0, 0.0]]
    assert not np.signbit(found.median[0, 2])
    assert not np.signbit(found.hi[80][0, 2])


def test_interval_without_a_whole_number_has_the_nearest_to_its_median() -> None:
    found = forecast([2.7], [2.6], [2.9]).within(Limits(integer=True))
    assert numbers(found) == [[3.0], [3.0], [3.0]]


def test_whole_numbers_stay_inside_limits_that_are_not_whole() -> None:
    found = forecast([3.0], [0.2], [9.7]).within(Limits(0.5, 9.5, integer=True))
    assert numbers(found) == [[1.0], [3.0], [9.0]]


@pytest.mark.parametrize(
    ("lower", "upper", "integer"),
    [
        (1.0, 0.0, False),
        (1.0, 1.0, False),
        (0.2, 0.8, True),
        (float("nan"), None, False),
        (None, float("inf"), False),
    ],
)
def test_limits_with_nothing_between_them_are_refused(
    lower: float | None, upper: float | None, *, integer: bool
) -> None:
    with pytest.raises(ValueError, match=r"lower|upper"):
        Limits(lower, upper, integer)


def test_limits_go_before_others_one_by_one() -> None:
    assert Limits(upper=2.0).over(Limits(0.0, 1.0, integer=True)) == Limits(0.0, 2.0, integer=True)
