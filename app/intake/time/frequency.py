"""Find the regular step that the times of a dataset take, or check the frequency that the caller names."""

import re
from collections.abc import Iterator

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints
from app.intake.time.aliases import Alias, step_of_months
from app.intake.time.month_days import MonthDayStep, common_day
from app.intake.time.steps import (
    DAY,
    LONGEST,
    RULES,
    SATURDAY,
    WEEK,
    BusinessDayStep,
    FixedStep,
    Step,
    months_of,
    rule_day,
    weekday,
)
from app.intake.time.timeline import Timeline, filled, misfits, one_series

WHOLE = "[0-9]{1,20}"
KNOWN = "D, B, W-SUN, MS, ME, QS, QE, YS, YE, h, min, s, with a number before them (15min) where needed"


def parse_frequency(frequency: str | int | None) -> Alias | int | None:
    """Parse the requested frequency.

    Raises BadInput unless it is a known pandas alias or a positive integer.
    """
    if frequency is None or (isinstance(frequency, str) and not frequency.strip()):
        return None
    if isinstance(frequency, int) or re.fullmatch(WHOLE, frequency.strip()):
        return _whole(int(frequency), frequency)
    alias = Alias.parse(frequency)
    if alias is None or alias.step() is None:
        raise _unknown(frequency)
    return alias


def _whole(step: int, frequency: str | int) -> int:
    if not 1 <= step <= LONGEST:
        raise _unknown(frequency)
    return step


def _unknown(frequency: str | int) -> BadInput:
    detail = (
        f"frequency {str(frequency)[:40]!r} is not known; use a pandas alias ({KNOWN}) or an integer step."
    )
    return BadInput(detail, [FieldError("#/frequency", "not a pandas alias and not a positive integer")])


def infer(times: Timeline) -> Step:
    """Return the longest step that all dates fit, calendar steps before fixed ones.

    Needs a series of two times at least.
    """
    found = _calendar(times)
    return found or FixedStep(times.common(times.unique))


def _calendar(times: Timeline) -> Step | None:
    days = times.unique // DAY
    if np.any(times.between(times.unique - days * DAY)):
        return None
    for rule in RULES.values():
        if np.array_equal(rule_day(months_of(days), rule), days):
            months = months_of(days)
            apart = times.common(months)
            return step_of_months(apart, rule, months) if apart else None
    return _month_days(times) or _weeks(times) or _business_days(times)


def _month_days(times: Timeline) -> Step | None:
    """Return the step of times that are all on one day of the month, such as the 15th, else None."""
    day = common_day(times.unique // DAY)
    if day is None:
        return None
    apart = times.common(months_of(times.unique // DAY))
    return MonthDayStep(apart, (day,)) if apart else None


def _weeks(times: Timeline) -> Step | None:
    apart = times.common(times.unique)
    on = weekday(times.unique // DAY)
    if apart == 0 or apart % WEEK or np.any(on != on[0]):
        return None
    return FixedStep(apart, int(on[0]))


def _business_days(times: Timeline) -> Step | None:
    """Return the step of business days for daily times that skip the weekends between them, else None."""
    step = BusinessDayStep(1)
    days = times.unique // DAY
    if np.any(weekday(days) >= SATURDAY) or times.common(days) != 1:
        return None
    skips = np.any(times.between(days) > times.between(step.position(times.unique)))
    return step if skips else None


def reads_as_regular(unique: Ints, requested: Alias | None) -> bool:
    """Return whether dates, of all series together, fill at least half of a regular step.

    Decides between day-first and month-first where single dates do not.
    """
    if len(unique) < 3:  # noqa: PLR2004 - two times always are one step apart
        return True
    times = one_series(unique)
    return any(
        not misfits(times, step).any() and filled(times, step) >= 1 / 2 for step in _tried(times, requested)
    )


def _tried(times: Timeline, requested: Alias | None) -> Iterator[Step]:
    step = requested.step(int(times.unique[0])) if requested else infer(times)
    if step is not None:
        yield step
