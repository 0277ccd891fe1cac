"""Headers of times that are not plain: parts of days and weeks, marks, misspellings, fiscal years, totals."""

import calendar

import pytest

from app.errors import BadInput
from app.intake.frame import Intake
from app.intake.problems import Unsettled
from tests.app.intake.uploads import made, times, upload

MONTHS = "Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec"
FISCAL = "Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec,Jan,Feb,Mar"
DAYS = made("2023-01-02", 5, "D")


def row(first: int, count: int) -> str:
    return ",".join(str(first + i) for i in range(count))


def notes(intake: Intake) -> str:
    return " ".join(intake.profile.detected.notes)


def by_day(names: list[str]) -> Intake:
    count = len(names)
    lines = [f"{day},{row(1 + i * count, count)}" for i, day in enumerate(DAYS)]
    return upload(f"Date,{','.join(names)}", *lines)


@pytest.mark.parametrize(
    ("names", "frequency"),
    [
        (made("2023-01-01", 48, "30min", "%H:%M"), "30min"),
        (made("2023-01-01", 96, "15min", "%H:%M"), "15min"),
        (made("2023-01-01", 48, "30min", "%H%M"), "30min"),
        ([f"{hour:02}-{hour + 1:02}" for hour in range(24)], "h"),
        ([str(period) for period in range(1, 49)], "30min"),
        ([f"Period {period}" for period in range(1, 97)], "15min"),
    ],
    ids=["half-hours", "quarters", "digits", "ranges", "periods of half an hour", "periods of a quarter"],
)
def test_columns_of_parts_of_a_day_all_count(names: list[str], frequency: str) -> None:
    found = by_day(names)
    assert (found.profile.frequency, found.profile.gaps) == (frequency, 0)
    assert found.frame.y.tolist() == list(range(1, 5 * len(names) + 1))


def test_four_columns_of_half_hours_are_times_of_one_series() -> None:
    found = by_day(["00:00", "00:30", "01:00", "01:30"])
    assert (found.profile.series, found.profile.frequency, found.profile.observations) == (1, "30min", 20)


@pytest.mark.parametrize("last", ["2021(p)", "2021*", "2021p", "2021 (prov.)", "2021¹", "2021[a]"])
def test_a_year_with_a_mark_behind_it_is_that_year_and_noted(last: str) -> None:
    found = upload(f"Item,2018,2019,2020,{last}", "Sales,1,2,3,4", "Costs,2,3,4,5")
    assert found.profile.end == 2021
    assert f"'{last}' count as times without the mark" in notes(found)


@pytest.mark.parametrize(
    "header",
    [
        "2018,2019,2020,2021 YTD",
        "2019,2020,2021,2022E",
        "2019A,2020A,2021A,2022F",
        "Jan 2022,Feb 2022,Mrch 2022,Apr 2022",
        "01/2022,02/2022,03/2022,April 2022",
        "2017 (9 months),2018,2019,2020",
    ],
)
def test_a_column_that_only_begins_like_a_time_raises_a_question_and_may_be_passed_over(header: str) -> None:
    lines = (f"Item,{header}", "Sales,1,2,3,4", "Costs,2,3,4,5")
    with pytest.raises(Unsettled, match="begin like times") as unsettled:
        upload(*lines)
    (question,) = unsettled.value.questions
    assert question.option == "unused_columns"
    assert upload(*lines, unused_columns=question.candidates[0]).profile.series == 2


@pytest.mark.parametrize("last", ["Growth 2020", "Total 2020", "2020 Total", "% change", "Comment"])
def test_a_column_behind_those_of_times_that_is_plainly_none_raises_no_question(last: str) -> None:
    found = upload(f"Item,2018,2019,2020,{last}", "Sales,1,2,3,4", "Costs,2,3,4,5")
    assert found.profile.observations == 6


@pytest.mark.parametrize(("name", "other"), [("Oct", "Okt"), ("Mar", "Mar*"), ("Dec", "Dec (p)")])
def test_a_month_of_another_language_or_with_a_mark_is_that_month_and_noted(name: str, other: str) -> None:
    header = MONTHS.replace(name, other)
    found = upload(f"Year,{header}", f"2020,{row(1, 12)}", f"2021,{row(13, 12)}")
    assert found.frame.y.tolist() == list(range(1, 25))
    assert repr(other) in notes(found)


def test_a_misspelled_month_among_months_raises_a_question() -> None:
    header = MONTHS.replace("Mar", "Mrach")
    with pytest.raises(Unsettled, match="'Mrach' begin like times"):
        upload(f"Year,{header}", f"2020,{row(1, 12)}", f"2021,{row(13, 12)}")


@pytest.mark.parametrize("below", [["Total", "Average"], ["Min", "Max"], ["Total", "Average", "YTD"]])
def test_rows_that_sum_up_months_are_left_out_and_the_months_are_times(below: list[str]) -> None:
    months = [f"{month},{i},{i + 12}" for i, month in enumerate(MONTHS.split(","), start=1)]
    found = upload("Month,2019,2020,2021", *(f"{each},0" for each in months), *(f"{x},9,9,9" for x in below))
    assert (found.profile.series, found.profile.frequency, found.profile.observations) == (1, "MS", 36)
    assert found.profile.repairs_total == 3 * len(below)
    assert f"the row is '{below[0]}' and not a time" in notes(found)


