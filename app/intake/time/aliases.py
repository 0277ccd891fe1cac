"""Frequencies as text: the aliases of pandas, old and new ones, and the steps that they name."""

import re
from dataclasses import dataclass

import numpy as np

from app.intake.arrays import Ints
from app.intake.time.integer_steps import IntegerStep
from app.intake.time.month_days import month_days
from app.intake.time.steps import (
    DAY,
    FIXED,
    LONGEST,
    MONTHS,
    RULES,
    WEEK,
    WEEKDAYS,
    BusinessDayStep,
    Family,
    FixedStep,
    MonthStep,
    Rule,
    Step,
    months_of,
)

OLD_NAMES = {
    "M": "ME",
    "Q": "QE",
    "Y": "YE",
    "A": "YE",
    "AS": "YS",
    "BM": "BME",
    "BQ": "BQE",
    "BY": "BYE",
    "BA": "BYE",
    "BAS": "BYS",
    "H": "h",
    "T": "min",
    "S": "s",
    "L": "ms",
    "U": "us",
    "d": "D",
    "w": "W",
    "b": "B",
}
DAYS = r"\d{1,2}(?:-\d{1,2}){0,7}"
_ALIAS = re.compile(
    rf"(?P<count>\d{{0,16}})(?P<name>[A-Za-z]{{1,4}})(?:-(?P<anchor>[A-Za-z]{{3}}|{DAYS}))?", re.ASCII
)
_MONTHLY = re.compile(r"(?P<business>B?)(?P<family>[MQY])(?P<suffix>[SE])")


@dataclass(frozen=True)
class Alias:
    """A frequency in its parts: `2W-MON` is 2, "W" and "MON"; old names are replaced by new ones.

    Beside the aliases of pandas there is `MS-15`: months by their 15th; `MS-1-15` is two steps a month.
    """

    text: str
    count: int
    name: str
    anchor: str | None

    @classmethod
    def parse(cls, text: str) -> "Alias | None":
        """Split an alias into its parts; return None if it has not the form of one."""
        found = _ALIAS.fullmatch(text.strip())
        if found is None:
            return None
        anchor = found["anchor"].upper() if found["anchor"] else None
        return cls(text, int(found["count"] or 1), OLD_NAMES.get(found["name"], found["name"]), anchor)

    def step(self, near: int | None = None) -> Step | None:
        """Return the step of this alias, or None; without an anchor the ordinal `near` decides it."""
        if self.count < 1:
            return None
        return self._month_step(near) if _MONTHLY.fullmatch(self.name) else self._day_step(near)

    def _day_step(self, near: int | None) -> Step | None:
        if self.name == "W":
            return self._week_step(near)
        if self.anchor is not None:
            return None
        if self.name == "B":
            return BusinessDayStep(self.count) if self.count * DAY <= LONGEST else None
        size = self.count * FIXED.get(self.name, 0)
        return FixedStep(size) if 0 < size <= LONGEST else None

    def _week_step(self, near: int | None) -> Step | None:
        default = WEEKDAYS[-1] if near is None else WEEKDAYS[(near // DAY + 3) % 7]
        anchor = self.anchor or default
        if anchor not in WEEKDAYS or self.count * WEEK > LONGEST:
            return None
        return FixedStep(self.count * WEEK, WEEKDAYS.index(anchor))

    def _month_step(self, near: int | None) -> Step | None:
        found = _MONTHLY.fullmatch(self.name)
        if self.name == "MS" and self.anchor and self.anchor[0].isdigit():
            return month_days(self.count, self.anchor)
        if found is None or self.count * 31 * DAY > LONGEST or (self.anchor and found["family"] == "M"):
            return None
        rule = RULES[found["business"] + found["suffix"]]
        family: Family = _FAMILIES[found["family"]]
        anchor = self.anchor or _usual_month(family, found["suffix"], near)
        if anchor not in MONTHS:
            return None
        return MonthStep(self.count, family, rule, 1 if family == "M" else MONTHS.index(anchor) + 1)


_FAMILIES: dict[str, Family] = {"M": "M", "Q": "Q", "Y": "Y"}


def step_of_months(count: int, rule: Rule, months: Ints) -> MonthStep:
    """Return the step of `count` months by a rule: years, quarters or months; `months` (from 1970) fit."""
    month = int(months[0]) % 12
    if count % 12 == 0 and np.all(months % 12 == month):
        return MonthStep(count // 12, "Y", rule, month + 1)
    if count % 3 == 0 and np.all(months % 3 == month % 3):
        return MonthStep(count // 3, "Q", rule, quarter_anchor(month + 1))
    return MonthStep(count, "M", rule)


def quarter_anchor(month: int) -> int:
    """Return the month (1 to 12) by which pandas names quarters on `month`: the last one in a year."""
    return 10 + (month - 1) % 3


def _usual_month(family: Family, suffix: str, near: int | None) -> str:
    if near is None:
        return "JAN" if suffix == "S" else "DEC"
    month = int(months_of(np.array([near // DAY]))[0]) % 12 + 1
    return MONTHS[(quarter_anchor(month) if family == "Q" else month) - 1]


def step_of(frequency: str | int, *, years: bool = False) -> Step:
    """Return the step of an axis' frequency; raises ValueError if it is none.

    Args:
        frequency: a pandas alias, or an integer step.
        years: read a yearly alias as steps between years written as integers.
    """
    if isinstance(frequency, int):
        if frequency < 1:
            raise ValueError(f"an integer frequency must be 1 or more, got {frequency}")
        return IntegerStep(frequency)
    alias = Alias.parse(frequency)
    step = alias.step() if alias else None
    if step is None:
        raise ValueError(f"{frequency!r} is not a frequency this service knows")
    if not years:
        return step
    if not isinstance(step, MonthStep) or step.size % 12:
        raise ValueError(f"{frequency!r} is not a yearly frequency")
    return IntegerStep(step.size // 12, years=True)
