"""Name the rows and series unlike the others: off the step, of another step, single, in the future."""

from datetime import UTC, datetime

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Floats, Ints
from app.intake.frame import SeriesFrame
from app.intake.problems import listed, refuse_rows
from app.intake.repairs import Repairs
from app.intake.rows.rows import Rows
from app.intake.time.axis import TimeAxis
from app.intake.time.frequency import infer
from app.intake.time.regular import Regular, slow_series
from app.intake.time.steps import DAY
from app.intake.time.timeline import Change, Timeline, filled, one_series
from app.schemas.datasets import Repair

SEEN = 4
LEAST_OTHERS = 12  # values, beside which one may stand alone
LONG_GAP = 1 / 4  # of the steps that the others take
LONGER = 3  # times the longest gap between the others
FEW_LOST = 0.1  # of the rows, which may be left out without a note


def refuse_misfits(rows: Rows, row: Ints, found: Regular, *, requested: bool) -> None:
    """Raise BadInput naming the rows that are not on the step, if there are any.

    `requested` says that the caller named the step.
    """
    wrong = np.sort(row[found.wrong])
    if not len(wrong):
        return
    frequency = found.step.frequency
    if found.is_far:
        off, mend = "lies far from all others", f"say frequency={frequency} if they are right"
        what = "Some times lie farther from all others than those reach, as a mistyped year does"
    elif requested:
        off, mend = f"is not on a step of {frequency!r}", "leave frequency out to have it found"
        what = f"Some times do not fit the frequency {frequency!r}"
    else:
        off, mend = f"is not on a step of {frequency!r}", "say by frequency which step is meant"
        what = f"Nearly all rows take steps of {frequency!r}, and some do not, nor is a free step near them"
    raise refuse_rows(
        rows.place,
        "ds",
        wrong,
        lambda row: f"{rows.time(row)[:40]!r} {off}",
        f"{what}; correct them, or {mend}",
    )


class MixedSteps(BadInput):
    """Some series take longer steps than the others; the first sentence names them."""


def refuse_irregular(found: Regular, axis: TimeAxis) -> None:
    """Raise BadInput if no regular step was found."""
    if found.is_regular:
        return
    timeline = found.times
    share = filled(timeline, found.step)
    seen = ", ".join(str(time) for time in axis.format(timeline.unique[timeline.rank[:SEEN]]))
    raise BadInput(
        f"The times take no regular step: the closest, {axis.frequency!r}, has a row for only {share:.1%} of"
        f" its steps (the first times are {seen}). If there is a regular step, name it with the frequency"
        " parameter.",
        [FieldError("#/frequency", "give the step of the series, such as D, W-SUN, MS or h")],
    )


def refuse_changed(rows: Rows, row: Ints, found: Regular, axis: TimeAxis) -> None:
    """Raise BadInput naming the row where a step changes, if most of the shorter steps have no row."""
    change = found.change
    if change is None or filled(found.times, found.step) >= 1 / 2:
        return
    number = int(row[change.row])
    raise BadInput(
        f"{_changing(rows, number, change)} Send the rows before and after it as datasets of their own, or"
        f" bring them to one step; or say frequency={axis.frequency} if the steps between are gaps, or"
        " missing=zero if nothing happened there.",
        [
            FieldError(rows.place.pointer(number, "ds"), f"the step changes at {rows.time(number)[:40]!r}"),
            FieldError("#/frequency", f"{axis.frequency!r}, if the steps between are gaps"),
        ],
    )


def changed_notes(rows: Rows, row: Ints, found: Regular) -> tuple[str, ...]:
    """Return a note on a step that changes within a series, if one does."""
    change = found.change
    if change is None:
        return ()
    return (f"{_changing(rows, int(row[change.row]), change)} The steps without a row are gaps.",)


def _changing(rows: Rows, number: int, change: Change) -> str:
    return (
        f"From {rows.place.noun} {rows.place.number(number)} on, {rows.time(number)[:40]!r}, the rows of"
        f" {rows.name(number)!r} take steps of {change.after.frequency!r}, and those before take"
        f" {change.before.frequency!r}."
    )


def refuse_slow(names: tuple[str, ...], found: Regular) -> None:
    """Raise MixedSteps naming the series that take a longer step than the others, if there are any."""
    slow = slow_series(found.times, found.step)
    if not len(slow):
        return
    frequency = found.step.frequency
    own = "longer"
    if isinstance(frequency, str):
        own = str(infer(one_series(found.times.of_series(int(slow[0])))).frequency)
    raise MixedSteps(
        f"Series {listed(names[i] for i in slow)} take other steps ({own}) than the rest ({frequency})."
        f" Send them as another dataset, or say frequency={frequency} if the steps between are gaps.",
        [FieldError("#/frequency", f"{frequency!r}, if the steps between are gaps")],
    )


