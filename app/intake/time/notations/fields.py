"""From the fields of dates (year, month, week, quarter, hour, ...) to microseconds since 1970."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from app.intake.arrays import Ints, Mask, Texts
from app.intake.time.notations.languages import month_numbers
from app.intake.time.steps import DAY, HOUR, MINUTE, SECOND, WEEK

CENTURY = 100
FAR_AHEAD = 20  # years that a plan which has begun may reach ahead

CLOCK_PARTS = r"^(?P<hour>[0-9]+):(?P<minute>[0-9]+)(?::(?P<second>[0-9]+(?:\.[0-9]+)?))?\s*(?P<half>[AaPp])?"
NOON = 12


def this_year() -> int:
    return datetime.now(UTC).year


def ordinals_of(fields: pd.DataFrame) -> tuple[Ints, Mask]:
    """Return the time that the fields of each row begin with, and which rows are a time that there is."""
    found = fields.notna().any(axis=1).to_numpy(dtype=np.bool_)
    number = {str(name): _number(str(name), column) for name, column in fields.items()}
    one = np.ones(len(fields), dtype=np.int64)
    year = number["year"] if "year" in number else full_years(number["short_year"], found)
    if "week" in number:
        days, fits = _week_days(year, number["week"], number.get("weekday", one))
    else:
        month = number.get("month", number.get("name", number.get("quarter", one) * 3 - 2))
        days, fits = _month_days(year, month, number.get("day", one))
    if "day_of_year" in number:
        days, fits = _year_days(year, number["day_of_year"])
    clock = clock_ordinals(*(number.get(name, 0 * one) for name in ("hour", "minute", "second")))
    return days * DAY + clock, found & fits & (year > 0) & (clock >= 0)


def _number(name: str, column: Texts) -> Ints:
    """Return a field as whole numbers; 0 where it is absent or no month's name."""
    if name == "name":
        months = month_numbers(set(column.dropna()))
        return np.array([months.get(text, 0) for text in column], dtype=np.int64)
    return column.where(column.notna(), "0").to_numpy().astype(np.int64)


def _month_days(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Mask]:
    months = (year - 1970) * 12 + np.clip(month, 1, 12) - 1
    first, after = (part.astype("M8[M]").astype("M8[D]").astype(np.int64) for part in (months, months + 1))
    fits = (month >= 1) & (month <= 12) & (day >= 1) & (day <= after - first)  # noqa: PLR2004 - months
    return first + day - 1, fits


def _year_days(year: Ints, day: Ints) -> tuple[Ints, Mask]:
    first, after = first_day(year), first_day(year + 1)
    return first + day - 1, (day >= 1) & (day <= after - first)


def _week_days(year: Ints, week: Ints, weekday: Ints) -> tuple[Ints, Mask]:
    """Return the days of ISO weeks: the first of a year is the one with 4 January."""
    first, after = (_monday(first_day(part) + 3) for part in (year, year + 1))
    days = first + (week - 1) * 7
    return days + weekday - 1, (week >= 1) & (days < after)


def first_day(year: Ints) -> Ints:
    """Return the days from 1970-01-01 to 1 January of each year."""
    return (year - 1970).astype("M8[Y]").astype("M8[D]").astype(np.int64)


def _monday(days: Ints) -> Ints:
    return days - (days + 3) % (WEEK // DAY)


def full_years(short: Ints, found: Mask) -> Ints:
    """Return years for the last two digits of them: unbroken, and so that history lies in the past."""
    used = np.unique(short[found])
    if not len(used):
        return short
    gaps = np.diff(np.append(used, used[0] + CENTURY))
    last = int(used[gaps.argmax()])
    first = int(used[(gaps.argmax() + 1) % len(used)])
    end, span = 2000 + last, (last - first) % CENTURY
    begun = end - span <= this_year() and end <= this_year() + FAR_AHEAD
    if end > this_year() + 1 and not begun:
        end -= CENTURY
    return end - (last - short) % CENTURY


def clock_ordinals(hours: Ints, minutes: Ints, seconds: Ints) -> Ints:
    """Return microseconds after midnight, a whole day for 24:00; -1 for an invalid time of day."""
    clock = hours * HOUR + minutes * MINUTE + seconds * SECOND
    fine = (minutes < HOUR // MINUTE) & (seconds < MINUTE // SECOND) & (clock <= DAY)
    return np.where(fine, clock, -1)


def read_clocks(clocks: Texts) -> Ints:
    """Return microseconds after midnight; 0 without a time of day, a day for 24:00, -1 for an invalid one."""
    parts = clocks.str.extract(CLOCK_PARTS)
    hours, minutes = (parts[name].fillna("0").to_numpy().astype(np.int64) for name in ("hour", "minute"))
    seconds = np.rint(parts["second"].fillna("0").to_numpy().astype(np.float64) * SECOND).astype(np.int64)
    half = parts["half"].str.lower()
    twelve = half.notna().to_numpy(dtype=np.bool_)
    fine = (seconds < MINUTE) & (~twelve | ((hours >= 1) & (hours <= NOON)))
    hours = np.where(twelve, hours % NOON + np.where(half == "p", NOON, 0), hours)
    clock = clock_ordinals(hours, minutes, np.zeros_like(hours))
    total = clock + seconds
    return np.where(fine & (clock >= 0) & (total <= DAY), total, -1)
