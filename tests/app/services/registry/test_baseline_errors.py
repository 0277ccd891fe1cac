import pytest

from app.services.registry.baseline_errors import smape_by_method


def test_errors_are_of_the_last_steps_that_the_forecasts_are_of() -> None:
    """Naive and drift forecast 3, 3 and 4, 5 from 1, 2, 3; the truth is 4, 5."""
    errors = smape_by_method([[1, 2, 3, 4, 5]], [[4, 4]])
    assert errors["forecasts"] == pytest.approx(100 * (0 + 1 / 4.5) / 2)
    assert errors["naive"] == pytest.approx(100 * (1 / 3.5 + 2 / 4) / 2)
    assert errors["drift"] == pytest.approx(0)


def test_errors_are_averaged_over_the_series() -> None:
    errors = smape_by_method([[1, 1, 1], [1, 1, 3]], [[1], [1]])
    assert errors["naive"] == errors["forecasts"] == pytest.approx((0 + 100) / 2)
