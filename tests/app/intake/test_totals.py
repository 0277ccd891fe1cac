"""Receipts with a time of day as totals of days, hours, weeks and months, where that is said."""

from collections.abc import Sequence

import pandas as pd
import pytest

from app.errors import BadInput
from app.intake.additions.existing import ExistingDataset
from app.intake.frame import Intake
from app.intake.reader import ReadOptions, read_more_csv
from tests.app.intake.uploads import times, upload

Lines = Sequence[str]


def receipts(days: int = 100, first: str = "2023-01-02") -> Lines:
    """Three sales of 1, 2 and 4 a day, the last one first as exports have them."""
    start = pd.Timestamp(first)
    rows = [
        f"{day:%Y-%m-%d} {clock} +0100,{amount}"
        for day in (start + pd.Timedelta(days=i) for i in range(days))
        for clock, amount in (("09:00:05", 1), ("17:40:30", 2), ("23:59:59", 4))
    ]
    return ["Created at,Total", *rows[::-1]]


def totals(lines: Lines, frequency: str, duplicates: str = "sum") -> Intake:
    said = {"time_column": "Created at", "target_column": "Total"}
    return upload(*lines, **said, frequency=frequency, duplicates=duplicates)


@pytest.mark.parametrize(
    ("frequency", "first", "second", "total"),
    [
        ("D", "2023-01-02", "2023-01-03", 7),
        ("W", "2023-01-08", "2023-01-15", 49),
        ("W-SAT", "2023-01-07", "2023-01-14", 42),
        ("MS", "2023-01-01", "2023-02-01", 210),
        ("ME", "2023-01-31", "2023-02-28", 210),
        ("2D", "2023-01-02", "2023-01-04", 14),
    ],
)
def test_times_count_for_the_step_they_lie_in(frequency: str, first: str, second: str, total: int) -> None:
    intake = totals(receipts(), frequency)
    assert [str(time)[:10] for time in times(intake)[:2]] == [first, second]
    assert intake.frame.y[0] == total
    assert "they lie in" in " ".join(intake.profile.detected.notes)


def test_hours_without_a_sale_are_gaps_between_totals() -> None:
    intake = totals(receipts(3), "h")
    assert (str(times(intake)[0])[:19], intake.frame.y[0]) == ("2023-01-02T09:00:00", 1)


@pytest.mark.parametrize(("frequency", "first"), [("QS", "2023-01-01"), ("QE", "2023-03-31")])
def test_quarters_are_named_by_the_end_that_is_said(frequency: str, first: str) -> None:
    assert str(times(totals(receipts(400), frequency))[0])[:10] == first


@pytest.mark.parametrize(("duplicates", "value"), [("last", 4), ("mean", 7 / 3)])
def test_the_last_in_time_counts_whatever_the_order_of_rows(duplicates: str, value: float) -> None:
    assert totals(receipts(), "D", duplicates).frame.y.tolist() == [value] * 100


def test_repairs_say_that_rows_share_a_step_and_not_a_time() -> None:
    details = [repair.detail for repair in totals(receipts(), "D").profile.repairs]
    assert details[0] == "2023-01-02 09:00:05 +0100 is in the step of row 299, and their sum counts"


def test_times_between_steps_are_refused_where_repeats_are_not_said() -> None:
    with pytest.raises(BadInput, match="do not fit the frequency 'D'"):
        upload(*receipts(), time_column="Created at", target_column="Total", frequency="D")


def test_times_that_fit_the_step_stay_as_they_are() -> None:
    lines = ["Created at,Total", *(f"2023-01-{day:02} 10:00,5" for day in range(1, 29))]
    assert times(totals(lines, "D"))[0] == "2023-01-01T10:00:00"


def test_receipts_that_are_appended_count_for_their_day_as_well() -> None:
    intake = totals(receipts(), "D")
    profile = intake.profile
    existing = ExistingDataset(intake.frame.axis, profile.end, profile.detected, "Total")
    more = receipts(2, "2023-04-12")
    points = read_more_csv("\n".join(more).encode(), ReadOptions(), existing).points
    assert points.y.tolist() == [7, 7]
