from dataclasses import replace

import numpy as np
import pytest

from benchmarks.competition import Part
from benchmarks.scores import Score, owa, point_forecast, pooled, score
from models.methods.forecast import Forecast
from models.panel import Panel

LOW = Score(
    series=1,
    points=10,
    smape=10.0,
    mase=1.0,
    interval_score=4.0,
    coverage={80: 0.7},
    seconds=1.0,
    peak_mb=100.0,
)
HIGH = replace(LOW, series=3, points=10, smape=20.0, mase=2.0, coverage={80: 0.9}, peak_mb=300.0)


def small_part() -> Part:
    history = Panel.of([[1.0, 2.0, 3.0], [4.0, 4.0, 6.0]])
    return Part("small", "yearly", horizon=2, season_length=1, history=history, target=np.full((2, 2), 5.0))


def test_smape_and_coverage_are_pooled_by_points() -> None:
    whole = pooled([LOW, HIGH])
    assert (whole.smape, whole.coverage[80]) == pytest.approx((15.0, 0.8))


def test_mase_is_pooled_by_series() -> None:
    assert pooled([LOW, HIGH]).mase == pytest.approx(1.75)


def test_memory_of_several_processes_is_that_of_the_largest() -> None:
    assert pooled([LOW, HIGH]).peak_mb == 300.0


def test_owa_averages_both_measures_relative_to_naive2() -> None:
    assert owa([LOW], [HIGH]) == pytest.approx((10 / 20 + 1 / 2) / 2)


def test_owa_weighs_parts_by_series() -> None:
    assert owa([LOW, HIGH], [HIGH, HIGH]) == pytest.approx(((10 + 3 * 20) / 80 + (1 + 3 * 2) / 8) / 2)


def test_bounds_that_hold_half_the_targets_cover_half() -> None:
    median = np.full((2, 2), 5.0)
    below, above = {80: median - 2}, {80: np.array([[6.0, 6.0], [4.0, 4.0]])}
    assert score(small_part(), Forecast(median, below, above), 0.0).coverage[80] == pytest.approx(0.5)


def test_interval_score_is_the_width_and_ten_times_what_is_missed_at_eighty() -> None:
    """The histories change by 1 a step; all targets are 5, and in the second series one above the bounds."""
    median = np.full((2, 2), 5.0)
    below, above = {80: median - 2}, {80: np.array([[6.0, 6.0], [4.0, 4.0]])}
    part = small_part()
    assert score(part, Forecast(median, below, above), 0.0).interval_score == pytest.approx((3 + 1 + 10) / 2)


def test_forecast_with_a_hole_is_refused() -> None:
    median = np.array([[5.0, 5.0], [5.0, np.nan]])
    with pytest.raises(ValueError, match=r"series 1 \(yearly\) is not finite"):
        score(small_part(), point_forecast(median), 0.0)
