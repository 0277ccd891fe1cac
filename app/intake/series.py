"""Turn rows in any order into series on regular steps, with a list of repairs."""

from dataclasses import dataclass, replace

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Floats, Ints
from app.intake.beside.judging import NOT_JUDGED, Judged
from app.intake.beside.laying import covariates_of
from app.intake.beside.places import Places
from app.intake.frame import SeriesFrame
from app.intake.grid.filling import StepValues, fill, refuse_short, refuse_vast, with_zeros
from app.intake.grid.within_steps import counted_within
from app.intake.oddities import (
    changed_notes,
    closed_notes,
    future_notes,
    lone_notes,
    lost_notes,
    refuse_changed,
    refuse_irregular,
    refuse_misfits,
    refuse_slow,
    report_moved,
    short_notes,
)
from app.intake.options import ReadOptions
from app.intake.problems import listed
from app.intake.repairs import Repairs, add_gaps
from app.intake.rows.local_times import in_zone
from app.intake.rows.rows import Rows, complete
from app.intake.rows.sorting import names_of, sort
from app.intake.time.aliases import Alias
from app.intake.time.axis import TimeAxis
from app.intake.time.dates import Hints
from app.intake.time.frequency import parse_frequency
from app.intake.time.notations.doubts import refuse_days_without_year, refuse_doubts
from app.intake.time.regular import Regular, regular
from app.intake.time.steps import Step
from app.intake.time.timeline import Timeline, step_counts
from app.intake.time.times import Times, read_times
from app.intake.time.zones import follows_clock, parse_zone


@dataclass(frozen=True)
class Gathered:
    """Series, with the repairs, the times and the columns beside the target that the profile reports."""

    frame: SeriesFrame
    repairs: Repairs
    times: Times
    judged: Judged


def gather(rows: Rows, options: ReadOptions) -> Gathered:
    """Return the series of the rows, on the step that nearly all of them take.

    Raises BadInput where a cell is wrong, a time repeats, a series has no value or all have only one, or the
    times take no regular step.
    """
    requested = parse_frequency(options.frequency)
    repairs = Repairs()
    dated = _dated(rows, options, requested, repairs)
    rows, times, kept = dated.rows, dated.times, dated.kept
    if options.joins_rows:
        times, kept = counted_within(rows.times, times, kept, requested)
    ordered = sort(rows, times, kept, options.duplicates, repairs)
    names = names_of(rows, ordered)
    values = np.add.reduceat(~np.isnan(ordered.y), ordered.timeline.starts, dtype=np.int64)
    refuse_short(names, values, too_few)
    _refuse_single(values)
    found = regular(ordered.timeline, times.kind, requested)
    refuse_misfits(rows, ordered.row, found, requested=requested is not None)
    axis = TimeAxis(times.kind, found.step.frequency, times.timezone, options.season_lengths, found.by_period)
    if options.missing is None:
        refuse_changed(rows, ordered.row, found, axis)
    _refuse_steps(names, found, axis, dated, options)
    now = found.times.unique[found.times.rank[found.moved]]
    report_moved(rows, ordered.row[found.moved], now, axis, repairs)
    frame = _grid(names, found.times, ordered.y, axis)
    if options.missing == "zero":
        frame = with_zeros(frame)
    shut = add_gaps(repairs, frame)
    judged = NOT_JUDGED
    if rows.beside:
        places = _places(found.times, frame, ordered.y)
        covariates, judged = covariates_of(rows.beside, ordered.repeats, places, rows.place)
        frame = replace(frame, covariates=covariates)
    on_step = (*found.notes, *changed_notes(rows, ordered.row, found))
    notes = (
        *times.notes,
        *ordered.notes,
        *(() if options.missing else on_step),  # which ask what a step without a row means
        *lost_notes(rows, repairs),
        *closed_notes(shut),
        *short_notes(names, values),
        *lone_notes(rows, ordered.row, found.times, ordered.y, axis),
        *future_notes(frame),
    )
    return Gathered(frame, repairs, replace(times, notes=notes), judged)


