"""Turn rows in any order into series on regular steps, with a list of repairs."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints, Mask
from app.intake.frame import SeriesFrame
from app.intake.grid import StepValues, fill, refuse_short, refuse_vast
from app.intake.problems import Place, listed, refuse_rows
from app.intake.repairs import Repairs, add_gaps
from app.intake.time.aliases import Alias
from app.intake.time.axis import TimeAxis
from app.intake.time.frequency import (
    LEAST_FILLED,
    Timeline,
    filled,
    infer,
    misfits,
    parse_frequency,
    step_counts,
)
from app.intake.time.steps import IntegerStep, Step
from app.intake.time.times import Times, read_times
from app.schemas.datasets import MAX_SERIES_NAME_LENGTH, Repair
from app.schemas.fields import NAME_RULE, forbidden_character

Floats = NDArray[np.float64]
SEEN = 4


@dataclass(frozen=True)
class Rows:
    """An upload row by row: codes into its distinct names and times; -1 marks an empty cell."""

    place: Place
    series: Ints  # (rows,) codes into `names`
    names: tuple[str, ...]  # sorted
    times: Ints  # (rows,) codes into `texts`
    texts: "pd.Series[str]"  # distinct, numbered from 0
    y: Floats  # (rows,) NaN where empty

    def name(self, row: int) -> str | None:
        code = int(self.series[row])
        return self.names[code] if code >= 0 else None

    def time(self, row: int) -> str:
        return str(self.texts.iloc[int(self.times[row])])


@dataclass(frozen=True)
class Sorted:
    """The rows that are kept, sorted by series and time, without repeats."""

    row: Ints  # (kept,) row of the upload
    timeline: Timeline
    y: Floats  # (kept,)


@dataclass(frozen=True)
class Gathered:
    """Series, with the repairs and the times that the profile reports."""

    frame: SeriesFrame
    repairs: Repairs
    times: Times


def gather(
    rows: Rows, frequency: str | int | None, season_lengths: tuple[int, ...] | None = None
) -> Gathered:
    """Return the series of the rows, on regular steps.

    Raises BadInput where a cell is wrong, a series has fewer than two values, or the times take no regular
    step.
    """
    requested = parse_frequency(frequency)
    repairs = Repairs()
    kept = complete(rows, repairs)
    times = read_times(rows.texts, requested)
    refuse_unreadable(rows, times, kept)
    ordered = sort(rows, times, kept, repairs)
    names = names_of(rows, ordered)
    values = np.add.reduceat(~np.isnan(ordered.y), ordered.timeline.starts, dtype=np.int64)
    refuse_short(names, values, too_few)
    step = _step(ordered, times, requested)
    axis = TimeAxis(times.kind, step.frequency, times.timezone, season_lengths)
    _refuse_misfits(rows, ordered, step)
    if requested is None:
        _refuse_irregular(ordered.timeline, step, axis)
    _refuse_vast(ordered.timeline, step)
    frame = _grid(names, ordered, axis)
    add_gaps(repairs, frame)
    return Gathered(frame, repairs, times)


def complete(rows: Rows, repairs: Repairs) -> Ints:
    """Return the rows that have a time and a name; report the others, unless they are blank.

    Raises BadInput if no row has both.
    """
    whole = (rows.times >= 0) & (rows.series >= 0)
    blank = (rows.times < 0) & (rows.series < 0) & np.isnan(rows.y)

    def word(row: int) -> Repair:
        missing = "time" if rows.times[row] < 0 else "series name"
        detail = f"the {rows.place.noun} has no {missing} and was left out"
        return _repair(rows, "refused", row, detail)

    repairs.add("refused", np.flatnonzero(~whole & ~blank), word)
    if not whole.any():
        raise BadInput("No row has both a time and a series name. Send at least two rows for each series.")
    return np.flatnonzero(whole)


def _repair(rows: Rows, kind: Literal["duplicate", "refused"], row: int, detail: str) -> Repair:
    return Repair(kind=kind, unique_id=rows.name(row), row=rows.place.number(row), detail=detail)


def refuse_unreadable(rows: Rows, times: Times, kept: Ints) -> None:
    wrong = kept[~times.readable[rows.times[kept]]]
    if len(wrong):
        raise refuse_rows(
            rows.place,
            "ds",
            wrong,
            lambda row: f"{rows.time(row)[:40]!r} is not a time like the others",
            f"Some times cannot be read as {times.date_format}; correct or delete these cells,"
            " or write all times as ISO 8601 (2024-01-31)",
        )


def sort(rows: Rows, times: Times, kept: Ints, repairs: Repairs) -> Sorted:
    """Sort rows by series and time; of rows with equal times keep the last."""
    used = np.unique(rows.times[kept])
    unique, rank_of_used = np.unique(times.ordinals[used], return_inverse=True)
    rank_of_text = np.zeros(len(rows.texts), dtype=np.int64)
    rank_of_text[used] = rank_of_used
    key = rows.series[kept] * len(unique) + rank_of_text[rows.times[kept]]
    if np.any(key[1:] < key[:-1]):
        order = np.argsort(key, kind="stable")
        key, kept = key[order], kept[order]
    again = np.append(key[1:] == key[:-1], False)
    _report_duplicates(rows, kept, again, repairs)
    key, kept = key[~again], kept[~again]
    series = key // len(unique)
    starts = np.flatnonzero(np.append(True, series[1:] != series[:-1]))
    return Sorted(kept, Timeline(unique, key - series * len(unique), starts), rows.y[kept])


def _report_duplicates(rows: Rows, ordered: Ints, again: Mask, repairs: Repairs) -> None:
    counts = np.flatnonzero(~again)

    def word(at: int) -> Repair:
        row = int(ordered[at])
        last = rows.place.number(int(ordered[counts[np.searchsorted(counts, at)]]))
        detail = f"{rows.time(row)} stands again in {rows.place.noun} {last}, and the last one counts"
        return _repair(rows, "duplicate", row, detail)

    repairs.add("duplicate", np.flatnonzero(again), word)


def names_of(rows: Rows, ordered: Sorted) -> tuple[str, ...]:
    """Return the names of the series that have rows; raises BadInput where one cannot be stored."""
    codes = rows.series[ordered.row[ordered.timeline.starts]]
    names = tuple(rows.names[code] for code in codes)
    if forbidden_character("".join(names)) is not None:
        wrong = [code for code, name in zip(codes, names, strict=True) if forbidden_character(name)]
        raise _refuse_unclean(rows, np.sort(ordered.row[np.isin(rows.series[ordered.row], wrong)]))
    if unfit := [name for name in names if len(name) > MAX_SERIES_NAME_LENGTH]:
        raise BadInput(
            f"A series' name may have {MAX_SERIES_NAME_LENGTH} characters, and more are in"
            f" {listed([name[:40] for name in unfit])}. Shorten it, or say by id_column where it is."
        )
    return names


def _refuse_unclean(rows: Rows, wrong: Ints) -> BadInput:
    return refuse_rows(
        rows.place,
        "unique_id",
        wrong,
        lambda row: f"the name of the series has {forbidden_character(rows.name(row) or '')}",
        f"{NAME_RULE}; leave it out of the names of these series",
    )


def too_few(short: list[str]) -> str:
    """Return what to say of series that are sent with fewer than two values; for `refuse_short`."""
    who = "1 series has" if len(short) == 1 else f"{len(short):,} series have"
    return f"{who} fewer: {listed(short)}. Add values or leave these series out."


def _step(ordered: Sorted, times: Times, requested: Alias | int | None) -> Step:
    timeline = ordered.timeline
    if isinstance(requested, int):
        return IntegerStep(requested)
    if times.kind != "datetime":
        return _whole_step(timeline, requested, years=times.kind == "year")
    given = requested.step(int(timeline.unique[0])) if requested else None
    return given or infer(timeline)


def _whole_step(timeline: Timeline, requested: Alias | None, *, years: bool) -> Step:
    given = requested.step() if requested else None
    return IntegerStep(given.size // 12 if given else timeline.common(timeline.unique), years=years)


def _refuse_irregular(timeline: Timeline, step: Step, axis: TimeAxis) -> None:
    share = filled(timeline, step)
    if share >= LEAST_FILLED:
        return
    zones = (
        " Times with an offset were converted to UTC; for days, send dates alone." if axis.timezone else ""
    )
    seen = ", ".join(str(time) for time in axis.format(timeline.unique[timeline.rank[:SEEN]]))
    raise BadInput(
        f"The times take no regular step: the closest, {axis.frequency!r}, has a row for only {share:.1%} of"
        f" its steps (the first times are {seen}). If there is a regular step, name it with the frequency"
        f" parameter.{zones}",
        [FieldError("#/frequency", "give the step of the series, such as D, W-SUN, MS or h")],
    )


def _refuse_misfits(rows: Rows, ordered: Sorted, step: Step) -> None:
    wrong = np.sort(ordered.row[misfits(ordered.timeline, step)])
    if len(wrong):
        raise refuse_rows(
            rows.place,
            "ds",
            wrong,
            lambda row: f"{rows.time(row)[:40]!r} is not on a step of {step.frequency!r}",
            f"Some times do not fit the frequency {step.frequency!r}; correct them, or leave frequency out"
            " to have it found",
        )


def _refuse_vast(timeline: Timeline, step: Step) -> None:
    refuse_vast(
        step.frequency,
        int(step_counts(timeline, step).sum()),
        len(timeline.rank),
        "Give a longer frequency.",
        [FieldError("#/frequency", "too short a step for these times")],
    )


def _grid(names: tuple[str, ...], ordered: Sorted, axis: TimeAxis) -> SeriesFrame:
    timeline, step = ordered.timeline, axis.step
    number = timeline.since_start(step.position(timeline.unique)) // step.size
    series = np.repeat(np.arange(len(names), dtype=np.int64), timeline.lengths)
    begins = timeline.unique[timeline.rank[timeline.starts]]
    return fill(axis, names, StepValues(series, number, begins, ordered.y))
