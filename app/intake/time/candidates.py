"""Steps that most of the times may take: weeks, months by a rule or a day, fixed spans."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from app.intake.arrays import Ints, Mask
from app.intake.time.aliases import step_of_months
from app.intake.time.integer_steps import IntegerStep
from app.intake.time.month_days import FEBRUARY, LAST_DAY, MOST_DAYS, MonthDayStep, days_of_month
from app.intake.time.steps import (
    DAY,
    HOUR,
    MINUTE,
    RULES,
    WEEK,
    FixedStep,
    MonthStep,
    Step,
    months_of,
    rule_day,
    steps_between,
    weekday,
)
from app.intake.time.timeline import Timeline

MONTH = 30.44  # days
SHORTEST_WEEK, LONGEST_WEEK = 5, 9  # days between reports of two weeks
SHORTEST_MONTH, LONGEST_MONTH = 20, 45
SHORTEST_YEAR, LONGEST_YEAR = 330, 400
LEAST_MONTHS = 3  # that have a day, for it to be one of several steps a month
SPANS = {
    DAY: "day",
    HOUR: "hour",
    30 * MINUTE: "half-hour",
    15 * MINUTE: "quarter of an hour",
    10 * MINUTE: "ten minutes",
    5 * MINUTE: "five minutes",
    MINUTE: "minute",
}
LEAST_SPANS = 12  # times that show it
ODD_SPAN = 0.1  # by which the median of differences may be off a span
HALF_PERIOD = 14  # days from the end of a period of four or five weeks to its middle


@dataclass(frozen=True)
class Candidate:
    """A step, and for each distinct time the nearest that is on it."""

    step: Step
    nearest: Ints  # (times,)
    off: Ints  # (times,) microseconds from there


def candidates(times: Timeline, exact: Step) -> Iterator[Candidate]:
    """Yield steps that many times fall on, longer than `exact`, with the nearest of their times."""
    apart = int(np.median(times.between(times.unique)))
    if apart >= SHORTEST_WEEK * DAY:
        yield from _weeks(times, apart)
        yield from _months(times, apart)
        yield from _month_days(times, apart)
    if isinstance(exact, FixedStep):
        span = common_span(times, exact)
        if exact.size < span.step.size < WEEK:
            yield span


def common_span(times: Timeline, step: FixedStep | IntegerStep) -> Candidate:
    """Return the most common difference of times as a step of this kind, with the nearest times on it."""
    span = _mode(times.between(times.unique), None)
    return _on(times, replace(step, size=span), times.unique % span)


def spans(times: Timeline, exact: Step) -> Iterator[tuple[Step, Ints, str]]:
    """Yield days, hours and parts of them, longer than `exact`, as they may have one row each.

    Times count for the beginning of their span, or for the nearest one where that is not plain.
    """
    apart = float(np.median(times.between(times.unique))) if len(times.unique) >= LEAST_SPANS else 0.0
    for size, words in SPANS.items():
        if exact.size < size and abs(apart / size - 1) <= ODD_SPAN:
            for later in (0, size // 2):
                yield FixedStep(size), (times.unique + later) // size * size, words


def periods(times: Timeline) -> Iterator[tuple[Step, Ints, str]]:
    """Yield weeks, months and years as they may have one row each, and when those of the times begin."""
    apart = float(np.median(times.between(times.unique))) / DAY
    days = times.unique // DAY
    if SHORTEST_WEEK <= apart <= LONGEST_WEEK:
        yield FixedStep(WEEK, 0), (days - weekday(days)) * DAY, "week"
    if SHORTEST_MONTH <= apart <= LONGEST_MONTH:
        for middle in (0, HALF_PERIOD, -HALF_PERIOD):
            months = months_of(days + middle)
            yield MonthStep(1, "M", "start"), rule_day(months, "start") * DAY, "month"
    if SHORTEST_YEAR <= apart <= LONGEST_YEAR:
        years = months_of(days) // 12 * 12
        yield MonthStep(1, "Y", "start"), rule_day(years, "start") * DAY, "year"


def _mode(values: Ints, weights: Ints | None) -> int:
    distinct, which = np.unique(values, return_inverse=True)
    return int(distinct[np.bincount(which, weights).argmax()])


def _rows(times: Timeline) -> Ints:
    """Return how many rows each distinct time has."""
    return np.bincount(times.rank, minlength=len(times.unique)).astype(np.int64)


def _on(times: Timeline, step: Step, places: Ints) -> Candidate:
    """Return a candidate that goes through the times at the most common of their `places`."""
    place = _mode(places, _rows(times))
    origin = int(times.unique[places == place][0])
    return nearest(times.unique, step, origin)


def nearest(unique: Ints, step: Step, origin: int | Ints) -> Candidate:
    """Return for each time the nearest on a step through `origin`, or its own, which must fit it."""
    start = np.broadcast_to(np.asarray(origin, dtype=np.int64), unique.shape)
    number = steps_between(step, start, unique)
    found = step.shift(start, number)
    for near in (1, -1):
        other = step.shift(start, number + near)
        found = np.where(np.abs(other - unique) < np.abs(found - unique), other, found)
    return Candidate(step, found, np.abs(found - unique))


def _weeks(times: Timeline, apart: int) -> Iterator[Candidate]:
    count = max(1, round(apart / WEEK))
    places = times.unique % (count * WEEK)
    on = weekday(np.array([_mode(places, _rows(times)) // DAY]))
    yield _on(times, FixedStep(count * WEEK, int(on[0])), places)


def _months(times: Timeline, apart: int) -> Iterator[Candidate]:
    count = round(apart / DAY / MONTH)
    if count < 1:
        return
    days = times.unique // DAY
    months = months_of(days)
    clock = times.unique % DAY
    for rule in RULES.values():
        fits = rule_day(months, rule) == days
        if fits.any():
            month = _mode(months[fits] % count, _rows(times)[fits])
            through = fits & (months % count == month)
            yield nearest_of(
                times, step_of_months(count, rule, months[through]), through & _common(clock, times, through)
            )
    day = _mode(days_of_month(days), _rows(times))
    if 1 < day < LAST_DAY:
        on = days_of_month(days) == day
        month = _mode(months[on] % count, _rows(times)[on])
        through = on & (months % count == month)
        yield nearest_of(times, MonthDayStep(count, (day,)), through & _common(clock, times, through))


def nearest_of(times: Timeline, step: Step, through: Mask) -> Candidate:
    """Return the candidate through the first of some times."""
    return nearest(times.unique, step, int(times.unique[through][0]))


def _common(clock: Ints, times: Timeline, some: Mask) -> Mask:
    """Return the times at the most common time of day of `some`."""
    common: Mask = clock == _mode(clock[some], _rows(times)[some])
    return common


def _month_days(times: Timeline, apart: int) -> Iterator[Candidate]:
    """Yield two to eight steps a month, on days that hardly any row is not on."""
    if apart >= SHORTEST_MONTH * DAY:
        return
    days = times.unique // DAY
    ends = rule_day(months_of(days), "end") == days
    found = np.where(ends & (days_of_month(days) > FEBRUARY - 1), LAST_DAY, days_of_month(days))
    counts = np.bincount(found, _rows(times), minlength=LAST_DAY + 1)
    common = np.flatnonzero(counts >= counts.max() / 2)
    known = counts[common].min() >= LEAST_MONTHS
    if known and 1 < len(common) <= MOST_DAYS and common[-2] <= FEBRUARY:
        yield nearest_of(times, MonthDayStep(1, tuple(int(day) for day in common)), np.isin(found, common))
