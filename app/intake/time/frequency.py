"""Find the regular step that the times of a dataset take, or check the frequency that the caller names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints, Mask
from app.intake.time.aliases import Alias, quarter_anchor
from app.intake.time.steps import (
    DAY,
    LONGEST,
    RULES,
    SATURDAY,
    WEEK,
    BusinessDayStep,
    FixedStep,
    MonthStep,
    Step,
    months_of,
    rule_day,
    weekday,
)

WHOLE = "[0-9]{1,20}"
LEAST_FILLED = 0.1  # a step found from the times must be filled to this share, or the times are irregular
KNOWN = "D, B, W-SUN, MS, ME, QS, QE, YS, YE, h, min, s, with a number before them (15min) where needed"


@dataclass(frozen=True)
class Timeline:
    """Rows sorted by series and time, without repeats: distinct times, and each row's index into them."""

    unique: Ints  # (times,) distinct ordinals, ascending
    rank: Ints  # (rows,) index into `unique`
    starts: Ints  # (series,) first row of each series

    @property
    def lengths(self) -> Ints:
        return np.diff(np.append(self.starts, len(self.rank)))

    def between(self, values: Ints) -> Ints:
        """Return the differences of `values` (one a distinct time) from row to row within each series."""
        return np.delete(np.diff(values[self.rank]), self.starts[1:] - 1)

    def since_start(self, values: Ints) -> Ints:
        """Return for each row the value at its time minus the value at the first time of its series."""
        rows = values[self.rank]
        return rows - np.repeat(rows[self.starts], self.lengths)

    def common(self, values: Ints) -> int:
        """Return the greatest common divisor of all differences; 0 if there are none."""
        return int(np.gcd.reduce(self.between(values), initial=0))


def one_series(unique: Ints) -> Timeline:
    return Timeline(unique, np.arange(len(unique), dtype=np.int64), np.zeros(1, dtype=np.int64))


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
            return _months(times, MonthStep(1, "M", rule))
    return _weeks(times) or _business_days(times)


def _months(times: Timeline, step: MonthStep) -> Step | None:
    position = step.position(times.unique)
    apart = times.common(position)
    if apart == 0:
        return None
    month = int(position[0]) % 12
    if apart % 12 == 0 and np.all(position % 12 == month):
        return MonthStep(apart // 12, "Y", step.rule, month + 1)
    if apart % 3 == 0 and np.all(position % 3 == month % 3):
        return MonthStep(apart // 3, "Q", step.rule, quarter_anchor(month + 1))
    return MonthStep(apart, "M", step.rule)


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


def misfits(times: Timeline, step: Step) -> Mask:
    """Return the rows whose time is not a whole number of steps after the first time of their series."""
    off_step = ~step.fits(times.unique)[times.rank]
    off_step |= times.since_start(step.position(times.unique)) % step.size != 0
    if step.keeps_clock:
        off_step |= times.since_start(times.unique % DAY) != 0
    return off_step


def filled(times: Timeline, step: Step) -> float:
    """Return the share of steps with a row, from the first to the last time of each series."""
    return len(times.rank) / int(step_counts(times, step).sum())


def step_counts(times: Timeline, step: Step) -> Ints:
    """Return the steps of each series from its first time to its last, inclusive; shape (series,)."""
    last = np.append(times.starts[1:], len(times.rank)) - 1
    counts: Ints = times.since_start(step.position(times.unique))[last] // step.size + 1
    return counts


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
