"""Find the step that nearly all rows take, and the rows that do not take it.

A step that all rows take and that they mostly fill is taken as it is. Else steps that at least 95 % of the
rows fall on are tried: the other rows are moved to the nearest step where that is unambiguous, or named.
"""

from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from app.intake.arrays import Ints, Mask
from app.intake.time.aliases import Alias
from app.intake.time.axis import Kind
from app.intake.time.candidates import Candidate, candidates, common_span, periods, spans
from app.intake.time.frequency import infer
from app.intake.time.integer_steps import IntegerStep
from app.intake.time.steps import DAY, WEEK, FixedStep, Step
from app.intake.time.timeline import (
    Change,
    Timeline,
    far_off,
    filled,
    misfits,
    one_series,
    step_counts,
    turning,
    without,
)

NEARLY_ALL = 0.95  # of the rows
PLAIN = 0.75  # a step filled to this share by all rows needs no other
LEAST_FILLED = 0.1  # of a calendar step, or the times are irregular
LEAST_SOLD = 0.02  # of the days, of which a row stands for few sales
FEWEST = 12  # rows, of which one may be wrong
FARTHEST = 6 * DAY  # a row is moved by a holiday, within its week
LEAST_PART = 4  # rows of a series that show a step of their own
MOST_SPLIT = 50  # series that are looked at for several steps, one after the other
MOST_TURNS = 3  # from one step to another


@dataclass(frozen=True)
class Regular:
    """The step, the times on it, and what did not fit."""

    step: Step
    times: Timeline
    moved: Mask  # (rows,) which were moved to the nearest step
    wrong: Mask  # (rows,) which fit no step unambiguously
    notes: tuple[str, ...] = ()
    is_regular: bool = True
    by_period: bool = False  # each row counts for the beginning of its step
    change: Change | None = None  # to another regular step, after which steps have no row
    is_far: bool = False  # those that are wrong lie far from all others


def regular(times: Timeline, kind: Kind, requested: Alias | int | None) -> Regular:
    """Return the step that was asked for, or that nearly all rows take; needs a series of two times."""
    if requested is not None and (step := _requested(times, kind, requested)) is not None:
        return Regular(step, times, _none(times), misfits(times, step))
    return _dates(times) if kind == "datetime" else _numbers(times, years=kind == "year")


