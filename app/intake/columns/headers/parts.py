"""Parts of times in the header: months of years, hours of days, days of weeks and months."""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import pandas as pd

from app.errors import BadInput, FieldError
from app.intake.columns.coded import Coded
from app.intake.columns.contents import Sample
from app.intake.columns.headers.layout import Across
from app.intake.columns.headers.marks import mark_notes, without_mark
from app.intake.columns.names import is_summary
from app.intake.columns.time_parts import CLOCK, DIGITS, Part, fiscal_note, year_of
from app.intake.problems import listed
from app.intake.time.notations.hours import clock_text, is_range
from app.intake.time.notations.languages import month_numbers
from app.intake.time.notations.phrases import DOUBLE_YEAR
from app.intake.time.notations.quarters import quarter_of
from app.intake.time.notations.weekdays import weekday_numbers

LEAST = 3  # columns of times; fewer may be anything
YEAR = re.compile(r"(?:1[5-9]|20|21)\d{2}")
MONTH = re.compile(r"(?:[1-9]|1[0-2])\s?[月월]")
ALL_MONTHS = dict.fromkeys(str(month) for month in range(1, 13))
MONTHS, QUARTERS = 12, 4  # of a year
HOURS = ({str(hour) for hour in range(24)}, {str(hour) for hour in range(1, 25)})
HOUR = re.compile(r"(?:h|he|hr|hour|hour ending)?[ _]?0?(\d{1,2})(?:h|:00)?", re.IGNORECASE)
SPANS = {24: "hours", 48: "half-hours", 96: "quarters of an hour"}  # of a day
NUMBERED = re.compile(r"(?:(?:hh|sp|tp|(?:settlement )?period)[ _]?)?0{0,2}(\d{1,2})", re.IGNORECASE)
DAY = re.compile(r"(?:d|day|tag|jour|d[ií]a)?[ _]?0?(\d{1,2})\s?[日일]?", re.IGNORECASE)
DAYS = [[*range(1, last + 1)] for last in (28, 29, 30, 31)]
MINUTES = 1440  # of a day


def parts_across(sample: Sample, names: Sequence[str], rows: Mapping[Part, str]) -> Across | None:
    """Return the columns named by parts of times whose other parts are in rows.

    Args:
        sample: the first rows.
        names: columns without another role, whose own texts are no part of a time.
        rows: the first column that holds each part.

    Raises BadInput for months and days without a year.
    """
    return _days(names, rows) or _of_years(sample, names, rows) or _of_dates(names, rows)


def _days(names: Sequence[str], rows: Mapping[Part, str]) -> Across | None:
    """Return days of the month, with a year and a month in rows."""
    found = {name: match[1] for name in names if (match := DAY.fullmatch(name))}
    numbers = sorted(map(int, found.values()))
    if not {"year", "month"} <= rows.keys() or numbers not in DAYS:
        return None
    return Across(tuple(found), tuple(found.values()), "day", {rows["year"]: "year", rows["month"]: "month"})


def _of_years(sample: Sample, names: Sequence[str], rows: Mapping[Part, str]) -> Across | None:
    """Return months or quarters, with a year in rows."""
    found, dates = _months_or_quarters(names), rows.get("date")
    if not found:
        return None
    year = rows.get("year") or (dates if dates and _are_years(sample, dates) else None)
    year = year or _years(sample, set(names) - found.keys())
    if not year:
        _refuse_days(found, rows)
        return None
    its: dict[str, Part] = {year: "year"}
    marks = mark_notes([*found])
    texts = tuple(found.values())
    if all(map(quarter_of, found)):
        return Across(tuple(found), texts, "quarter", its, (*marks, *fiscal_note(sample, [year])))
    if "day" in rows:
        its[rows["day"]] = "day"
    months = [int(number) for number in found.values()]
    counted = _in_order(months)
    marks = (*marks, *_other_languages(found))
    if counted == months:
        return Across(tuple(found), texts, "month", its, (*marks, *_double(sample, year)))
    later = [name for name, number in zip(found, counted, strict=True) if number > MONTHS]
    note = (
        f"The months begin with {next(iter(found))!r}, as those of a fiscal year do: {listed(later)} count"
        f" for the year after the one in {year!r}. If that is the year that ends, write 2019-20 for it."
    )
    return Across(tuple(found), tuple(map(str, counted)), "fiscal_month", its, (*marks, note))


def _refuse_days(months: Collection[str], rows: Mapping[Part, str]) -> None:
    """Raise BadInput for months in the header and days in rows, and no column of years."""
    if "day" in rows and "date" not in rows and all(quarter_of(name) is None for name in months):
        raise BadInput(
            f"The names of columns, such as {next(iter(months))!r}, are months and {rows['day']!r} holds"
            " days, and there is no year. Add a column 'year' with the year of each row.",
            [FieldError("#/time_column", "no year is in these times")],
        )


def rows_in_order(column: Coded) -> Coded:
    """Return a column of months as numbers, those behind December as 13 and more."""
    order = [column.texts[code] for code in pd.unique(column.codes) if code >= 0]
    named = month_numbers(order)
    numbers = {text: named.get(text) or int(text) for text in order if text in named or text in ALL_MONTHS}
    counted = dict(zip(numbers, map(str, _in_order([*numbers.values()])), strict=True))
    return Coded(column.codes, tuple(counted.get(text, text) for text in column.texts))


def turns(sample: Sample, name: str) -> str:
    """Return the first month of a column whose months begin with a later one than January; else nothing."""
    order = [text for text in sample.column(name).unique() if text]
    named = month_numbers(order)
    numbers = [named.get(text) or int(text) for text in order if text in named or text in ALL_MONTHS]
    is_turned = len(set(numbers)) == len(numbers) == MONTHS and _in_order(numbers) != numbers
    return str(order[0]) if is_turned else ""