@dataclass(frozen=True)
class _Dated:
    """Rows with their times, and whether those are counted by the clock on the wall."""

    rows: Rows
    times: Times
    kept: Ints
    by_clock: bool = True


def _dated(rows: Rows, options: ReadOptions, requested: Alias | int | None, repairs: Repairs) -> _Dated:
    """Return the rows that count, with their times in the zone named; raises BadInput as `gather`."""
    kept = complete(rows, repairs)
    zone = parse_zone(options.time_zone)
    times = read_times(rows.texts, Hints(requested, options.date_format, in_utc=zone is not None))
    if options.date_format is None and times.kind == "datetime":
        read = kept[times.readable[rows.times[kept]]]
        refuse_days_without_year(rows.texts.tolist() if len(read) < len(kept) else ())
        refuse_doubts(times.date_format, rows.texts, times.ordinals, rows.series[read], rows.times[read])
    if zone is None:
        return _Dated(rows, times, kept)
    if times.kind != "datetime":
        detail = f"time_zone is for dates, and these times are {times.kind}s. Leave it out."
        raise BadInput(detail, [FieldError("#/time_zone", "only for dates")])
    used = np.unique(rows.times[kept])
    local = times.in_zone(zone, by_clock=True).ordinals[used[times.readable[used]]]
    step = requested.step(0) if isinstance(requested, Alias) else None
    by_clock = follows_clock(zone, local, step)
    return _Dated(*in_zone(rows, times, kept, zone, by_clock=by_clock), by_clock)


def _refuse_steps(
    names: tuple[str, ...], found: Regular, axis: TimeAxis, dated: _Dated, options: ReadOptions
) -> None:
    """Raise BadInput where there is no step, or another clock or series takes another one."""
    if axis.counts_instants == dated.by_clock:
        raise BadInput(
            f"In time_zone {axis.timezone} these times may take steps of {axis.frequency!r} or others. Say by"
            " frequency which are meant.",
            [FieldError("#/frequency", f"give the step of the series, such as {axis.frequency}")],
        )
    if options.missing is None:
        refuse_irregular(found, axis)
    if parse_frequency(options.frequency) is None:
        refuse_slow(names, found)
    _refuse_vast(found.times, found.step)


def too_few(short: list[str]) -> str:
    """Return what to say of series that are sent without a value; for `refuse_short`."""
    who = "1 series has" if len(short) == 1 else f"{len(short):,} series have"
    return f"{who} none: {listed(short)}. Add values or leave these series out."


def _refuse_single(values: Ints) -> None:
    """Raise BadInput unless a series has two values, which the step is found from."""
    if values.max() < 2:  # noqa: PLR2004 - a step is between two
        raise BadInput(
            "No series has two values at different times, so that nothing tells their step. Send at least two"
            " values of one series."
        )


def _refuse_vast(timeline: Timeline, step: Step) -> None:
    refuse_vast(
        step.frequency,
        int(step_counts(timeline, step).sum()),
        len(timeline.rank),
        "Give a longer frequency.",
        [FieldError("#/frequency", "too short a step for these times")],
    )


def _grid(names: tuple[str, ...], timeline: Timeline, y: Floats, axis: TimeAxis) -> SeriesFrame:
    step = axis.step
    number = timeline.since_start(step.position(timeline.unique)) // step.size
    series = np.repeat(np.arange(len(names), dtype=np.int64), timeline.lengths)
    begins = timeline.unique[timeline.rank[timeline.starts]]
    return fill(axis, names, StepValues(series, number, begins, y))


def _places(timeline: Timeline, frame: SeriesFrame, y: Floats) -> Places:
    """Return where rows stand in the series of a frame that was made of them."""
    step, lengths = frame.axis.step, timeline.lengths
    first = step.position(frame.ds[frame.offsets[:-1]])
    since = (step.position(timeline.unique)[timeline.rank] - np.repeat(first, lengths)) // step.size
    return Places(np.repeat(np.arange(len(lengths)), lengths), since, np.diff(frame.offsets), y)
