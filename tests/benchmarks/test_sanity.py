"""The kinds of series that forecasts are held against, and the figures of known forecasts."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.sanity import ALL, Row, bound, first_figures, measure, passes, ratio
from benchmarks.sanity_forecasts import Forecast, pretrained
from benchmarks.sanity_series import Draw, iso_weeks
from benchmarks.sanity_simple import damped_trend, last_change, seasonal_naive

NAMES = pytest.mark.parametrize("name", ALL)
BY_CALENDAR = ("business days", "months behind an index", "53 weeks", "closed on Sundays", "closed at night")


def drawn(name: str) -> list[Draw]:
    return replace(ALL[name], draws=2).drawn()


def exactly(draw: Draw) -> list[Forecast]:
    return [Forecast(*[dict(zip(series.ahead, series.target.tolist(), strict=True))] * 2) for series in draw]


@NAMES
def test_draws_are_the_same_in_every_run(name: str) -> None:
    for one, other in zip(drawn(name), drawn(name), strict=True):
        for left, right in zip(one, other, strict=True):
            assert (left.times, left.ahead) == (right.times, right.ahead)
            np.testing.assert_array_equal(left.history, right.history)
            np.testing.assert_array_equal(left.simple, right.simple)


@NAMES
def test_draws_differ_from_each_other(name: str) -> None:
    first, second = (draw[0].history for draw in drawn(name))
    assert first.shape != second.shape or not np.array_equal(first, second)


@NAMES
def test_every_kind_has_a_simple_forecast_of_what_is_scored(name: str) -> None:
    kind = ALL[name]
    assert kind.simple
    for series in (series for draw in drawn(name) for series in draw):
        assert len(series.times) == len(series.history)
        assert 0 < len(series.ahead) == len(series.target) == len(series.simple) <= kind.horizon
        assert np.isfinite(series.simple).all()
        assert (series.upper is not None) or not kind.bounds


@NAMES
def test_perfect_forecast_has_a_figure_below_one(name: str) -> None:
    assert all(ratio(ALL[name], draw, exactly(draw)) < 1 for draw in drawn(name))


@pytest.mark.parametrize("name", BY_CALENDAR)
def test_service_reads_the_times_as_they_are_meant(name: str) -> None:
    kind = replace(ALL[name], draws=1)
    figure = measure(kind, pretrained).figure
    assert figure is not None
    assert figure > 0


def test_year_of_53_weeks_has_a_week_53() -> None:
    assert iso_weeks(np.array(["2020-12-28", "2021-01-04"], dtype="M8[D]")).tolist() == [53, 1]


def test_seasonal_naive_repeats_the_mean_of_the_last_seasons() -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0, 9.0, 9.0, 9.0])
    assert seasonal_naive(values, 2, 3).tolist() == [2.0, 3.0, 2.0]
    assert seasonal_naive(values, 2, 3, cycles=2).tolist() == [1.0, 2.0, 1.0]


def test_trends_begin_at_the_last_value() -> None:
    history = np.array([0.0, 1.0, 2.0, 3.0])
    assert last_change(history, 2).tolist() == [4.0, 5.0]
    assert damped_trend(history, 2) == pytest.approx([3.9, 4.71])


def test_control_may_be_two_percent_worse_than_its_first_figure(tmp_path: Path) -> None:
    results = tmp_path / "sanity.jsonl"
    lines = [
        {"preset": "quick", "rows": {"random walk": {"figure": 3.0}}},
        {"preset": "zero-shot", "rows": {"white noise": {"figure": None}}},
        {"preset": "zero-shot", "rows": {"random walk": {"figure": 1.0}, "white noise": {"figure": 1.5}}},
        {"preset": "zero-shot", "rows": {"random walk": {"figure": 2.0}}},
    ]
    results.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    before = first_figures(results, "zero-shot")
    assert before == {"random walk": 1.0, "white noise": 1.5}
    assert bound(ALL["random walk"], before) == pytest.approx(1.02)
    assert bound(ALL["random walk"], {}) is None
    assert bound(ALL["14 days"], before) == 1.2


@pytest.mark.parametrize(
    ("row", "limit", "passed"),
    [
        (Row("14 days", 20, 1.2), 1.2, True),
        (Row("14 days", 20, 1.21), 1.2, False),
        (Row("random walk", 60, 9.0), None, True),
        (Row("14 days", 20, None), 1.2, False),
        (Row("closed on Sundays", 20, 1.0, at_closed_times=1), 1.2, False),
    ],
)
def test_row_passes_within_its_bound(row: Row, limit: float | None, *, passed: bool) -> None:
    assert passes(row, limit) is passed
