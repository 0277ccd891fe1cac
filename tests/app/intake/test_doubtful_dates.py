"""Dates that could be read and are likely not meant so: which question they raise, and what settles it."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from app.errors import BadInput
from app.intake.preview import preview_csv
from app.intake.reader import ReadOptions
from tests.app.intake.uploads import made, times, upload

Lines = Sequence[str]
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = [date(2023, 1, 1) + timedelta(days=i) for i in range(90)]


def sales(stamps: Sequence[str], header: str = "Date,Sales") -> Lines:
    return [header, *(f"{stamp},{100 + i % 7}" for i, stamp in enumerate(stamps))]


def questions(lines: Lines, **said: str) -> list[tuple[str, str]]:
    found = preview_csv("\n".join(lines).encode(), ReadOptions(**said))  # type: ignore[arg-type]
    return [(question.parameter, question.question) for question in found.questions]


@pytest.mark.parametrize(
    "stamps",
    [
        [f"{day:02}-Jan" for day in range(1, 13)],
        [f"Jan {day:02}" for day in range(1, 32)],
        [f"{day}-Jan" for day in range(1, 31)],
        [f"{day:%d-%b}" for day in DAYS],
        [f"{day:%d-%b}" for day in DAYS[::7]],
    ],
    ids=["few", "month first", "one digit", "quarter", "weekly"],
)
def test_days_without_a_year_raise_a_question(stamps: Sequence[str]) -> None:
    ((parameter, question),) = questions(sales(stamps))
    assert parameter == "date_format"
    assert "There is no year in times such as" in question


@pytest.mark.parametrize("header", ["Date,Sales", "Tag,Sales"])
def test_days_of_one_digit_without_a_year_are_refused(header: str) -> None:
    with pytest.raises(BadInput, match="no year in times such as '1-Jan'"):
        upload(header, *(f"{day}-Jan,{100 + day}" for day in range(1, 9)))


@pytest.mark.parametrize(
    ("stamps", "last"),
    [
        ([f"{name}-{year:02}" for year in range(1, 13) for name in MONTHS], "2012-12-01"),
        ([f"{name}-{year:02}" for year in range(1, 25) for name in MONTHS[2::3]], "2024-12-01"),
        (["Dec-19", "Jan-20", "Feb-20", "Mar-20"], "2020-03-01"),
        ([f"Dec-{year}" for year in range(40, 62)], "1961-12-01"),
    ],
    ids=["months", "quarters", "few", "no days"],
)
def test_months_and_years_are_read_as_such(stamps: Sequence[str], last: str) -> None:
    assert times(upload(*sales(stamps)))[-1] == last


def test_the_same_months_of_each_of_several_series_are_read_as_such() -> None:
    stamps = [f"{name}-{year:02}" for year in (19, 20, 21) for name in MONTHS]
    intake = upload("sku,month,sales", *(f"{sku},{stamp},1{sku}" for sku in "12" for stamp in stamps))
    assert len(times(intake)) == 2 * 36


def test_a_number_said_to_be_the_year_is_read_so() -> None:
    lines = sales([f"Dec-{year}" for year in range(10, 24)])
    assert questions(lines)
    assert times(upload(*lines, date_format="%b-%y"))[0] == "2010-12-01"


def turned(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}" if day.day <= 12 else f"{day:%d/%m/%Y}"


def test_dates_half_of_which_a_spreadsheet_turned_raise_a_question() -> None:
    ((parameter, question),) = questions(sales([turned(day) for day in DAYS]))
    assert parameter == "date_format"
    assert "'1/2/2023'" in question


def test_dates_said_to_be_right_raise_no_question() -> None:
    assert not questions(sales([turned(day) for day in DAYS]), date_format="%d/%m/%Y", missing="gap")


def test_dates_in_any_order_of_rows_raise_no_question() -> None:
    stamps = [f"{day:%d/%m/%Y}" for day in DAYS]
    assert not questions(sales(stamps[::-1]))
    assert not questions(sales(stamps[50:] + stamps[:50]))


@pytest.mark.parametrize("date_format", ["%y%m%d", "%d%m%y", "%d%m%Y"])
def test_digits_that_are_regular_dates_in_another_format_raise_a_question(date_format: str) -> None:
    lines = sales([day.strftime(date_format) for day in DAYS])
    ((parameter, question),) = questions(lines)
    assert parameter == "date_format"
    assert f"date_format={date_format}" in question
    assert times(upload(*lines, date_format=date_format))[-1] == "2023-03-31"


def test_a_format_that_is_said_finds_the_column_of_times() -> None:
    lines = ["Monat;Absatz", *(f"{i % 12 + 1:02}/{19 + i // 12};{100 + i % 5}" for i in range(36))]
    assert times(upload(*lines, date_format="%m/%y"))[-1] == "2021-12-01"


def test_a_format_that_plain_numbers_fit_as_well_finds_the_column_of_years() -> None:
    intake = upload("Jahr;Absatz", *(f"{2000 + i};{1900 + i * 3}" for i in range(20)), date_format="%Y")
    assert intake.profile.detected.time_column == "Jahr"


def across() -> Lines:
    names = made("2021-02-01", 10, "D", "%d/%m/%Y")
    return ["sku," + ",".join(names), *(f"A{i},{','.join(str(i + k) for k in range(10))}" for i in range(4))]


def test_dates_in_the_header_that_can_be_read_in_two_ways_raise_a_question() -> None:
    assert [parameter for parameter, _ in questions(across())] == ["date_format"]


def test_dates_in_the_header_are_read_in_the_format_that_is_said() -> None:
    intake = upload(*across(), date_format="%d/%m/%Y")
    assert (len(intake.frame.unique_ids), times(intake)[9]) == (4, "2021-02-10")


def test_months_in_the_header_are_read_in_the_format_that_is_said() -> None:
    names = [f"{month:02}/19" for month in range(1, 13)]
    lines = ["sku," + ",".join(names), *(f"A{i},{','.join(str(i + k) for k in range(12))}" for i in range(4))]
    assert times(upload(*lines, date_format="%m/%y"))[11] == "2019-12-01"
