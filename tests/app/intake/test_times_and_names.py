"""Tables whose times stand in several columns or in unusual words, and which column names the series."""

from collections.abc import Callable, Sequence

import pytest

from app.intake.reader import ReadOptions, preview_csv
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
