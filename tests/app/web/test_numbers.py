"""Numbers are as exact as their interval warrants, and times are written in their own step."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from app.web import numbers, times


@pytest.mark.parametrize(
    ("width", "precision"), [(23_903, 10_000), (10, 1), (199, 10), (0.5, 0.1), (0, 0), (math.inf, 0)]
)
def test_precision_is_a_power_of_ten_below_half_an_interval(width: float, precision: float) -> None:
    assert numbers.precision_of(width) == pytest.approx(precision)


@pytest.mark.parametrize(
    ("value", "precision", "language", "shown"),
    [
        (5576165.738790798, 10_000, "en", "5.58 million"),
        (5576165.738790798, 10_000, "de", "5,58 Millionen"),
        (5576165.738790798, 10_000, "zh", "558万"),
        (123_456.7, 0, "en", "123,500"),
        (12.3456, 0.01, "de", "12,35"),
        (0.000123, 0, "en", "0.000123"),
        (0.0, 0, "en", "0"),
        (-3.2e6, 100_000, "en", "-3.2 million"),
        (95_100, 1_000, "en", "95,000"),
        (None, 0, "en", "–"),  # noqa: RUF001  # the dash for no value
        (math.nan, 0, "en", "–"),  # noqa: RUF001  # likewise
    ],
)
def test_number_is_rounded_to_its_precision(
    value: float | None, precision: float, language: str, shown: str
) -> None:
    assert numbers.rounded(value, language, precision) == shown


@pytest.mark.parametrize(("value", "shown"), [(102.0, "102"), (1204.5, "1,204.5"), (1 / 3, "0.333333")])
def test_value_of_a_file_keeps_its_digits(value: float, shown: str) -> None:
    assert numbers.exact(value, "en") == shown


@pytest.mark.parametrize(("language", "shown"), [("en", "81.2%"), ("de", "81,2\xa0%"), ("zh", "81.2%")])
def test_share_is_a_percentage(language: str, shown: str) -> None:
    assert numbers.percent(0.8123, language, 1) == shown


@pytest.mark.parametrize(
    ("frequency", "unit"),
    [
        ("YS", "year"),
        ("YE-DEC", "year"),
        ("BQE", "quarter"),
        ("MS-15", "month"),
        ("W-SUN", "week"),
        ("B", "day"),
        ("2D", "day"),
        ("15min", "time"),
        ("h", "time"),
        (1, "number"),
    ],
)
def test_unit_is_that_of_the_step(frequency: str | int, unit: str) -> None:
    assert times.unit_of(frequency) == unit


@pytest.mark.parametrize(
    ("time", "unit", "language", "shown"),
    [
        ("2024-01-01", "year", "en", "2024"),
        (2024, "year", "de", "2024"),
        ("2024-04-01", "quarter", "en", "Q2 2024"),
        ("2024-04-01", "month", "zh", "2024年4月"),
        ("2024-04-01", "day", "de", "01.04.2024"),
        ("2024-04-01T13:00:00+02:00", "time", "de", "01.04.24, 13:00"),
        ("0.2", "time", "en", "0.2"),
        (None, "day", "en", "–"),  # noqa: RUF001  # the dash for no time
    ],
)
def test_time_is_written_in_its_own_step(
    time: str | int | None, unit: str, language: str, shown: str
) -> None:
    assert times.shown(time, unit, language) == shown


def test_position_is_the_clock_of_the_data() -> None:
    assert times.position("2024-04-01T13:00:00+02:00") == datetime(2024, 4, 1, 13, tzinfo=UTC).timestamp()
    assert times.position(1960) == 1960


def test_recent_moment_is_so_long_ago_and_an_old_one_a_date() -> None:
    now = datetime(2024, 5, 20, 12, tzinfo=UTC)
    assert times.since(now - timedelta(hours=2), now, "en") == "2 hours ago"
    assert times.since(now - timedelta(days=30), now, "en") == "Apr 20, 2024"
