"""Months by certain days: bills on the 15th, or four steps a month on the 1st, 8th, 15th and 22nd."""

from dataclasses import dataclass

import numpy as np

from app.intake.arrays import Ints, Mask
from app.intake.time.steps import DAY, LONGEST, MONTHS_AN_ERA, months_of, rule_day
from app.schemas.choices import Calendar

LAST_DAY = 31  # of a month; where it is shorter, its end
MOST_DAYS = 8
FEBRUARY = 28  # a day that each month has


@dataclass(frozen=True)
class MonthDayStep:
    """Steps on the same days of each month; with one day, every `count` months."""

    count: int
    days: tuple[int, ...]  # rising, 1 to 31
    whole_days: bool = True
    keeps_clock: bool = True
    calendar: Calendar = "none"

    @property
    def size(self) -> int:
        return self.count

    @property
    def frequency(self) -> str:
        name = "-".join(["MS", *map(str, self.days)])
        return name if self.count == 1 else f"{self.count}{name}"

    @property
    def season_lengths(self) -> tuple[int, ...]:
        season = 12 * len(self.days)
        return (season // self.count,) if season % self.count == 0 and season > self.count else ()

    def _parts(self, ordinals: Ints) -> tuple[Ints, Ints, Ints]:
        """Return months, days of the month and the days that the months have."""
        days = ordinals // DAY
        months = months_of(days)
        first = rule_day(months, "start")
        return months, days - first + 1, rule_day(months, "end") - first + 1

    def fits(self, ordinals: Ints) -> Mask:
        _, day, lengths = self._parts(ordinals)
        on_day: Mask = (np.minimum(np.array(self.days), lengths[:, None]) == day[:, None]).any(axis=1)
        return on_day

    def position(self, ordinals: Ints) -> Ints:
        months, day, lengths = self._parts(ordinals)
        ends = np.minimum(np.array(self.days[1:], dtype=np.int64), lengths[:, None])
        passed: Ints = (ends <= day[:, None]).sum(axis=1)
        return months * len(self.days) + passed

    def shift(self, ordinals: Ints, steps: Ints) -> Ints:
        months, index = np.divmod(self.position(ordinals) + steps * self.size, len(self.days))
        day = rule_day(months, "start") + np.array(self.days)[index] - 1
        moved: Ints = np.minimum(day, rule_day(months, "end")) * DAY + ordinals % DAY
        return moved

    def phase(self, ordinals: Ints) -> Ints:
        return (self.position(ordinals) + MONTHS_AN_ERA * len(self.days)) // self.size


def month_days(count: int, days: str) -> MonthDayStep | None:
    """Return the step of an alias such as `MS-15` (`days` is "15"), or None where there is none."""
    found = tuple(int(day) for day in days.split("-"))
    rising = list(found) == sorted(set(found)) and found[0] >= 1 and found[-1] <= LAST_DAY
    several = len(found) > 1 and (count > 1 or len(found) > MOST_DAYS or found[-2] > FEBRUARY)
    if not rising or several or not 1 <= count <= LONGEST // (31 * DAY):
        return None
    return MonthDayStep(count, found)


def days_of_month(days: Ints) -> Ints:
    """Return the day of the month, 1 to 31, of days since 1970."""
    return days - rule_day(months_of(days), "start") + 1


def common_day(days: Ints) -> int | None:
    """Return the day of the month, up to the 28th, that all days (since 1970) are on, or None."""
    found = np.unique(days_of_month(days))
    return int(found[0]) if len(found) == 1 and found[0] <= FEBRUARY else None
