"""Rows of ad hoc series are read onto a model's time steps, or refused with what does not fit."""

from collections.abc import Sequence

import numpy as np
import pytest

from app.errors import BadInput
from app.intake.time.axis import TimeAxis
from app.schemas.datasets import ObservationIn
from app.services.forecasting.ad_hoc import read

MONTHS = TimeAxis("datetime", "MS")
DAYS = TimeAxis("datetime", "D")
BUSINESS = TimeAxis("datetime", "B")
HOURS = TimeAxis("datetime", "h", "UTC")
YEARS = TimeAxis("year", "YS")
INTEGERS = TimeAxis("integer", 1)


def rows(
    times: Sequence[str | int], values: Sequence[float | None] = (), name: str = "a"
) -> list[ObservationIn]:
    y = values or [float(i) for i in range(len(times))]
    return [ObservationIn(unique_id=name, ds=ds, y=value) for ds, value in zip(times, y, strict=True)]


def dates(first: str, steps: int, unit: str, every: int = 1) -> list[str]:
    """The first days of months, days, or hours, each `every` steps."""
    times = np.array(first, dtype=f"M8[{unit}]") + every * np.arange(steps)
    return [str(time) for time in times.astype("M8[h]" if unit == "h" else "M8[D]")]


def refusal(sent: Sequence[ObservationIn], axis: TimeAxis) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read(sent, "model_1", axis)
    return caught.value


def test_rows_in_any_order_become_series_by_name() -> None:
    sent = rows(dates("2024-01", 4, "M"), name="b")[::-1] + rows(dates("2023-01", 2, "M"))
    frame = read(sent, "model_1", MONTHS)
    assert frame.unique_ids == ("a", "b")
    np.testing.assert_array_equal(frame.y, [0, 1, 0, 1, 2, 3])


@pytest.mark.parametrize(
    ("axis", "times"),
    [
        (DAYS, dates("2024-01-01", 9, "D")),
        (BUSINESS, dates("2024-01-01", 4, "D")),  # Monday to Thursday: daily by themselves
        (TimeAxis("datetime", "BMS"), ["2024-04-01", "2024-05-01"]),
        (TimeAxis("datetime", "QS-JAN"), ["2024-01-01", "2024-04-01"]),
        (HOURS, ["2024-01-01T00:00:00+01:00", "2024-01-01T01:00:00+01:00"]),
        (YEARS, [2001, 2002]),
        (INTEGERS, [2001, 2002]),
        (INTEGERS, [20240101, 20240102]),
    ],
    ids=[
        "days",
        "business days",
        "business months",
        "quarters",
        "zones",
        "years",
        "like years",
        "like dates",
    ],
)
def test_times_that_take_the_models_steps_are_taken(axis: TimeAxis, times: list[str | int]) -> None:
    frame = read(rows(times), "model_1", axis)
    assert (frame.axis.kind, frame.axis.frequency) == (axis.kind, axis.frequency)
    assert not np.isnan(frame.y).any()


def test_times_at_another_offset_are_taken_at_that_of_the_model() -> None:
    times: list[str | int] = ["2024-01-01T01:00:00+01:00", "2024-01-01T02:00:00+01:00"]
    frame = read(rows(times), "model_1", TimeAxis("datetime", "h", "+05:30"))
    assert frame.axis.format(frame.ds)[0] == "2024-01-01T05:30:00+05:30"


@pytest.mark.parametrize(
    "values",
    [[1.0, None, 3.0, 4.0, None, 6.0], [1.0, None, 3.0, None, 5.0, None]],
    ids=["some", "every second"],
)
def test_null_marks_a_gap(values: list[float | None]) -> None:
    frame = read(rows(dates("2024-01", 6, "M"), values), "model_1", MONTHS)
    assert np.isnan(frame.y).sum() == 2


def test_month_left_out_is_a_gap() -> None:
    times = dates("2024-01", 12, "M")
    assert np.isnan(read(rows(times[:3] + times[4:]), "model_1", MONTHS).y).sum() == 1


