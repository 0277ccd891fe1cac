import numpy as np
import pytest

from models.metrics import (
    MAX_ERROR,
    coverage,
    interval_scores,
    mase,
    mean_by,
    pinball,
    scaled_errors,
    seasonal_naive_error,
    seasonal_naive_root_error,
    smape,
)
from models.panel import Panel

TARGET = np.array([[100.0, 50.0, np.nan]])


def test_smape_is_a_percentage_of_the_mean_size() -> None:
    assert smape(TARGET, np.array([[110.0, 50.0, 1.0]])) == pytest.approx(100 * 10 / 105 / 2)


def test_two_zeros_are_a_perfect_forecast() -> None:
    assert smape(np.zeros((1, 2)), np.zeros((1, 2))) == 0.0


def test_smape_of_values_near_the_end_of_float64_is_a_number() -> None:
    assert smape(np.array([[1.7e308]]), np.array([[1.7e308 / 3]])) == pytest.approx(100.0)


def test_smape_without_targets_is_nan() -> None:
    assert np.isnan(smape(np.full((1, 2), np.nan), np.zeros((1, 2))))


def test_mase_divides_by_the_series_own_scale() -> None:
    target, forecast = np.array([[3.0, np.nan], [10.0, 10.0]]), np.array([[1.0, 9.0], [10.0, 30.0]])
    assert mase(target, forecast, np.array([1.0, 10.0])) == pytest.approx((2 + 0 + 2) / 3)


def test_series_without_scale_does_not_count() -> None:
    target, forecast = np.array([[3.0], [10.0]]), np.array([[1.0], [20.0]])
    assert mase(target, forecast, np.array([0.0, 10.0])) == 1.0


def test_seasonal_naive_error_stays_within_each_series() -> None:
    panel = Panel.of([[1, 5, 2, 7], [100, 200], [1, np.nan, 4, 4]])
    np.testing.assert_array_equal(seasonal_naive_error(panel, 2), [1.5, np.nan, 3.0])


def test_root_error_is_of_the_squares_within_each_series() -> None:
    panel = Panel.of([[1, 5, 2, 7], [100, 200], [3, 3, 3]])
    np.testing.assert_allclose(seasonal_naive_root_error(panel, 2), [np.sqrt(2.5), np.nan, 0.0])


def test_root_error_of_huge_values_is_finite() -> None:
    assert seasonal_naive_root_error(Panel.of([[1e300, -1e300, 1e300]]), 1) == pytest.approx(2e300)


def test_scaled_error_beyond_float64_stops_at_the_most() -> None:
    errors = scaled_errors(np.array([[1.7e308, -1.7e308]]), np.array([[-1.7e308, 1.0]]), np.array([1e-3]))
    assert errors.tolist() == [[MAX_ERROR, -MAX_ERROR]]


def test_mean_by_group_counts_each_known_step_once() -> None:
    values = np.array([[1.0, 3.0], [np.nan, 8.0], [np.nan, np.nan], [2.0, np.nan]])
    np.testing.assert_array_equal(mean_by(np.array([4, 9, 7, 4]), values), [2.0, np.nan, 8.0])


def test_pinball_charges_misses_by_side() -> None:
    assert pinball(np.array([[2.0]]), np.array([[0.0]]), 0.9) == pytest.approx(1.8)
    assert pinball(np.array([[0.0]]), np.array([[2.0]]), 0.9) == pytest.approx(0.2)


def test_interval_score_is_the_width_and_what_a_miss_costs() -> None:
    """Of bounds at 0 and 4 with 80 %: a miss costs ten times the distance."""
    target = np.array([[1.0, -2.0, 4.5, np.nan]])
    scores = interval_scores(target - 0.0, target - 4.0, 80)
    np.testing.assert_allclose(scores, [[4.0, 4.0 + 20.0, 4.0 + 5.0, np.nan]])


def test_coverage_counts_known_targets_inside_their_bounds() -> None:
    lo, hi = np.array([[100.0, 0.0, 0.0]]), np.array([[120.0, 49.0, 1.0]])
    assert coverage(TARGET, lo, hi) == 0.5
