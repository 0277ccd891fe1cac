"""Repairs, and their descriptions."""

import numpy as np
import pandas as pd

from app.schemas.datasets import Repair
from tests.app.intake.uploads import times, upload


def test_gap_is_reported_once_for_a_run() -> None:
    intake = upload("ds,y", "2021-01-31,1", "2021-02-04,2", "2021-02-05,3", "2021-02-06,4")
    np.testing.assert_array_equal(intake.frame.y, [1, np.nan, np.nan, np.nan, 2, 3, 4])
    detail = "3 steps from 2021-02-01 are missing; kept as a gap"
    assert intake.profile.repairs == [Repair(kind="gap", unique_id="y", row=None, detail=detail)]


def test_empty_value_is_a_gap() -> None:
    intake = upload("ds,y", "1,1", "2,", "3,3")
    assert [repair.detail for repair in intake.profile.repairs] == ["1 step at 2 is missing; kept as a gap"]


def test_last_of_two_rows_counts() -> None:
    intake = upload("unique_id,ds,y", "a,1,1", "a,2,2", "a,1,9", "a,3,3", duplicates="last")
    assert intake.frame.y.tolist() == [9, 2, 3]
    detail = "1 stands again in row 4, and the last one counts"
    assert intake.profile.repairs == [Repair(kind="duplicate", unique_id="a", row=2, detail=detail)]


def test_last_row_counts_in_a_long_shuffled_file() -> None:
    steps = np.random.default_rng(0).permutation(np.arange(400)).tolist()
    rows = [*(f"{step},0" for step in steps[:-1]), *(f"{step},1" for step in reversed(steps))]
    assert upload("ds,y", *rows, duplicates="last").frame.y.tolist() == [1] * 400


def test_same_time_in_two_writings_is_a_duplicate() -> None:
    lines = ["ds,y", "2024-01-01,1", "2024-01-01T00:00,2", "2024-01-02,3", "2024-01-03,4"]
    assert upload(*lines, duplicates="last").frame.y.tolist() == [2, 3, 4]


def test_row_without_time_or_name_is_left_out() -> None:
    intake = upload("unique_id,ds,y", "a,1,1", ",2,2", "a,,3", "a,2,4")
    assert intake.frame.y.tolist() == [1, 4]
    repairs = [(repair.kind, repair.row, repair.unique_id) for repair in intake.profile.repairs]
    assert repairs == [("refused", 3, None), ("refused", 4, "a")]


def test_empty_values_at_both_ends_are_trimmed() -> None:
    intake = upload("unique_id,ds,y", "a,1,", "a,2,2", "a,3,3", "a,4,", "b,1,1", "b,2,2")
    assert times(intake) == [2, 3, 1, 2]
    assert intake.profile.repairs_total == 0


def test_rows_in_any_order_make_the_same_series() -> None:
    rows = [f"{name},{step},{step}.5" for name in "abc" for step in range(20)]
    shuffled = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    one, other = upload("unique_id,ds,y", *rows).frame, upload("unique_id,ds,y", *shuffled).frame
    assert one.y.tolist() == other.y.tolist()
    assert one.ds.tolist() == other.ds.tolist()


def test_thousand_repairs_are_listed_and_all_counted() -> None:
    intake = upload("ds,y", *(f"{step},1" for step in range(3000) if step % 2 or step > 2400))
    assert len(intake.profile.repairs) == 1000
    assert intake.profile.repairs_total == 1200


def test_month_end_grid_follows_the_calendar() -> None:
    intake = upload("ds,y", "2023-11-30,1", "2023-12-31,2", "2024-02-29,4", "2024-03-31,5")
    assert times(intake) == ["2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31"]
    np.testing.assert_array_equal(intake.frame.y, [1, 2, np.nan, 4, 5])


def open_days(*shut: str) -> list[str]:
    days = pd.date_range("2024-01-01", periods=84, freq="D")
    return [f"{day.date()},1" for day in days if day.day_name() != "Sunday" and str(day.date()) not in shut]


def test_days_on_which_a_shop_is_closed_are_no_gaps() -> None:
    profile = upload("ds,y", *open_days("2024-02-06")).profile
    assert [repair.detail for repair in profile.repairs] == ["1 step at 2024-02-06 is missing; kept as a gap"]
    assert "11 steps without a row are no gaps" in profile.detected.notes[0]


def test_nights_and_weekends_of_an_exchange_are_no_gaps() -> None:
    hours = pd.date_range("2024-01-01", periods=6 * 168, freq="h")
    rows = [f"{hour},1" for hour in hours if hour.dayofweek < 5 and 9 <= hour.hour < 18]
    assert upload("ds,y", *rows).profile.repairs_total == 0


def test_days_that_are_missing_by_chance_are_gaps() -> None:
    rows = [row for number, row in enumerate(open_days()) if number * number % 13 > 4]
    assert upload("ds,y", *rows).profile.repairs_total > 10
