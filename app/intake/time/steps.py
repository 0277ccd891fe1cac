"""The regular steps a series may take, as plain integer arithmetic on arrays.

An ordinal is an int64: microseconds since 1970 for dates, the number itself for integers and years.
Each kind of step knows its grid of *positions* (months, business days, microseconds or whole numbers),
so that no calendar needs a loop.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from app.intake.arrays import Ints, Mask
from app.schemas.choices import LONGEST_SEASON, Calendar

Rule = Literal["start", "end", "business_start", "business_end"]
Family = Literal["M", "Q", "Y"]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
SATURDAY = 5
ERA = 25 * 146_097 * DAY  # 10,000 years, after which dates and weekdays are the same: no date is so long ago
MONTHS_AN_ERA, BUSINESS_DAYS_AN_ERA = 10_000 * 12, ERA // WEEK * 5
LONGEST = 20_000_000 * SECOND * 1_000  # about 630 years: more than pandas can span

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MONTHS_IN: dict[Family, int] = {"M": 1, "Q": 3, "Y": 12}
RULES: dict[str, Rule] = {"S": "start", "E": "end", "BS": "business_start", "BE": "business_end"}
FIXED = {"D": DAY, "h": HOUR, "min": MINUTE, "s": SECOND, "ms": 1_000, "us": 1}


class Step(Protocol):
    """The interface of all steps; `size` is the number of positions in one step."""

    @property
    def frequency(self) -> str | int: ...
    @property
    def size(self) -> int: ...
    @property
    def season_lengths(self) -> tuple[int, ...]:
        """Return the lengths in steps of the seasons that may be, rising."""

    @property
    def calendar(self) -> Calendar:
        """Return the calendar that the years among them are counted by."""

    @property
    def whole_days(self) -> bool: ...
    @property
    def keeps_clock(self) -> bool:
        """Return whether positions ignore the time of day, so that all times must share one."""

    def fits(self, ordinals: Ints) -> Mask:
        """Return which ordinals fall on a day that the frequency allows."""

    def position(self, ordinals: Ints) -> Ints: ...
    def shift(self, ordinals: Ints, steps: Ints) -> Ints: ...
    def phase(self, ordinals: Ints) -> Ints:
        """Return the steps since a fixed time, a multiple of 400 years before a Monday and a January.

        Numbers have no such time: their phase is the number in steps, which may be negative.
        """


def steps_between(step: Step, begins: Ints, ordinals: Ints) -> Ints:
    """Return how many steps after `begins` each time lies, rounded down; both have one shape."""
    number: Ints = (step.position(ordinals) - step.position(begins)) // step.size
    return number


def weekday(days: Ints) -> Ints:
    """Return the day of the week, Monday 0, of days since 1970-01-01, a Thursday."""
    return (days + 3) % 7


def months_of(days: Ints) -> Ints:
    return days.astype("M8[D]").astype("M8[M]").astype(np.int64)


def _first_day(months: Ints) -> Ints:
    return months.astype("M8[M]").astype("M8[D]").astype(np.int64)


def rule_day(months: Ints, rule: Rule) -> Ints:
    """Return the day (since 1970) on which `rule` falls in each month."""
    if rule in {"start", "business_start"}:
        day, away = _first_day(months), 7
    else:
        day, away = _first_day(months + 1) - 1, 4
    if rule in {"start", "end"}:
        return day
    weekend = weekday(day) >= SATURDAY
    return day + np.where(weekend, away - weekday(day), 0)


def _parts(season: int, count: int) -> tuple[int, ...]:
    """Return the steps of `count` in a season, as its only length; no length where they do not divide it."""
    return (season // count,) if season % count == 0 and season > count else ()


def counted(count: int, name: str) -> str:
    """Return a step's name with its number before it, where that is not one."""
    return name if count == 1 else f"{count}{name}"


