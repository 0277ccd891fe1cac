"""Dates that can be read and are likely not meant so: days without a year, days and months exchanged."""

import re
from collections.abc import Sequence

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints, Texts
from app.intake.time.notations.languages import month_numbers
from app.intake.time.steps import DAY, months_of

MONTH_AND_YEAR = {"%b-%y", "%b %y", "%b/%y", "%y-%b"}
DAY_AND_MONTH = re.compile(r"(?:(\d{1,2})[ ./-]?([^\W\d_]{3,}\.?)|([^\W\d_]{3,}\.?)[ ./-]?(\d{1,2}))")
EXCHANGED = {f"%d{sign}%m{sign}%Y" for sign in "/.-"} | {f"%m{sign}%d{sign}%Y" for sign in "/.-"}
LONGEST_MONTHS = np.array([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
MONTHS = 12
THIRD = r"(?i)(?:\d{4}[ /-]?T[1-3]|T[1-3][ /-]?\d{4})"
LEAST_THIRDS = 6  # of two years


def refuse_days_without_year(texts: Sequence[str]) -> None:
    """Raise BadInput for days and names of months, which numbers of one digit show: 1-Jan, Jan 2."""
    found = [match.groups() for text in texts if (match := DAY_AND_MONTH.fullmatch(text))]
    short = [number for first, _, _, last in found if len(number := first or last) == 1]
    if short and len(found) * 2 > len(texts) and month_numbers({each[1] or each[2] for each in found}):
        example = next(text for text in texts if DAY_AND_MONTH.fullmatch(text))
        raise _without_year(example, "a number of one digit is a day")


def refuse_thirds(texts: Texts) -> None:
    """Raise BadInput for times such as 2020T1 to 2020T3 of several years, none of which has a fourth."""
    if len(texts) >= LEAST_THIRDS and texts.str.fullmatch(THIRD).all() and texts.str.contains("3$|T3").any():
        raise BadInput(
            f"Times such as {str(texts.iloc[0])[:40]!r} name three parts of each year and no fourth: they may"
            " be thirds of a year, of four months, or quarters the last of which is always missing. Write the"
            " first month of each in its place, as 2024-01.",
            [FieldError("#/time_column", "they may be thirds or quarters of a year")],
        )


def refuse_doubts(date_format: str, texts: Texts, ordinals: Ints, series: Ints, codes: Ints) -> None:
    """Raise BadInput where the order of rows tells that dates are not meant as they are read.

    Args:
        date_format: in which they are read.
        texts: the distinct ones.
        ordinals: (texts,) what they are read as.
        series: (rows,) of the rows whose time was read.
        codes: (rows,) of their times into `texts`.
    """
    date_format = date_format.partition(" %H")[0]
    if date_format in MONTH_AND_YEAR:
        codes, apart = _in_order(series, codes)
        _refuse_days(date_format, texts, ordinals, codes, apart)
    elif date_format in EXCHANGED:
        codes, apart = _in_order(series, codes)
        _refuse_exchanged(date_format, texts, ordinals, codes, apart)


def _in_order(series: Ints, codes: Ints) -> tuple[Ints, Ints]:
    """Return the times of one series after the other, and where one of the same series follows."""
    order = np.argsort(series, kind="stable")
    return codes[order], np.flatnonzero(np.diff(series[order]) == 0)


def _refuse_days(date_format: str, texts: Texts, ordinals: Ints, codes: Ints, apart: Ints) -> None:
    """Raise BadInput where the number beside a month moves with most rows, as a day does, and may be one."""
    months = months_of(ordinals // DAY)
    numbers = texts.str.extract(r"(\d+)", expand=False).fillna("0").to_numpy().astype(np.int64)
    used = np.unique(codes)
    if np.any((numbers[used] < 1) | (numbers[used] > LONGEST_MONTHS[months[used] % MONTHS])):
        return
    moved = np.abs(np.diff(months[codes])[apart])
    other = np.diff(numbers[codes])[apart] != 0
    if np.count_nonzero(other & (moved != 1)) * 2 > np.count_nonzero(moved):
        why = f"the number moves with most rows. If it is the year, say date_format={date_format}"
        raise _without_year(str(texts.iloc[int(codes[0])]), why)


def _without_year(example: str, why: str) -> BadInput:
    return BadInput(
        f"There is no year in times such as {example[:40]!r}: {why}. Write the year of days, as 2024-01-31.",
        [FieldError("#/date_format", "no year is in these times")],
    )


def _refuse_exchanged(date_format: str, texts: Texts, ordinals: Ints, codes: Ints, apart: Ints) -> None:
    """Raise BadInput where rows jump back and forth, and would not if days up to 12 were the months."""
    other = _exchanged(ordinals)
    if _is_sorted(ordinals[codes], apart) or not _is_sorted(other[codes], apart):
        return
    turned = str(texts.iloc[int(codes[np.flatnonzero((other != ordinals)[codes])[0]])])
    raise BadInput(
        f"Read as {date_format}, the dates jump back and forth; with day and month exchanged where both are"
        f" up to 12, as in {turned[:40]!r}, they are in order: a spreadsheet of another language may have"
        f" turned these. Write dates as ISO 8601 (2024-01-31); or, if they are right, say"
        f" date_format={date_format}.",
        [FieldError("#/date_format", f"{date_format} if all dates are right")],
    )


def _exchanged(ordinals: Ints) -> Ints:
    """Return times with day and month exchanged where the day may be a month."""
    days = ordinals // DAY
    months = months_of(days)
    number = days - months.astype("M8[M]").astype("M8[D]").astype(np.int64)  # of the day, from 0
    other = (months // MONTHS * MONTHS + number).astype("M8[M]").astype("M8[D]").astype(np.int64)
    other = other + months % MONTHS
    return np.where(number < MONTHS, other * DAY + ordinals % DAY, ordinals)


def _is_sorted(times: Ints, apart: Ints) -> bool:
    steps = np.diff(times)[apart]
    return bool(np.all(steps >= 0) or np.all(steps <= 0))