def report_moved(rows: Rows, row: Ints, now: Ints, axis: TimeAxis, repairs: Repairs) -> None:
    """Report rows that were moved to the nearest step: `row` of the upload, `now` their times."""
    times = axis.format(now)

    def word(at: int) -> Repair:
        number = int(row[at])
        detail = f"{rows.time(number)} is not on a step of {axis.frequency!r} and counts for {times[at]}"
        return rows.repair("moved", number, detail)

    repairs.add("moved", np.arange(len(row)), word)


def closed_notes(steps: int) -> tuple[str, ...]:
    """Return a note on steps at which a series never has a value, if there are any."""
    note = (
        f"{steps:,} steps without a row are no gaps: they lie where a series never has a value, as on the"
        " Sundays of a shop, and get no forecast."
    )
    return (note,) if steps else ()


def lost_notes(rows: Rows, repairs: Repairs) -> tuple[str, ...]:
    """Return a note on rows that are left out, where they are a tenth of all or more."""
    lost = repairs.counts["refused"]
    if lost < max(FEW_LOST * len(rows.y), 1):
        return ()
    first = next(each for each in repairs.listed if each.kind == "refused")
    of = f"{lost:,} of {len(rows.y):,} {rows.place.noun}s do not count"
    return (f"{of}, the first is {first.row}: {first.detail}.",)


def short_notes(names: tuple[str, ...], values: Ints) -> tuple[str, ...]:
    """Return a note on the series of a single value; `values` (series,) counts them."""
    single = [names[i] for i in np.flatnonzero(values == 1)]
    if not single:
        return ()
    who = "1 series has" if len(single) == 1 else f"{len(single):,} series have"
    return (f"{who} a single value, which trainings learn nothing from: {listed(single)}.",)


def lone_notes(rows: Rows, row: Ints, times: Timeline, y: Floats, axis: TimeAxis) -> tuple[str, ...]:
    """Return notes on first and last values far from the others of their series, as by a mistyped year.

    Args:
        rows: the upload.
        row: (kept,) rows of it, sorted by series and time.
        times: when they are.
        y: (kept,) their values.
        axis: the steps they take.
    """
    some = np.flatnonzero(~np.isnan(y))
    position = (axis.step.position(times.unique) // axis.step.size)[times.rank[some]]
    first = np.searchsorted(some, times.starts)  # each has a value
    last = np.append(first[1:], len(some)) - 1
    end = len(some) - 1  # the first values are the last ones of the times read backwards
    after = _alone(position, first, last)
    np.negative(position, out=position)
    before = _alone(position[::-1], end - last[::-1], end - first[::-1])[::-1]
    found = [
        *((last[i], "last", f"{after[i]:,} steps after") for i in np.flatnonzero(after)),
        *((first[i], "first", f"{before[i]:,} steps before") for i in np.flatnonzero(before)),
    ]
    notes = [_lone(rows, int(row[some[at]]), which, apart) for at, which, apart in found[:SEEN]]
    if len(found) > SEEN:
        notes.append(f"So do first or last values of {len(found) - SEEN:,} more series.")
    return tuple(notes)


def _lone(rows: Rows, number: int, which: str, apart: str) -> str:
    where = f"{rows.time(number)[:40]!r} in {rows.place.noun} {rows.place.number(number)}"
    return f"The {which} value of {rows.name(number)!r}, {where}, comes {apart} the others: a mistyped date?"


def _alone(position: Ints, first: Ints, last: Ints) -> Ints:
    """Return the steps to the last value of each series from the one before, 0 where it does not stand alone.

    It does after a quarter of the steps of all others, and three times their longest gap.
    """
    gaps = np.zeros_like(position)
    np.subtract(position[1:], position[:-1], out=gaps[:-1])
    gaps[last] = 0
    known = last - first >= LEAST_OTHERS
    before = last[known] - 1
    final = np.zeros(len(first), dtype=np.int64)
    final[known] = gaps[before]
    rest = np.zeros(len(first), dtype=np.int64)
    rest[known] = position[before] - position[first[known]]
    gaps[before] = 0
    longest = np.maximum.reduceat(gaps, first)
    alone = (final > LONG_GAP * rest) & (final > LONGER * longest)
    return np.where(alone, final, 0)


def future_notes(frame: SeriesFrame) -> tuple[str, ...]:
    """Return a note on values that lie in the future."""
    if frame.axis.kind == "integer":
        return ()
    now = datetime.now(UTC)
    today = now.year if frame.axis.kind == "year" else int(now.timestamp()) // 86_400 * DAY + DAY
    ahead = ~np.isnan(frame.y) & (frame.ds > today)
    count = int(np.count_nonzero(ahead))
    if not count:
        return ()
    first = frame.axis.format(frame.ds[ahead][:1])[0]
    lie = "1 value lies" if count == 1 else f"{count:,} values lie"
    return (f"{lie} in the future, from {first} on.",)
