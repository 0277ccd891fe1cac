"""Tables whose times stand in several columns or in unusual words, and which column names the series."""

from collections.abc import Callable, Sequence

import pytest

from app.intake.preview import preview_csv
from app.intake.reader import ReadOptions
from app.schemas.datasets import PreviewOut
from tests.app.intake.uploads import made, times, upload

Lines = Sequence[str]
HOURS = [(day, hour) for day in made("2023-01-01", 14, "D") for hour in range(24)]


def preview(lines: Lines, **said: str) -> PreviewOut:
    return preview_csv("\n".join(lines).encode(), ReadOptions(**said))  # type: ignore[arg-type]


def meter(status: Callable[[int], str]) -> Lines:
    return [
        "Date;Time;kWh;Status",
        *(f"{day};{hour:02}:00;{hour};{status(hour)}" for day, hour in HOURS),
    ]


@pytest.mark.parametrize(
    "status",
    [
        lambda hour: "estimated" if hour in {3, 4} else "measured",
        lambda hour: "HT" if 6 <= hour < 22 else "NT",
        lambda _: "VALID",
    ],
    ids=["status", "tariff", "constant"],
)
def test_a_text_beside_a_date_and_a_time_of_day_splits_no_series(status: Callable[[int], str]) -> None:
    intake = upload(*meter(status))
    assert intake.frame.unique_ids == ("kWh",)
    assert len(times(intake)) == len(HOURS)


def test_an_hour_that_clocks_repeat_makes_no_text_a_name() -> None:
    lines = list(meter(lambda hour: "estimated" if hour in {3, 4} else "measured"))
    found = preview([*lines[:3], lines[2], *lines[3:]])
    assert found.detected.id_column is None
    assert [question.parameter for question in found.questions] == ["duplicates"]


def test_a_name_found_by_its_texts_is_noted() -> None:
    lines = ["Date,Branch office,Sales"]
    lines += [f"{day},{office},{i}" for i, day in enumerate(made("2023-01-01", 20, "D")) for office in "AB"]
    intake = upload(*lines)
    assert intake.frame.unique_ids == ("A", "B")
    assert "'Branch office' is taken for the name" in " ".join(intake.profile.detected.notes)


def test_a_column_that_is_the_same_in_the_rows_that_count_is_not_said_to_be_so_in_all() -> None:
    days = enumerate(made("2023-01-01", 20, "D"))
    lines = ["date,store,sales,state", *(f"{day},A,{i},open" for i, day in days), "2023-01-21,,7,closed"]
    notes = " ".join(upload(*lines, id_column="store", target_column="sales").profile.detected.notes)
    assert "'state' (is the same in every row that counts)" in notes


@pytest.mark.parametrize(
    "hour_in_words",
    [
        lambda hour: f"{hour:02} - {hour + 1:02}",
        lambda hour: f"{hour:02}\u00a0-\u00a0{hour + 1:02}",
        lambda hour: f"{hour:02}:00 - {(hour + 1) % 24:02}:00",
        lambda hour: f"{hour:02}:00\u2013{hour + 1:02}:00",
        lambda hour: f"H{hour:02}",
        lambda hour: f"{hour % 12 or 12} {'AM' if hour < 12 else 'PM'}",
    ],
    ids=["bare", "unbroken", "clock", "dash", "letter", "halves"],
)
def test_hours_in_words_beside_a_date_make_one_hourly_series(hour_in_words: Callable[[int], str]) -> None:
    intake = upload("Date;Hour;Price", *(f"{day};{hour_in_words(hour)};{hour}.5" for day, hour in HOURS))
    assert intake.frame.unique_ids == ("Price",)
    assert (times(intake)[0], times(intake)[-1]) == ("2023-01-01T00:00:00", "2023-01-14T23:00:00")


def test_the_beginning_of_a_range_of_hours_is_noted() -> None:
    lines = ["Date;Hour;Price", *(f"{day};{hour:02} - {hour + 1:02};{hour}.5" for day, hour in HOURS)]
    assert "Hours such as '00 - 01' count for their beginning." in preview(lines).detected.notes


def test_letters_and_numbers_in_a_column_not_named_after_hours_name_series() -> None:
    lines = ["Date;Household;kWh", *(f"{day};H{hour + 1:02};{hour}.5" for day, hour in HOURS)]
    assert preview(lines).detected.id_column == "Household"


def test_ranges_of_other_numbers_are_no_hours() -> None:
    days = made("2023-01-01", 14, "D")
    lines = ["date;age;visits", *(f"{day};{age} - {age + 9};5" for day in days for age in (0, 10))]
    assert preview(lines).detected.id_column == "age"


def test_a_date_with_a_range_of_hours_behind_it_counts_for_the_beginning() -> None:
    lines = [
        "Datum;Preis",
        *(f"{day} {hour:02}:00 - {(hour + 1) % 24:02}:00;{hour}.5" for day, hour in HOURS),
    ]
    intake = upload(*lines)
    assert intake.frame.axis.frequency == "h"
    assert times(intake)[-1] == "2023-01-14T23:00:00"


@pytest.mark.parametrize("said", [{}, {"time_column": "YEAR,DOY"}], ids=["found", "said"])
def test_a_year_and_a_day_of_the_year_are_joined(said: dict[str, str]) -> None:
    intake = upload("YEAR,DOY,T2M", *(f"2024,{day},{day % 9}.5" for day in range(1, 367)), **said)
    assert (times(intake)[59], times(intake)[-1]) == ("2024-02-29", "2024-12-31")


def test_a_day_that_its_year_does_not_have_is_refused_by_row() -> None:
    found = preview(["YEAR,DOY,T2M", *(f"2023,{day},{day % 9}.5" for day in range(1, 367))])
    assert [problem.pointers for problem in found.problems] == [["#row=367"]]


@pytest.mark.parametrize("header", ["YEAR,MO,DY,HR", "yr,mo,dy,hr"])
def test_short_names_of_parts_of_times_are_joined(header: str) -> None:
    lines = (f"2023,1,{int(day[-2:])},{hour},{hour}.5" for day, hour in HOURS)
    intake = upload(f"{header},T2M", *lines)
    assert times(intake)[-1] == "2023-01-14T23:00:00"


@pytest.mark.parametrize(("header", "weeks"), [("KW", 52), ("Zeit", 52), ("Woche", 10), ("KW", 20)])
def test_weeks_with_their_year_behind_are_weeks(header: str, weeks: int) -> None:
    lines = [f"{header};Absatz", *(f"{week:02}/2022;{week % 7}" for week in range(1, weeks + 1))]
    intake = upload(*lines)
    assert (intake.frame.axis.frequency, times(intake)[0]) == ("W-MON", "2022-01-03")


def test_a_thirteenth_month_makes_no_weeks_of_months() -> None:
    stamps = [f"{i % 12 + 1:02}/{2020 + i // 12}" for i in range(24)]
    lines = ["Zeit;Absatz", *(f"{stamp};5" for stamp in [*stamps, "13/2021"])]
    assert [problem.pointers for problem in preview(lines).problems] == [["#row=26"]]
