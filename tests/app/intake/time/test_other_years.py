"""Years of other calendars, short years and notations whose parts have several meanings."""

import pytest

from app.errors import BadInput
from app.intake.frame import Intake
from tests.app.intake.uploads import made, times, upload

MONTHS = range(1, 13)


def read(texts: list[str], **said: str) -> Intake:
    """Read a table of these times, with a value each."""
    return upload("time;y", *(f"{text};{i * 7 % 13 + 5}" for i, text in enumerate(texts)), **said)


def span(texts: list[str], **said: str) -> tuple[str | int, str | int]:
    """Return the first and the last time as they are read."""
    found = times(read(texts, **said))
    return found[0], found[-1]


@pytest.mark.parametrize(
    ("form", "first", "last"),
    [
        ("{m:02}/{y}", "2019-01-01", "2020-12-01"),
        ("{y}-{m:02}", "2019-01-01", "2020-12-01"),
        ("01/{m:02}/{y}", "2019-01-01", "2020-12-01"),
    ],
)
def test_buddhist_years_are_read_as_those_that_all_share_and_noted(form: str, first: str, last: str) -> None:
    texts = [form.format(y=y, m=m) for y in (2562, 2563) for m in MONTHS]
    assert span(texts) == (first, last)
    note = "Years are those of the Buddhist calendar: "
    assert [each for each in read(texts).profile.detected.notes if each.startswith(note)]


def test_a_buddhist_leap_day_is_one() -> None:
    assert span([f"2567-02-{day}" for day in (27, 28, 29)]) == ("2024-02-27", "2024-02-29")


@pytest.mark.parametrize("texts", [[f"1402/{m:02}" for m in MONTHS], [f"{m}-1444" for m in MONTHS]])
def test_persian_and_islamic_years_are_refused_by_the_names_of_their_calendars(texts: list[str]) -> None:
    with pytest.raises(BadInput, match=r"Persian \(Jalali\) or Islamic \(Hijri\) calendar"):
        read(texts)


def test_years_of_the_middle_ages_are_read_where_their_format_is_said() -> None:
    assert span([f"1402/{m:02}" for m in MONTHS], date_format="%Y/%m") == ("1402-01-01", "1402-12-01")


def test_numbers_that_may_be_short_years_and_months_are_a_question() -> None:
    texts = [f"{y}{m:02}" for y in (21, 22) for m in MONTHS]
    with pytest.raises(BadInput, match="Say which with date_format=%y%m or date_format=integer"):
        read(texts)
    assert span(texts, date_format="%y%m") == ("2021-01-01", "2022-12-01")


def test_years_that_would_be_months_as_well_stay_years() -> None:
    assert span([str(year) for year in range(2001, 2013)]) == (2001, 2012)


def test_a_short_year_that_may_come_first_is_among_the_proposals() -> None:
    with pytest.raises(BadInput, match=r"or year-first \(%y/%m/%d\)"):
        read([f"10/11/{day:02}" for day in MONTHS])


def test_days_that_run_only_with_the_short_year_first_are_read_so_and_noted() -> None:
    texts = made("2010-11-01", 60, "D", "%y/%m/%d")
    assert span(texts) == ("2010-11-01", "2010-12-30")
    assert any("Dates are read year-first" in note for note in read(texts).profile.detected.notes)


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["January 1st, 2023", "January 2nd, 2023", "January 3rd, 2023", "January 4th, 2023"], "2023-01-01"),
        (["Jan'19", "Feb'19", "Mar'19"], "2019-01-01"),
        (["CW01/23", "CW02/23", "CW03/23"], "2023-01-02"),
        (['="2023-01-01"', '="2023-01-02"', '="2023-01-03"'], "2023-01-01"),
        (["květen 2023", "červen 2023", "červenec 2023"], "2023-05-01"),
        (["มกราคม 2566", "กุมภาพันธ์ 2566", "มีนาคม 2566"], "2023-01-01"),
        ([f"Sun, {day:02} Jan 2023 06:00:00 GMT" for day in (1, 2, 3)], "2023-01-01T06:00:00Z"),
        ([f"2023-01-{day:02} 12:00 CET" for day in (1, 2, 3)], "2023-01-01T12:00:00+01:00"),
    ],
)
def test_a_notation_of_one_program_or_language_is_read(texts: list[str], first: str) -> None:
    assert span(texts)[0] == first