@pytest.mark.parametrize(
    ("header", "years"),
    [
        (f"FY,{FISCAL}", ["2019-20", "2020-21"]),
        (f"Year,{FISCAL}", ["2019", "2020"]),
        ("年度," + ",".join(f"{m}月" for m in (*range(4, 13), 1, 2, 3)), ["2019", "2020"]),
        ("年度," + ",".join(f"{m}月" for m in (*range(4, 13), 1, 2, 3)), ["2019年度", "2020年度"]),
    ],
    ids=["double", "plain", "japanese", "signed"],
)
def test_months_from_april_to_march_are_those_of_a_fiscal_year_and_noted(
    header: str, years: list[str]
) -> None:
    found = upload(header, f"{years[0]},{row(1, 12)}", f"{years[1]},{row(13, 12)}")
    assert (found.profile.series, found.profile.frequency) == (1, "MS")
    assert (found.profile.start, found.profile.end) == ("2019-04-01", "2021-03-01")
    assert found.frame.y.tolist() == list(range(1, 25))
    assert "count for the year after" in notes(found)


@pytest.mark.parametrize("name", ["FY", ""])
def test_a_row_of_means_below_fiscal_years_is_left_out(name: str) -> None:
    lines = [f"{year}-{year - 1999},{row(1 + 12 * i, 12)}" for i, year in enumerate((2019, 2020, 2021))]
    found = upload(f"{name},{FISCAL}", *lines, f"Average,{row(1, 12)}")
    assert (found.profile.start, found.frame.y.tolist()) == ("2019-04-01", list(range(1, 37)))


@pytest.mark.parametrize("years", ["2019-20,2020-21,2021-22", "2019,2020,2021"])
def test_rows_from_april_to_march_are_those_of_a_fiscal_year_and_noted(years: str) -> None:
    lines = [f"{m},{i},{i + 12},{i + 24}" for i, m in enumerate(FISCAL.split(","), start=1)]
    found = upload(f"Month,{years}", *lines)
    assert (found.profile.start, found.frame.y.tolist()) == ("2019-04-01", list(range(1, 37)))
    assert "count for the year after" in notes(found)


@pytest.mark.parametrize("year", ["2010-11,2011-12,2012-13", "2010年度,2011年度,2012年度"])
def test_quarters_of_fiscal_years_are_one_series_by_the_calendar_and_noted(year: str) -> None:
    lines = [f"{each},{row(1 + 4 * i, 4)}" for i, each in enumerate(year.split(","))]
    found = upload("Year,Q1,Q2,Q3,Q4", *lines)
    assert found.frame.y.tolist() == list(range(1, 13))
    assert "is taken for the calendar year that it begins in" in notes(found)


@pytest.mark.parametrize("header", ["年度,四半期,値", "年度,値"])
def test_quarters_of_a_japanese_fiscal_year_are_noted(header: str) -> None:
    between = "," if header.count(",") > 1 else ""
    lines = [f"{y}年度{between}第{q}四半期,{y + q}" for y in (2015, 2016, 2017) for q in (1, 2, 3, 4)]
    found = upload(header, *lines)
    assert found.profile.observations == 12
    assert "is taken for the calendar year that it begins in" in notes(found)


@pytest.mark.parametrize("total", ["North Total", "Total North", "North Ergebnis"])
def test_totals_within_a_pivot_leave_its_groups_whole_and_are_noted(total: str) -> None:
    found = upload(
        "Region,Product,2019,2020,2021",
        *("North,Apples,1,2,3", ",Pears,2,3,4", f"{total},,3,5,7"),
        *("South,Apples,3,3,4", ",Pears,2,4,4", f"{total.replace('North', 'South')},,5,7,8"),
        "Grand Total,,8,12,15",
    )
    names = ("North / Apples", "North / Pears", "South / Apples", "South / Pears")
    assert (found.frame.unique_ids, found.profile.repairs_total) == (names, 0)
    assert f"Left out as totals of others are '{total}'" in notes(found)


def test_a_row_named_total_of_what_is_no_group_is_a_series() -> None:
    found = upload("Item,2019,2020,2021", "Total energy,1,2,3", "Imports,2,3,4")
    assert found.frame.unique_ids == ("Imports", "Total energy")


@pytest.mark.parametrize(
    ("name", "first"), [("Week starting", "2023-01-02"), ("Week ending", "2023-01-08"), ("Week", "2023-W01")]
)
def test_weekdays_beside_a_week_are_its_days(name: str, first: str) -> None:
    starts = made(first, 4, "7D") if "W" not in first else [f"2023-W0{week}" for week in range(1, 5)]
    lines = [f"{day},{row(1 + 7 * i, 7)}" for i, day in enumerate(starts)]
    found = upload(f"{name},Mon,Tue,Wed,Thu,Fri,Sat,Sun", *lines)
    assert (found.profile.frequency, times(found)[0]) == ("D", "2023-01-02")
    assert found.frame.y.tolist() == list(range(1, 29))