@dataclass(frozen=True)
class FixedStep:
    """A span of `size` microseconds; with `on_weekday`, whole weeks that end on that day."""

    size: int
    on_weekday: int | None = None
    keeps_clock: bool = False

    @property
    def frequency(self) -> str:
        if self.on_weekday is not None:
            return counted(self.size // WEEK, f"W-{WEEKDAYS[self.on_weekday]}")
        unit = next(name for name in ("D", "h", "min", "s", "ms", "us") if self.size % FIXED[name] == 0)
        return counted(self.size // FIXED[unit], unit)

    @property
    def season_lengths(self) -> tuple[int, ...]:
        """Return weeks a year, days a week and a year, parts of a day and of a week, seconds a minute."""
        if self.size == DAY:
            return (7, 365)
        if self.size % WEEK == 0:
            return _parts(52, self.size // WEEK)
        if self.size % DAY == 0 or self.size < SECOND:
            return ()
        if self.size < MINUTE:
            return _parts(MINUTE, self.size)
        lengths = (length * whole for whole in (1, 7) for length in _parts(DAY, self.size))
        return tuple(length for length in lengths if length <= LONGEST_SEASON)

    @property
    def calendar(self) -> Calendar:
        return "days" if self.size == DAY else "weeks" if self.size == WEEK else "none"

    @property
    def whole_days(self) -> bool:
        return self.size % DAY == 0

    def fits(self, ordinals: Ints) -> Mask:
        if self.on_weekday is None:
            return np.ones(len(ordinals), dtype=np.bool_)
        return np.equal(weekday(ordinals // DAY), self.on_weekday)

    def position(self, ordinals: Ints) -> Ints:
        return ordinals

    def shift(self, ordinals: Ints, steps: Ints) -> Ints:
        return ordinals + steps * self.size

    def phase(self, ordinals: Ints) -> Ints:
        monday = 3 * DAY  # 1969-12-29, before ordinal 0
        return (ordinals + (monday + ERA)) // self.size


@dataclass(frozen=True)
class MonthStep:
    """Months, quarters or years, each on the first or last (business) day of a month.

    `anchor` (1 to 12) is a month on which quarters or years fall; months ignore it.
    """

    count: int
    family: Family
    rule: Rule
    anchor: int = 1
    whole_days: bool = True
    keeps_clock: bool = True
    calendar: Calendar = "none"

    @property
    def size(self) -> int:
        return self.count * MONTHS_IN[self.family]

    @property
    def frequency(self) -> str:
        suffix = next(text for text, rule in RULES.items() if rule == self.rule)
        name = f"B{self.family}{suffix[1:]}" if len(suffix) > 1 else f"{self.family}{suffix}"
        return counted(self.count, name if self.family == "M" else f"{name}-{MONTHS[self.anchor - 1]}")

    @property
    def season_lengths(self) -> tuple[int, ...]:
        return _parts(12, self.size)

    def fits(self, ordinals: Ints) -> Mask:
        days = ordinals // DAY
        months = months_of(days)
        on_day = rule_day(months, self.rule) == days
        fits: Mask = on_day & ((months + 1 - self.anchor) % MONTHS_IN[self.family] == 0)
        return fits

    def position(self, ordinals: Ints) -> Ints:
        return months_of(ordinals // DAY)

    def shift(self, ordinals: Ints, steps: Ints) -> Ints:
        days = ordinals // DAY
        moved = rule_day(months_of(days) + steps * self.size, self.rule)
        return moved * DAY + (ordinals - days * DAY)

    def phase(self, ordinals: Ints) -> Ints:
        return (self.position(ordinals) + MONTHS_AN_ERA) // self.size


@dataclass(frozen=True)
class BusinessDayStep:
    """Monday to Friday; public holidays are ordinary days, as in pandas' `B`."""

    size: int
    whole_days: bool = True
    keeps_clock: bool = True

    @property
    def frequency(self) -> str:
        return counted(self.size, "B")

    @property
    def season_lengths(self) -> tuple[int, ...]:
        return (5, 261) if self.size == 1 else ()

    @property
    def calendar(self) -> Calendar:
        return "business_days" if self.size == 1 else "none"

    def fits(self, ordinals: Ints) -> Mask:
        return weekday(ordinals // DAY) < SATURDAY

    def position(self, ordinals: Ints) -> Ints:
        days = ordinals // DAY
        return (days + 3) // 7 * 5 + np.minimum(weekday(days), 4)

    def shift(self, ordinals: Ints, steps: Ints) -> Ints:
        moved = self.position(ordinals) + steps * self.size
        return (moved // 5 * 7 + moved % 5 - 3) * DAY + ordinals % DAY

    def phase(self, ordinals: Ints) -> Ints:
        return (self.position(ordinals) + BUSINESS_DAYS_AN_ERA) // self.size