def _requested(times: Timeline, kind: Kind, requested: Alias | int) -> Step | None:
    if isinstance(requested, int):
        return IntegerStep(requested)
    step = requested.step(int(times.unique[0]) if kind == "datetime" else None)
    return IntegerStep(step.size // 12, years=True) if step and kind == "year" else step


def _numbers(times: Timeline, *, years: bool) -> Regular:
    """Return the greatest step that all numbers take, or that nearly all do, with the others named."""
    exact = IntegerStep(times.common(times.unique), years=years)
    share = filled(times, exact)
    if share >= PLAIN:
        return _as_it_is(times, exact)
    span = common_span(times, IntegerStep(1, years=years))
    if span.step.size > exact.size and _explains(times, span):
        return Regular(span.step, times, _none(times), (span.off > 0)[times.rank])
    found = _sparse(times, exact, share, LEAST_FILLED)
    return replace(found, change=_change(times, exact))


def _dates(times: Timeline) -> Regular:
    if (far := far_off(times)) is not None:
        return Regular(infer(without(times, far)), times, _none(times), far, is_far=True)
    exact = infer(times)
    share = filled(times, exact)
    if share < PLAIN:
        better = _best(times, exact) or _by_period(times, exact)
        if better is not None:
            return better
    if share < PLAIN and (change := _change(times, exact)) is not None:
        return replace(_as_it_is(times, exact), change=change)
    if share >= 1 / 2 or _comes_in_blocks(times, exact):
        return _as_it_is(times, exact)
    few = len(times.rank) < FEWEST
    return _sparse(times, exact, share, LEAST_FILLED if few else LEAST_SOLD)


def slow_series(times: Timeline, step: Step) -> Ints:
    """Return the series that take a longer step throughout, where others take this one; numbers of series."""
    lengths = times.lengths
    steps = times.between(step.position(times.unique)) // step.size
    owner = np.repeat(np.arange(len(lengths)), lengths - 1)
    if not len(steps) or steps.max() == 1:
        return owner[:0]
    least = np.full(len(lengths), np.iinfo(np.int64).max)
    np.minimum.at(least, owner, steps)
    alike = np.bincount(owner[steps == least[owner]], minlength=len(lengths))
    constant = alike >= NEARLY_ALL * (lengths - 1)
    slow = constant & (least > 1) & (lengths > 4)  # noqa: PLR2004 - four differences may agree by chance
    fast = (least == 1) & (2 * alike >= lengths - 1) & (lengths > 1)
    return np.flatnonzero(slow & fast.any())


def _none(times: Timeline) -> Mask:
    return np.zeros(len(times.rank), dtype=np.bool_)


def _as_it_is(times: Timeline, step: Step, *notes: str) -> Regular:
    return Regular(step, times, _none(times), _none(times), notes)


def _sparse(times: Timeline, step: Step, share: float, least: float) -> Regular:
    """Return a step of the calendar that most rows leave out, with a note; or that there is no step."""
    if share >= 1 / 2:
        return _as_it_is(times, step)
    if (isinstance(step, FixedStep) and step.size % DAY) or share < least:
        return Regular(step, times, _none(times), _none(times), is_regular=False)
    steps = int(step_counts(times, step).sum())
    empty = steps - len(times.rank)
    note = (
        f"{empty:,} of {steps:,} steps of {step.frequency!r} have no row; if that means that nothing"
        " happened, say missing=zero."
    )
    return _as_it_is(times, step, note)


def _change(times: Timeline, exact: Step) -> Change | None:
    """Return where one of the first series goes from one regular step to another one; None for nowhere."""
    for series in np.flatnonzero(times.lengths >= FEWEST)[:MOST_SPLIT]:
        if (found := _turn(times.of_series(int(series)), exact, MOST_TURNS)) is not None:
            return replace(found, row=int(times.starts[series]) + found.row)
    return None


def _turn(unique: Ints, exact: Step, turns: int) -> Change | None:
    """Return where times of a series take another step, if it takes regular ones up to `turns` times."""
    found: list[tuple[int, Change]] = []
    rest: list[tuple[int, Ints]] = []
    for at in range(turn := turning(unique), turn + 3):
        first, second = unique[:at], unique[at:]
        if min(len(first), len(second)) < LEAST_PART:
            continue
        before, after = _own(first, exact), _own(second, exact)
        if before and after and _are_unlike(first, second):
            moved = int(before.moved.sum() + after.moved.sum())
            found.append((moved, Change(at, before.step, after.step)))
        elif turns > 1 and (before is None) != (after is None):
            rest.append((at, second) if before else (0, first))
    if found:
        return min(found, key=lambda each: (each[0], each[1].row))[1]
    inner = ((at, _turn(part, exact, turns - 1)) for at, part in rest if len(part) >= 2 * LEAST_PART)
    return next((replace(each, row=at + each.row) for at, each in inner if each is not None), None)


def _own(unique: Ints, exact: Step) -> Regular | None:
    """Return the step that some times of a series mostly fill; None if they fill none."""
    times = one_series(unique)
    if isinstance(exact, IntegerStep):
        step: Step = replace(exact, size=times.common(unique))
    else:
        step = infer(times)
    if filled(times, step) >= PLAIN:
        return _as_it_is(times, step)
    better = None if isinstance(exact, IntegerStep) else _best(times, step)
    return better if better is not None and not better.wrong.any() else None


def _are_unlike(before: Ints, after: Ints) -> bool:
    """Return whether times are mostly twice as far apart as others, or more."""
    short, long = sorted(float(np.median(np.diff(times))) for times in (before, after))
    return long >= 2 * short


def _comes_in_blocks(times: Timeline, step: Step) -> bool:
    """Return whether most rows are one step after the one before, as in a shop that is open by day."""
    apart = times.between(step.position(times.unique))
    return isinstance(step, FixedStep) and step.size < DAY and bool(np.mean(apart == step.size) >= 1 / 2)


def _best(times: Timeline, exact: Step) -> Regular | None:
    """Return the candidate that most rows fall on, if nearly all do and if they fill it."""
    found = [each for each in candidates(times, exact) if _explains(times, each)]
    if not found:
        return None
    best = max(found, key=lambda each: float((each.off == 0)[times.rank].mean()))
    return _moved(times, best)


def _explains(times: Timeline, each: Candidate) -> bool:
    fits = (each.off == 0)[times.rank]
    wrong = int(np.count_nonzero(~fits))
    most = max(int((1 - NEARLY_ALL) * len(fits)), int(len(fits) >= FEWEST))
    return wrong <= most and _filled(times, each) >= 1 / 2


def _filled(times: Timeline, each: Candidate) -> float:
    snapped = Timeline(each.nearest, times.rank, times.starts)
    return filled(snapped, each.step)


def _moved(times: Timeline, each: Candidate) -> Regular:
    off = each.off[times.rank]
    wrong = (off > farthest(each.step)) | ((off > 0) & _collides(times, each.nearest))
    unique, rank = np.unique(each.nearest, return_inverse=True)
    moved = Timeline(unique, rank[times.rank].astype(np.int64), times.starts)
    return Regular(each.step, moved if not wrong.any() else times, (off > 0) & ~wrong, wrong)


def farthest(step: Step) -> int:
    """Return the microseconds that a row is moved by at most: its week, or a quarter of a short step."""
    return min(FARTHEST, step.size // 4) if _is_short(step) else FARTHEST


def _is_short(step: Step) -> bool:
    return isinstance(step, FixedStep) and step.size % WEEK != 0


def _collides(times: Timeline, nearest: Ints) -> Mask:
    """Return the rows that would share their step with another row of their series."""
    same: Mask = np.diff(nearest[times.rank]) == 0
    same[times.starts[1:] - 1] = False
    edge = np.zeros(1, dtype=np.bool_)
    shared: Mask = np.append(same, edge) | np.append(edge, same)
    return shared


def _by_period(times: Timeline, exact: Step) -> Regular | None:
    """Return weeks, months or years that nearly always have one row each, on whatever day."""
    for step, begins, words in chain(periods(times), spans(times, exact)):
        apart = times.between(step.position(begins)) // step.size
        if len(apart) >= 3 and apart.min() > 0 and np.mean(apart == 1) >= NEARLY_ALL:  # noqa: PLR2004 - two may agree
            unique, rank = np.unique(begins, return_inverse=True)
            moved = Timeline(unique, rank[times.rank].astype(np.int64), times.starts)
            when = "times" if _is_short(step) else "days"
            note = f"The rows fall on changing {when}, one in each {words}, and count for its beginning."
            return replace(_as_it_is(moved, step, note), by_period=True)
    return None