@pytest.mark.parametrize("days", ["Mon,Tue,Wed,Thu,Fri,Sat,Sun", "Mo,Di,Mi,Do,Fr,Sa,So"])
def test_a_monday_of_small_numbers_is_no_month(days: str) -> None:
    lines = [f"{day},{row(i, 7)}" for i, day in enumerate(made("2023-01-02", 4, "7D"), start=1)]
    assert upload(f"Week,{days}", *lines).profile.observations == 28


def test_weekdays_beside_a_year_and_a_week_are_its_days_without_the_weekend() -> None:
    lines = [f"2023,{week},{row(1 + 5 * week, 5)}" for week in range(1, 9)]
    found = upload("Year,Week,Mon,Tue,Wed,Thu,Fri", *lines)
    assert (found.profile.frequency, times(found)[0], found.profile.gaps) == ("B", "2023-01-02", 0)


def test_forty_eight_columns_numbered_as_products_are_no_times_of_day() -> None:
    lines = [f"{day},{row(i, 48)}" for i, day in enumerate(DAYS, start=1)]
    with pytest.raises(Unsettled, match="target_column"):
        upload(f"Date,{','.join(f'P{number}' for number in range(1, 49))}", *lines)


def test_a_word_behind_six_months_is_no_misspelled_month() -> None:
    lines = [f"{year},{row(year, 6)},5" for year in (2019, 2020, 2021)]
    assert upload("Year,Jan,Feb,Mar,Apr,May,Jun,Population", *lines).profile.observations == 18


def test_weeks_that_begin_on_sunday_have_their_sunday_first() -> None:
    starts = made("01/01/2023", 4, "7D", "%d %b %Y")
    lines = [f"{day},{row(1 + 7 * i, 7)}" for i, day in enumerate(starts)]
    found = upload("Week of,Sunday,Monday,Tuesday,Wednesday,Thursday,Friday,Saturday", *lines)
    assert (times(found)[0], found.frame.y.tolist()) == ("2023-01-01", list(range(1, 29)))


def test_times_with_a_first_to_third_part_of_each_year_and_no_fourth_are_refused() -> None:
    lines = [f"{year}T{part},{year + part}" for year in range(2010, 2016) for part in (1, 2, 3)]
    with pytest.raises(BadInput, match="thirds of a year"):
        upload("t,y", *lines)
    quarters = [f"{year}T{part},{year + part}" for year in range(2010, 2016) for part in (1, 2, 3, 4)]
    assert upload("t,y", *quarters).profile.observations == 24


@pytest.mark.parametrize("months", ["Jan,Feb,Mar", MONTHS])
def test_days_and_months_without_a_year_are_refused(months: str) -> None:
    lines = [f"{day},{row(day, months.count(',') + 1)}" for day in range(1, 29)]
    with pytest.raises(BadInput, match="there is no year"):
        upload(f"Day,{months}", *lines)


def test_the_only_row_keeps_its_name() -> None:
    assert upload("Item,2019,2020,2021,2022", "Sales,1,2,3,4").frame.unique_ids == ("Sales",)


def test_columns_of_days_beside_a_year_and_a_month_are_days_and_blank_ones_that_are_none_do_not_count() -> (
    None
):
    lines = [
        f"{year},{month},"
        + ",".join(str(day) if day <= calendar.monthrange(year, month)[1] else "" for day in range(1, 32))
        for year in (2021, 2022)
        for month in range(1, 13)
    ]
    found = upload(f"Year,Month,{row(1, 31)}", *lines)
    assert (found.profile.frequency, found.profile.observations, found.profile.gaps) == ("D", 730, 0)


def test_a_value_on_a_day_that_is_none_is_refused_with_its_row() -> None:
    lines = [f"2021,{month},{row(1, 31)}" for month in (1, 2, 3)]
    with pytest.raises(BadInput) as refused:
        upload(f"Year,Month,{row(1, 31)}", *lines)
    assert refused.value.errors[0].pointer == "#row=3"


def test_months_in_the_header_and_a_year_and_a_day_in_rows_are_days() -> None:
    lines = [
        f"2021,{day},{','.join(str(month * 100 + day) for month in range(1, 13))}" for day in range(1, 29)
    ]
    found = upload(f"Year,Day,{MONTHS}", *lines)
    assert (times(found)[0], found.profile.observations, found.frame.y[0]) == ("2021-01-01", 336, 101)


def test_a_column_of_settlement_periods_is_the_time_of_day() -> None:
    days = made("2023-01-01", 3, "D", "%d-%b-%Y")
    lines = [f"{day},{period},{i * 48 + period}" for i, day in enumerate(days) for period in range(1, 49)]
    found = upload("SETTLEMENT_DATE,SETTLEMENT_PERIOD,ND", *lines)
    assert (found.profile.frequency, found.frame.y.tolist()) == ("30min", list(range(1, 145)))
    assert "count from 00:00" in notes(found)
