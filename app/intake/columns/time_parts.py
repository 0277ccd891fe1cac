"""Times in several columns: a date and a clock, a year and a month, a quarter or a week."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Literal

from app.intake.columns.contents import Sample
from app.intake.columns.names import is_summary, normal
from app.intake.problems import listed
from app.intake.time.notations.hours import LETTERED, WORDS, clock_text, is_range
from app.intake.time.notations.languages import month_numbers
from app.intake.time.notations.quarters import quarter_of
from app.intake.time.notations.weekdays import day_of_week

# Those of the last line are of names of columns alone; a fiscal month from 13 on is of the next year.
Part = Literal[
    "date",
    "packed",
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "day_of_year",
    "hour",
    "half_hour",
    "clock",
    "fiscal_month",
    "weekday",
    "weekday_before",
]

NAMES: dict[Part, set[str]] = {
    "year": {
        *("year", "yr", "yyyy", "jahr", "annee", "année", "ano", "año", "anno", "jaar", "rok", "år", "год"),
        *("yıl", "yil", "السنة", "年", "年份", "年度", "연도", "년"),
    },
    "quarter": {
        *("quarter", "qtr", "quartal", "trimestre", "kwartał", "квартал", "çeyrek", "kvartal", "الربع"),
        *("季度", "四半期", "분기"),
    },
    "month": {
        *("month", "mon", "mo", "month_number", "month_name", "mm", "monat", "mois", "mes", "mês"),
        *("mese", "maand"),
        *("miesiąc", "месяц", "ay", "الشهر", "月", "月份", "월"),
    },
    "week": {"week", "wk", "isoweek", "iso_week", "week_number", "weeknum", "woche", "kw", "semaine", "周"},
    "day": {"day", "day_of_month", "dd", "dy", "tag", "jour", "dia", "día", "день", "gün", "日", "일"},
    "day_of_year": {"doy", "day_of_year", "dayofyear", "yday", "julian_day", "jday", "jour_de_l_annee"},
    "clock": {"time", "hhmm", "hrmn", "hr_mn", "uhrzeit", "heure"},
    "half_hour": {"settlement_period", "settlementperiod", "sp", "half_hour", "halfhour", "trading_period"},
    "hour": {"hour", "hr", "he", "hour_ending", "hourending", "hour_of_day", "stunde", "heure", "hora"},
}
RANGES: dict[Part, tuple[int, int]] = {
    "year": (1000, 2999),
    "quarter": (1, 4),
    "month": (1, 12),
    "week": (1, 53),
    "day": (1, 31),
    "day_of_year": (1, 366),
    "hour": (0, 24),
    "half_hour": (1, 48),
}
SIGNS: dict[Part, str] = {"year": "年년", "month": "月월", "day": "日号일", "hour": "時时시点"}  # 2024年, 1月
CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:\s*[AP]M)?", re.IGNORECASE)
PACKED = re.compile(r"((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
DIGITS = re.compile(r"(?:[01]?\d|2[0-4])[0-5]\d|0")  # 0130 or 130, and 0 for midnight
WEEK_AND_YEAR = re.compile(r"^(\d{1,2})[/.-]((?:19|20)\d{2})$")
WHOLE = re.compile(rf"(\d{{1,4}})(?:\.0*)?\s?[{''.join(SIGNS.values())}]?")
FEW = 10  # texts, of which one may be no part of a time
LEAST_FIT = 3  # texts that show a part of a time beside one that does not
FISCAL = re.compile(r"((?:1[5-9]|20|21)\d{2})(?:\s?(?:年度|년도)|\s?[/\u2013-]\s?(\d{2}|\d{4}))")
FISCAL_YEAR = "年度"
TIME_OF_DAY: tuple[Part, ...] = ("clock", "hour", "half_hour")
WEEKDAYS: tuple[Part, ...] = ("weekday", "weekday_before")
MONTHS, CENTURY = 12, 100
OF_A_YEAR: tuple[tuple[Part, ...], ...] = (
    ("month", "day"),
    ("day_of_year",),
    ("week",),
    ("month",),
    ("quarter",),
)


def part_of(sample: Sample, name: str) -> Part | None:
    """Return which part of a time a column holds, by its texts, and for plain numbers by its name as well."""
    content = sample.contents[name]
    if content == "date":
        return "date"
    texts = [text for text in sample.some(name) if content in {"text", "whole"} and not is_summary(text)]
    return _of_words(name, texts) if content == "text" else _of_numbers(name, texts)


def _of_words(name: str, texts: Sequence[str]) -> Part | None:
    if not texts:
        return None
    if _is_named(name, "quarter") and all(map(quarter_of, texts)):
        return "quarter"
    return None if _may_be_codes(name, texts) else part_of_texts(texts)


def _of_numbers(name: str, texts: Sequence[str]) -> Part | None:
    if texts and all(map(PACKED.fullmatch, texts)):
        return "packed"
    if (_is_named(name, "clock") or _is_named(name, "hour")) and _are_digits(texts):
        return "clock"
    named = [part for part in RANGES if _is_named(name, part)]
    return next((part for part in named if _nearly_all(texts, partial(_is_within, part=part), 1)), None)


def part_of_texts(texts: Sequence[str]) -> Part | None:
    """Return which part of a time texts are, which are no plain numbers; None for texts of another kind."""
    kinds: list[tuple[Part, Callable[[str], object]]] = [
        ("clock", CLOCK.fullmatch),
        *((("clock", clock_text),) if any(map(WORDS.fullmatch, texts)) else ()),
        ("month", month_numbers(texts).get),
        ("quarter", partial(quarter_of, lettered=False)),
        *((part, partial(_is_signed, part=part)) for part in SIGNS),
    ]
    return next((part for part, reads in kinds if _nearly_all(texts, reads, 0)), None)


def _may_be_codes(name: str, texts: Sequence[str]) -> bool:
    """Return whether texts such as H01 may be names, as they are unless the column is named after hours."""
    return any(map(LETTERED.fullmatch, texts)) and not (_is_named(name, "hour") or _is_named(name, "clock"))


def hours_note(sample: Sample, names: Sequence[str]) -> tuple[str, ...]:
    """Return a note on ranges of hours in a column of times of day."""
    found = next((text for name in names for text in sample.some(name) if is_range(text)), None)
    halves = [name for name in names if _is_named(name, "half_hour")]
    note = f"The half-hours of a day in {listed(halves)} count from 00:00 on, which is 1."
    return (
        *((f"Hours such as {found!r} count for their beginning.",) if found else ()),
        *((note,) if halves else ()),
    )


def fiscal_note(sample: Sample, names: Sequence[str]) -> tuple[str, ...]:
    """Return a note on fiscal years, whose quarters and months are read as those of the calendar year."""
    for name in names:
        text = str(sample.column(name).iloc[0])
        if FISCAL.fullmatch(text) or (_is_named(name, "year") and name.endswith(FISCAL_YEAR)):
            return (f"A fiscal year such as {text!r} is taken for the calendar year that it begins in.",)
    return ()


def parts_to_join(parts: dict[str, Part]) -> list[str]:
    """Return the columns that make a time together: a year and what divides it, then the time of day.

    Where a part is in several columns, only the first counts.
    """
    first: dict[Part, str] = {part: name for name, part in reversed(parts.items())}
    day: list[str] = []
    if "packed" in first and "date" not in first and set(TIME_OF_DAY) & set(first):
        first["date"] = first["packed"]
    if "date" in first:
        day = [first["date"]]
    elif "year" in first:
        finest = next((each for each in OF_A_YEAR if set(each) <= set(first)), ())
        day = [first["year"], *(first[part] for part in finest)]
    if not day or ("date" not in first and len(day) == 1):
        return day
    return [*day, *([first[part] for part in TIME_OF_DAY if part in first][:1])]


def weeks_of(name: str, texts: Sequence[str]) -> Sequence[str]:
    """Return texts such as 01/2024 as ISO weeks, in a column that is named after weeks."""
    return [WEEK_AND_YEAR.sub(r"\2-W\1", text) for text in texts] if _is_named(name, "week") else texts


def joined(texts: Sequence[str], parts: Sequence[Part | None], months: Mapping[str, int]) -> str | None:
    """Return one text for a time in parts; None where one cannot be read.

    `months` are the numbers of the months that have names.
    """
    of = dict(zip(parts, texts, strict=True))
    day = of.get("date") or PACKED.sub(r"\1-\2-\3", of.get("packed", "")) or _of_a_year(of, months)
    clock = _with_colon(of.get("clock")) or _clock(of.get("hour")) or _half(of.get("half_hour"))
    if day and (weekday := next((part for part in WEEKDAYS if part in of), None)):
        day = day_of_week(day, int(of[weekday]), before=weekday == "weekday_before")
    lacks_clock = clock is None and not set(TIME_OF_DAY).isdisjoint(of)
    if None in parts or day is None or lacks_clock or len(of) < len(parts):
        return None
    return f"{day} {clock}" if clock else day


def _of_a_year(of: dict[Part | None, str], months: Mapping[str, int]) -> str | None:
    named = of.get("month", "")
    year, month = year_of(of.get("year", "")), months.get(named) or _number(named, "month")
    if year is None:
        return None
    if "fiscal_month" in of:
        later, month = divmod(int(of["fiscal_month"]) - 1, MONTHS)
        year, month = year + later, month + 1
    if month is not None:
        day = _number(of.get("day"), "day")
        if day is None and "day" in of:
            return None
        return f"{year}-{month:02}" if day is None else f"{year}-{month:02}-{day:02}"
    if (day := _number(of.get("day_of_year"), "day_of_year")) is not None:
        return _day_of_year(year, day)
    if (week := _number(of.get("week"), "week")) is not None:
        return f"{year}-W{week:02}"
    quarter = quarter_of(of.get("quarter", "")) or _number(of.get("quarter"), "quarter")
    return f"{year}Q{quarter}" if quarter else None


def year_of(text: str) -> int | None:
    """Return the year that a text such as 2019, 2019-20 or 2019年度 names; of two the first."""
    found = FISCAL.fullmatch(text)
    if found is None or (found[2] and (int(found[1]) + 1 - int(found[2])) % CENTURY):
        return _number(text, "year")
    return int(found[1])


def _day_of_year(year: int, day: int) -> str | None:
    found = date(year, 1, 1) + timedelta(days=day - 1)
    return found.isoformat() if found.year == year else None


def _clock(hour: str | None) -> str | None:
    number = _number(hour, "hour")
    return None if number is None else f"{number:02}:00"


def _half(period: str | None) -> str | None:
    """Return the time of day at which a half-hour begins, of which the first is 1."""
    number = _number(period, "half_hour")
    return None if number is None else f"{(number - 1) // 2:02}:{(number - 1) % 2 * 30:02}"


def _with_colon(clock: str | None) -> str | None:
    if clock and (begin := clock_text(clock)):
        return begin
    return f"{clock[:-2] or 0}:{clock[-2:]:0>2}" if clock and DIGITS.fullmatch(clock) else clock


def _are_digits(texts: Sequence[str]) -> bool:
    return any(len(text) > 2 for text in texts) and all(map(DIGITS.fullmatch, texts))  # noqa: PLR2004 - 130


def _number(text: str | None, part: Part) -> int | None:
    found = WHOLE.fullmatch(text or "")
    low, high = RANGES[part]
    return int(found[1]) if found and low <= int(found[1]) <= high else None


def _is_named(name: str, part: Part) -> bool:
    return normal(name) in NAMES[part]


def _is_within(text: str, part: Part) -> bool:
    return _number(text, part) is not None


def _is_signed(text: str, part: Part) -> bool:
    return text[-1:] in SIGNS[part] and _is_within(text, part)


def _nearly_all(texts: Sequence[str], fits: Callable[[str], object], most: int) -> bool:
    """Return whether all texts fit but for a tenth, or `most`: those that do not are refused by row."""
    wrong = sum(not fits(text) for text in texts)
    return wrong <= max(most, len(texts) // FEW) and (not wrong or len(texts) - wrong >= LEAST_FIT)