def _in_order(months: Sequence[int]) -> list[int]:
    """Return months with those behind December as 13 and more, where they begin with a later one."""
    turns = [i for i, (one, other) in enumerate(pairwise(months), start=1) if other < one]
    if len(turns) != 1 or months[-1] >= months[0]:
        return [*months]
    return [month + MONTHS * (i >= turns[0]) for i, month in enumerate(months)]


def _double(sample: Sample, year: str) -> tuple[str, ...]:
    text = sample.some(year)[0]
    return (f"Years such as {text!r} count as the first one.",) if re.match(DOUBLE_YEAR, text) else ()


def _months_or_quarters(names: Sequence[str]) -> dict[str, str]:
    """Return the names that are months, all of a year, or quarters, and what each means; none for others."""
    plain = {name: without_mark(name) for name in names}
    named = month_numbers([*plain.values()])
    months = {name: str(named[text]) for name, text in plain.items() if text in named}
    months = _with_others(plain, months) if len(months) >= LEAST else months
    months = months or {
        name: re.sub(r"\D", "", text) for name, text in plain.items() if MONTH.fullmatch(text)
    }
    months = months or ({name: name for name in ALL_MONTHS} if ALL_MONTHS.keys() <= set(names) else {})
    if len(set(months.values())) == len(months) >= LEAST:
        return months
    quarters = {name: text for name, text in plain.items() if quarter_of(text)}
    return quarters if len(quarters) == QUARTERS else {}


def _with_others(plain: Mapping[str, str], months: Mapping[str, str]) -> dict[str, str]:
    """Return months with missing ones that another language names in their place: Okt behind Sep."""
    found, order = {**months}, [*plain]
    for i, name in enumerate(order):
        number = month_numbers([plain[name]]).get(plain[name])
        before = months.get(order[i - 1]) if i else None
        is_next = number is not None and before is not None and int(before) % MONTHS + 1 == number
        if name not in months and is_next and str(number) not in months.values():
            found[name] = str(number)
    return {name: found[name] for name in order if name in found}


def _other_languages(months: Mapping[str, str]) -> tuple[str, ...]:
    """Return a note on names that are those of another language than most."""
    known = month_numbers([*map(without_mark, months)])
    other = [name for name in months if known and without_mark(name) not in known]
    return (f"{listed(other)} is read as the month that its place shows.",) if other else ()


def _years(sample: Sample, names: Collection[str]) -> str | None:
    """Return the only column of years, whatever its name."""
    found = [name for name in names if sample.contents[name] == "whole"]
    found = [name for name in found if _are_years(sample, name)]
    return found[0] if len(found) == 1 else None


def _are_years(sample: Sample, name: str) -> bool:
    """Return whether a column holds years alone, beside names of totals."""
    texts = [text for text in sample.some(name) if not is_summary(text)]
    return bool(texts) and all(YEAR.match(text) and year_of(text) for text in texts)


def _of_dates(names: Sequence[str], rows: Mapping[Part, str]) -> Across | None:
    """Return times of day or days of the week, with a date in rows, or a year and a week."""
    whole: tuple[Part, ...] = ("date",) if "date" in rows else ("year", "week")
    its: dict[str, Part] = {rows[part]: part for part in whole} if set(whole) <= rows.keys() else {}
    days = weekday_numbers([name for name in names if re.search(r"\d", name) is None]) if its else {}
    if days:
        return _weekdays(days, its)
    if "date" not in rows:
        return None
    if clocks := _clocks(names):
        return Across(tuple(clocks), tuple(clocks.values()), "clock", its)
    hours = {name: match[1] for name in names if (match := HOUR.fullmatch(name))}
    if set(hours.values()) in HOURS and len(hours) == len(HOURS[0]):
        return Across(tuple(hours), tuple(hours.values()), "hour", its)
    if spans := _spans(names):
        what = f"Columns {next(iter(spans))!r} and on are the {SPANS[len(spans)]} of a day."
        return Across(tuple(spans), tuple(spans.values()), "clock", its, (what,))
    return None


def _clocks(names: Sequence[str]) -> dict[str, str]:
    """Return three or more names that are times of day, and when each begins; none for others."""
    found = {name: name for name in names if CLOCK.fullmatch(name)}
    found = found or {name: begin for name in names if is_range(name) and (begin := clock_text(name))}
    digits = {name: name for name in names if len(name) == 4 and DIGITS.fullmatch(name)}  # noqa: PLR2004 - 0030
    return found if len(found) >= LEAST else (digits if len(digits) in SPANS else {})


def _spans(names: Sequence[str]) -> dict[str, str]:
    """Return names that number the half-hours or quarters of an hour of a day, and when each begins."""
    found = [(name, int(match[1])) for name in names if (match := NUMBERED.fullmatch(name))]
    numbers, count = [number for _, number in found], len(found)
    if count not in SPANS or numbers not in ([*range(count)], [*range(1, count + 1)]):
        return {}
    begins = {name: (number - numbers[0]) * MINUTES // count for name, number in found}
    return {name: f"{minute // 60:02}:{minute % 60:02}" for name, minute in begins.items()}


def _weekdays(days: Mapping[str, int], rows: Mapping[str, Part]) -> Across:
    name = [*rows][-1]
    ends = re.search(r"(?i)end(?:ing|e|s)?\b", name) is not None
    part: Part = "weekday_before" if ends else "weekday"
    note = f"Days of the week are those of the seven days that {'end' if ends else 'begin'} with {name!r}."
    return Across(tuple(days), tuple(map(str, days.values())), part, rows, (note,))