@pytest.mark.parametrize(
    ("axis", "times", "wanted", "sent"),
    [
        (MONTHS, dates("2024-01", 6, "M", every=3), "'MS'", "'QS-OCT'"),
        (MONTHS, dates("2024-01-01", 40, "D"), "'MS'", "'D'"),
        (DAYS, dates("2024-01-01", 6, "D", every=7), "'D'", "'W-MON'"),
        (DAYS, [d for d in dates("2024-01-01", 14, "D") if np.is_busday(d)], "'D'", "'B'"),
        (BUSINESS, dates("2024-01-01", 14, "D"), "'B'", "'D'"),
        (HOURS, dates("2024-01-01", 6, "D"), "'h'", "'D'"),
        (YEARS, [2000, 2005, 2010], "'YS'", "'5YS'"),
        (INTEGERS, [1, 3, 5], "1", "2"),
        (MONTHS, ["2024-01-01", "2024-01-02", "2024-06-13"], "'MS'", "no regular step"),
    ],
)
def test_another_frequency_is_refused_with_both_named(
    axis: TimeAxis, times: list[str | int], wanted: str, sent: str
) -> None:
    error = refusal(rows(times), axis)
    assert f"forecasts steps of {wanted}" in error.detail
    assert sent in error.detail
    assert error.errors[0].pointer.startswith("#/observations")


def test_one_quarterly_series_among_monthly_ones_is_refused() -> None:
    sent = rows(dates("2024-01", 12, "M")) + rows(dates("2024-01", 4, "M", every=3), name="b")
    error = refusal(sent, MONTHS)
    assert "steps of 'QS-OCT'" in error.detail
    assert [part.pointer for part in error.errors] == ["#/observations/12"]


def test_single_time_off_the_steps_is_pointed_at() -> None:
    times = dates("2024-01", 12, "M")
    error = refusal(rows([*times[:5], "2024-06-02", *times[6:]]), MONTHS)
    assert [part.pointer for part in error.errors] == ["#/observations/5/ds"]


@pytest.mark.parametrize(
    ("axis", "times", "wanted", "sent"),
    [
        (YEARS, ["2001-01-01", "2002-01-01"], "years as whole numbers", "dates"),
        (YEARS, [1, 2, 3], "years as whole numbers", "plain integers"),
        (TimeAxis("datetime", "YS-JAN"), [2001, 2002], "dates", "years as whole numbers"),
        (MONTHS, [1, 2, 3], "dates", "plain integers"),
        (INTEGERS, dates("2024-01", 3, "M"), "plain integers", "dates"),
    ],
)
def test_another_kind_of_times_is_refused_with_both_named(
    axis: TimeAxis, times: list[str | int], wanted: str, sent: str
) -> None:
    error = refusal(rows(times), axis)
    assert f"forecasts {wanted}, and the times of these rows are {sent}" in error.detail


def test_too_short_a_series_is_refused_with_what_is_needed_and_found() -> None:
    times = dates("2024-01", 3, "M")
    error = refusal(rows(times) + rows(times, [None, 1.0, None], "b") + rows(times, [None] * 3, "c"), MONTHS)
    assert error.detail.startswith("Series 'b' has 1 value; a forecast needs 2")
    assert [part.pointer for part in error.errors] == ["#/observations/3", "#/observations/6"]


def test_more_series_than_a_request_may_send_are_refused() -> None:
    sent = [row for i in range(1001) for row in rows(["2024-01-01", "2024-02-01"], name=str(i))]
    error = refusal(sent, MONTHS)
    assert "1,000 series, and this one has 1,001" in error.detail
    assert [part.pointer for part in error.errors] == ["#/observations"]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_value_that_is_not_finite_is_pointed_at(value: float) -> None:
    error = refusal(rows(dates("2024-01", 3, "M"), [1.0, 2.0, value]), MONTHS)
    assert [part.pointer for part in error.errors] == ["#/observations/2/y"]


@pytest.mark.parametrize(("ds", "pointer"), [("", "#/observations/3"), ("soon", "#/observations/3/ds")])
def test_time_that_cannot_be_read_is_pointed_at(ds: str, pointer: str) -> None:
    error = refusal(rows([*dates("2024-01", 3, "M"), ds]), MONTHS)
    assert [part.pointer for part in error.errors] == [pointer]
