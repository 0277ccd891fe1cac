"""Read the times of rows to append, on the axis of their dataset."""

import numpy as np

from app.errors import BadInput
from app.intake.additions.existing import ExistingDataset
from app.intake.arrays import Ints
from app.intake.problems import refuse_rows
from app.intake.rows.local_times import in_zone, refuse_lone
from app.intake.rows.rows import Rows
from app.intake.time.aliases import Alias
from app.intake.time.axis import Kind, TimeAxis
from app.intake.time.dates import Hints
from app.intake.time.steps import DAY
from app.intake.time.times import Times, WrongFrequency, looks_like_whole_numbers, read_times

DIGITS_OF_A_DATE = 8
KINDS: dict[Kind, str] = {"datetime": "dates", "integer": "integers", "year": "years"}


def bare_day_notes(rows: Rows, kept: Ints, axis: TimeAxis) -> tuple[str, ...]:
    """Return a note if all rows for steps shorter than a day are dates without a time of day."""
    if axis.kind != "datetime" or axis.step.whole_days:
        return ()
    texts = rows.texts.iloc[np.unique(rows.times[kept])]
    if texts.str.contains(":").any() or (texts.str.count(r"\d") > DIGITS_OF_A_DATE).any():
        return ()
    note = (
        f"The dates have no time of day, and the dataset's step is {axis.frequency!r}: each counts for 00:00."
        " If a value is of the whole day, it belongs to another dataset."
    )
    return (note,)


def times_of(
    rows: Rows, kept: Ints, existing: ExistingDataset, date_format: str | None
) -> tuple[Rows, Times, Ints]:
    """Return rows, the ordinals of their times on the dataset's axis, and the rows that count."""
    axis, zone = existing.axis, existing.axis.zone
    requested = axis.frequency if isinstance(axis.frequency, int) else Alias.parse(axis.frequency)
    try:
        hints = Hints(requested, date_format, existing.detected.date_format, in_utc=zone is not None)
        times = read_times(rows.texts, hints)
    except WrongFrequency as error:
        kind = "integers" if looks_like_whole_numbers(rows.texts) else "dates"
        raise _refuse_kind(rows, kept, existing, kind) from error
    if times.kind != axis.kind:
        raise _refuse_kind(rows, kept, existing, KINDS[times.kind])
    if zone is None or (times.timezone is None and zone.is_fixed):
        if times.timezone is not None or (zone is not None and not _are_bare_days(times, axis)):
            raise _refuse_kind(rows, kept, existing, _zoned(times.timezone))
        return rows, times, kept
    if axis.counts_instants:
        refuse_lone(rows, times, kept, zone)
    return in_zone(rows, times, kept, zone, by_clock=not axis.counts_instants)


def _are_bare_days(times: Times, axis: TimeAxis) -> bool:
    """Return whether times are days without an offset, as the service shows a dataset of days in UTC."""
    return axis.step.whole_days and not np.any(times.ordinals % DAY)


def _zoned(timezone: str | None) -> str:
    return "dates without an offset from UTC" if timezone is None else "dates with an offset from UTC"


def _refuse_kind(rows: Rows, kept: Ints, existing: ExistingDataset, kind: str) -> BadInput:
    axis = existing.axis
    has = _zoned(axis.timezone) if kind.startswith("dates with") else KINDS[axis.kind]
    return refuse_rows(
        rows.place,
        "ds",
        np.sort(kept),
        lambda row: f"{rows.time(row)[:40]!r} is of another kind than the dataset's times",
        f"The dataset's times are {has} at frequency {axis.frequency!r}, its last one is {existing.end!r},"
        f" and those sent are {kind}. Write them as the dataset has them",
    )
