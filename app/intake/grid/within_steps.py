"""Times that count for the step they lie in, such as receipts for their day, where that is said."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.intake.arrays import Ints
from app.intake.grid.points import off_step
from app.intake.time.aliases import Alias
from app.intake.time.axis import TimeAxis
from app.intake.time.steps import DAY, WEEK, FixedStep, MonthStep, Step, months_of, rule_day, weekday
from app.intake.time.times import Times

Places = Callable[[Ints], Ints]  # times to where their steps are counted


def counted_within(
    codes: Ints, times: Times, kept: Ints, requested: Alias | int | None
) -> tuple[Times, Ints]:
    """Return times as where their steps are counted, and the rows that count, in order of time.

    So it is where a frequency is said and some times lie between its steps; else times are as they were.

    Args:
        codes: (rows,) into the times.
        times: as they were read.
        kept: the rows that count.
        requested: the frequency, if it is said.
    """
    found = _found(codes, times, kept)
    if not isinstance(requested, Alias) or not len(found):
        return times, kept
    first = int(found.min())
    usual, step = requested.step(first), requested.step()
    if usual is None or step is None or not _is_between(times, found, first, usual):
        return times, kept
    return _within(codes, times, kept, step, first)


def added_within(codes: Ints, times: Times, kept: Ints, axis: TimeAxis, end: str | int) -> tuple[Times, Ints]:
    """Return the same for rows to append to a dataset, if its last time `end` is where steps are counted."""
    step, found, last = axis.step, _found(codes, times, kept), int(axis.ordinals([end])[0])
    if not len(found) or not _is_between(times, found, last, step):
        return times, kept
    places = _places(step, last)
    if places is None or places(np.array([last]))[0] != last:
        return times, kept
    return _within(codes, times, kept, step, last)


def _found(codes: Ints, times: Times, kept: Ints) -> Ints:
    used = np.unique(codes[kept])
    return times.ordinals[used[times.readable[used]]]


def _is_between(times: Times, found: Ints, one: int, step: Step) -> bool:
    """Return whether dates lie between the steps counted from `one`."""
    return times.kind == "datetime" and bool(off_step(found, np.full_like(found, one), step).any())


def _within(codes: Ints, times: Times, kept: Ints, step: Step, first: int) -> tuple[Times, Ints]:
    places = _places(step, first)
    if places is None:
        return times, kept
    ordinals = np.where(times.readable, places(np.where(times.readable, times.ordinals, 0)), times.ordinals)
    order = np.argsort(times.ordinals[codes[kept]], kind="stable")  # the last in time is the last
    ends = isinstance(step, MonthStep) and "end" in step.rule
    ends |= isinstance(step, FixedStep) and step.on_weekday is not None
    which = "end" if ends else "beginning"
    note = f"Times count for the step of {step.frequency!r} they lie in, which is named by its {which}."
    return replace(times, ordinals=ordinals, notes=(*times.notes, note)), kept[order]


def _places(step: Step, first: int) -> Places | None:
    """Return what names the step that times lie in, several days counted from `first`.

    None for business days and days of the month.
    """
    if isinstance(step, MonthStep):
        return lambda ordinals: _by_month(step, ordinals)
    if not isinstance(step, FixedStep):
        return None
    if step.on_weekday is None:
        begin = first // DAY * DAY
        return lambda ordinals: begin + (ordinals - begin) // step.size * step.size
    end = _week_end(step, np.array([first]))[0]
    return lambda ordinals: end - (end - _week_end(step, ordinals)) // step.size * step.size


def _week_end(step: FixedStep, ordinals: Ints) -> Ints:
    days = ordinals // DAY
    return (days + ((step.on_weekday or 0) - weekday(days)) % (WEEK // DAY)) * DAY


def _by_month(step: MonthStep, ordinals: Ints) -> Ints:
    months = months_of(ordinals // DAY)
    since = months + 1 - step.anchor
    whole = (since + step.size - 1) if "end" in step.rule else since
    return rule_day(whole // step.size * step.size - 1 + step.anchor, step.rule) * DAY
