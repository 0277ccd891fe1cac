"""Read times as text into int64 ordinals: dates, years or integers.

Works on the distinct texts of a column, so ten million rows cost no more than their different times.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints, Mask
from app.intake.time.aliases import Alias
from app.intake.time.axis import Kind
from app.intake.time.dates import Dates, read_dates
from app.intake.time.steps import DAY, MonthStep, months_of, rule_day

Texts: TypeAlias = "pd.Series[str]"
FIRST_YEAR, LAST_YEAR = 1000, 2999
WHOLE = r"[+-]?\d{1,15}(?:\.0*)?"
MONTH_DIGITS = r"(?:1[6-9]|2[0-2])\d\d(?:0[1-9]|1[0-2])"
DAY_DIGITS = MONTH_DIGITS + r"(?:0[1-9]|[12]\d|3[01])"


class WrongFrequency(BadInput):
    """The times are of another kind than the requested frequency."""


@dataclass(frozen=True)
class Times:
    """The distinct times of a column as they were read."""

    kind: Kind
    ordinals: Ints  # (texts,); no meaning where not readable
    readable: Mask  # (texts,)
    date_format: str  # ISO8601, integer, year, or a strptime format
    timezone: Literal["UTC"] | None = None
    note: str | None = None  # on a choice that was not certain


def are_whole_numbers(texts: Texts) -> Mask:
    """Return which texts are whole numbers."""
    return texts.str.fullmatch(WHOLE).to_numpy(dtype=np.bool_)


def looks_like_whole_numbers(texts: Texts) -> bool:
    """Return whether most texts are whole numbers."""
    return not texts.empty and bool(are_whole_numbers(texts).mean() > 1 / 2)


def read_times(texts: Texts, requested: Alias | int | None, previous: str | None = None) -> Times:
    """Read the distinct texts of a time column; raises WrongFrequency where the frequency does not fit them.

    Args:
        texts: distinct, stripped, none empty.
        requested: the frequency given, which decides between years and integers, between day-first and
            month-first, and where in a month a text like 2024-01 stands; None to let the times decide.
        previous: the date format of earlier rows, which decides where several fit.
    """
    if looks_like_whole_numbers(texts):
        return _read_whole(texts, requested)
    if isinstance(requested, int):
        raise _wrong_frequency(f"frequency {requested} is for integer times, but the times are not integers")
    return _dated(read_dates(texts, requested, previous), requested)


def _dated(dates: Dates, requested: Alias | None) -> Times:
    ordinals = _in_their_month(dates, requested)
    return Times("datetime", ordinals, dates.readable, dates.date_format, dates.timezone, dates.note)


def _in_their_month(dates: Dates, requested: Alias | None) -> Ints:
    """Put months and quarters without a day on the day that the frequency names, else on the first."""
    step = requested.step() if requested else None
    if not dates.months or not isinstance(step, MonthStep):
        return dates.ordinals
    months = months_of(dates.ordinals // DAY)
    if "end" in step.rule:
        months = months + dates.months - 1
    return rule_day(months, step.rule) * DAY


def _read_whole(texts: Texts, requested: Alias | int | None) -> Times:
    readable = texts.str.fullmatch(WHOLE)
    digits: Texts = texts.where(readable, "0").str.partition(".")[0]
    if not isinstance(requested, int):
        for pattern, date_format in ((DAY_DIGITS, "%Y%m%d"), (MONTH_DIGITS, "%Y%m")):
            if digits[readable].str.fullmatch(pattern).all():
                return _dated(_read_digits(digits.where(readable), date_format), requested)
    ordinals = digits.to_numpy().astype(np.int64)
    kind: Kind = "year" if _are_years(ordinals[readable], requested) else "integer"
    return Times(kind, ordinals, readable.to_numpy(dtype=np.bool_), kind)


def _read_digits(digits: Texts, date_format: str) -> Dates:
    stamps = pd.to_datetime(digits, format=date_format, errors="coerce")
    ordinals = stamps.to_numpy().astype("M8[us]").astype(np.int64)
    return Dates(ordinals, stamps.notna().to_numpy(dtype=np.bool_), date_format)


def _are_years(numbers: Ints, requested: Alias | int | None) -> bool:
    if isinstance(requested, int):
        return False
    years = bool(np.all((numbers >= FIRST_YEAR) & (numbers <= LAST_YEAR)))
    if requested is None:
        return years
    step = requested.step()
    if not years:
        raise _wrong_frequency(f"frequency {requested.text!r} is for dates, but the times are integers")
    if not isinstance(step, MonthStep) or step.size % 12:
        raise _wrong_frequency(f"frequency {requested.text!r} is not yearly, but the times are years")
    return True


def _wrong_frequency(what: str) -> WrongFrequency:
    return WrongFrequency(
        f"{what[0].upper()}{what[1:]}. Leave frequency out to have it found.",
        [FieldError("#/frequency", what)],
    )
