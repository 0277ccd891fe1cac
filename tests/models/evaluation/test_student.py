import numpy as np
import pytest

from models.evaluation.student import cautious, critical, two_sided
from models.panel import Floats


@pytest.mark.parametrize(
    ("freedom", "value"), [(1, 12.706), (2, 4.303), (5, 2.571), (10, 2.228), (30, 2.042), (1e6, 1.960)]
)
def test_critical_values_are_those_of_the_tables(freedom: float, value: float) -> None:
    assert critical(0.05, freedom) == pytest.approx(value, abs=1e-3)
    assert two_sided(value, freedom) == pytest.approx(0.05, abs=1e-4)


def test_degrees_of_freedom_need_not_be_whole() -> None:
    assert two_sided(2.0, 5) > two_sided(2.0, 5.5) > two_sided(2.0, 6)


@pytest.mark.parametrize(("t", "chance"), [(0.0, 1.0), (float("inf"), 0.0), (float("nan"), 1.0)])
def test_ends_are_exact(t: float, chance: float) -> None:
    assert two_sided(t, 4) == chance


def test_sides_count_alike() -> None:
    assert two_sided(-1.5, 7) == two_sided(1.5, 7)


LONG_TAIL = np.append(np.full(39, -1.0), 39.0)


def test_mean_that_may_have_missed_a_long_tail_counts_for_less() -> None:
    assert -2.5 < cautious(-2.5, LONG_TAIL, 40) <= 0
    assert cautious(2.5, -LONG_TAIL, 40) == -cautious(-2.5, LONG_TAIL, 40)


def test_mean_on_the_side_of_its_long_tail_counts_as_it_is() -> None:
    assert cautious(2.5, LONG_TAIL, 40) == 2.5


def test_skewness_of_chance_counts_for_nothing() -> None:
    residuals = np.linspace(-1, 1.2, 40) - 0.1
    assert cautious(-2.5, residuals, 40) == -2.5


def test_clear_gap_stays_clear_however_skewed() -> None:
    assert cautious(-60.0, LONG_TAIL, 40) < -20


@pytest.mark.parametrize("residuals", [np.zeros(8), np.array([-1.0, 1.0])])
def test_residuals_that_tell_no_skewness_leave_t_as_it_is(residuals: Floats) -> None:
    assert cautious(-2.0, residuals, len(residuals)) == -2.0
