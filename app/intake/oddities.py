"""Name the rows and series unlike the others: off the step, of another step, single, in the future."""

from datetime import UTC, datetime

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints
from app.intake.frame import SeriesFrame
from app.intake.problems import listed, refuse_rows
from app.intake.repairs import Repairs
from app.intake.rows import Rows
from app.intake.time.axis import TimeAxis
from app.intake.time.frequency import infer
from app.intake.time.regular import Regular, slow_series
from app.intake.time.steps import DAY
from app.intake.time.timeline import Timeline, filled, one_series
from app.schemas.datasets import Repair

SEEN = 4


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


def refuse_slow(names: tuple[str, ...], found: Regular) -> None:
    """Raise MixedSteps naming the series that take a longer step than the others, if there are any."""
    slow = slow_series(found.times, found.step)
    if not len(slow):
        return
    frequency = found.step.frequency
    own = "longer"
    if isinstance(frequency, str):
        own = str(infer(_of_series(found.times, int(slow[0]))).frequency)
    raise MixedSteps(
        f"Series {listed(names[i] for i in slow)} take other steps ({own}) than the rest ({frequency})."
        f" Send them as another dataset, or say frequency={frequency} if the steps between are gaps.",
        [FieldError("#/frequency", f"{frequency!r}, if the steps between are gaps")],
    )


def _of_series(times: Timeline, series: int) -> Timeline:
    first = int(times.starts[series])
    rank = times.rank[first : first + int(times.lengths[series])]
    return one_series(times.unique[rank])


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


def short_notes(names: tuple[str, ...], values: Ints) -> tuple[str, ...]:
    """Return a note on the series of a single value; `values` (series,) counts them."""
    single = [names[i] for i in np.flatnonzero(values == 1)]
    if not single:
        return ()
    who = "1 series has" if len(single) == 1 else f"{len(single):,} series have"
    return (f"{who} a single value, which trainings learn nothing from: {listed(single)}.",)


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
