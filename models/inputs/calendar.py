"""Where positions lie in a season: by steps, or by the dates of a calendar whose years are not equally long.

A position counts steps from a Monday that is the same day of the year as 1969-12-29 (`EPOCH`), by whole
400-year cycles before it. The Gregorian calendar repeats after 400 years: 146,097 days, just 20,871 weeks.
"""

from functools import cache

import numpy as np

from models.choices import CALENDAR_YEARS, Calendar
from models.panel import Integers

EPOCH = np.datetime64("1969-12-29", "D")
"""The Monday that position 0 is like: a multiple of 400 years after it."""

WEEKS_A_CYCLE = 20_871
"""Weeks in 400 years."""

DAYS_A_YEAR, BUSINESS_DAYS_A_YEAR = 365, 261
FEBRUARY_29 = 59
"""Days of a leap year before its 29 February."""


@cache
def places(calendar: Calendar, length: int) -> Integers:
    """Return the place in a season, from 0, of each position; `table[position % len(table)]` for any.

    A year of days has 365 places: 29 February shares that of the 28th. A year of weeks has 53, the ISO week
    less one. A year of business days has 261, by the day of the year. The table is read-only.
    """
    tables = {"days": _days, "weeks": _weeks, "business_days": _business_days}
    is_year = CALENDAR_YEARS.get(calendar) == length
    table = tables[calendar]() if is_year else np.arange(length)
    table.flags.writeable = False
    return table


def _days() -> Integers:
    """Return (146097,), the day of the year of each day, 0 to 364."""
    return _days_of_year(np.arange(7 * WEEKS_A_CYCLE))


def _weeks() -> Integers:
    """Return (20871,), the ISO week of each week less one, 0 to 52; it is the week of its Thursday."""
    thursdays = EPOCH + 7 * np.arange(WEEKS_A_CYCLE) + 3
    days: Integers = (thursdays - thursdays.astype("M8[Y]").astype("M8[D]")).astype(np.int64)
    return days // 7


def _business_days() -> Integers:
    """Return (104355,), the day of the year of each business day, scaled to 0 to 260."""
    week, weekday = np.divmod(np.arange(5 * WEEKS_A_CYCLE), 5)
    return _days_of_year(7 * week + weekday) * BUSINESS_DAYS_A_YEAR // DAYS_A_YEAR


def _days_of_year(since_epoch: Integers) -> Integers:
    """Return the day of the year, 0 to 364, of days since `EPOCH`."""
    dates = EPOCH + since_epoch
    years = dates.astype("M8[Y]")
    day: Integers = (dates - years.astype("M8[D]")).astype(np.int64)
    is_leap = ((years + 1).astype("M8[D]") - years.astype("M8[D]")).astype(np.int64) > DAYS_A_YEAR
    place: Integers = day - (is_leap & (day >= FEBRUARY_29))
    return place
