"""Rows sorted by series and time, and the names of these series."""

from dataclasses import dataclass

import numpy as np

from app.errors import BadInput
from app.intake.arrays import Floats, Ints, Mask, order_of
from app.intake.problems import listed, refuse_rows
from app.intake.repairs import Repairs
from app.intake.rows.repeated import Repeats, settle
from app.intake.rows.rows import Rows, readable
from app.intake.time.timeline import Timeline
from app.intake.time.times import Times
from app.intake.time.zones import zone_of_repeated
from app.schemas.choices import Duplicates
from app.schemas.datasets import MAX_SERIES_NAME_LENGTH
from app.schemas.fields import NAME_RULE, forbidden_character


@dataclass(frozen=True)
class Sorted:
    """The rows that are kept, sorted by series and time, without repeats."""

    row: Ints  # (kept,) row of the upload
    timeline: Timeline
    y: Floats  # (kept,)
    repeats: Repeats
    notes: tuple[str, ...] = ()


def sort(rows: Rows, times: Times, kept: Ints, duplicates: Duplicates | None, repairs: Repairs) -> Sorted:
    """Sort rows by series and time, and put those with equal times together.

    Raises BadInput where a time was not read, or repeats and `duplicates` does not say what that means.
    """
    kept = readable(rows, times, kept, repairs)
    used = np.unique(rows.times[kept])
    unique, rank_of_used = np.unique(times.ordinals[used], return_inverse=True)
    rank_of_text = np.zeros(len(rows.texts), dtype=np.int64)
    rank_of_text[used] = rank_of_used
    key = rows.series[kept] * len(unique)
    key += rank_of_text[rows.times[kept]]
    if np.any(key[1:] < key[:-1]):
        order = order_of(key)
        key, kept = key[order], kept[order]
        del order  # of millions of rows, each array counts
    again = np.append(key[1:] == key[:-1], False)
    note = _put_back(times, again, unique[key % len(unique)]) if duplicates is None else None
    repeats = Repeats(kept, again, "mean" if note else duplicates)
    y = settle(rows, kept, again, repeats.duplicates, repairs)
    if again.any():
        key, kept = key[~again], kept[~again]
    series, rank = np.divmod(key, len(unique))
    starts = np.flatnonzero(np.append(True, series[1:] != series[:-1]))
    timeline = Timeline(unique, rank, starts)
    return Sorted(kept, timeline, y, repeats, (note,) if note else ())


def _put_back(times: Times, again: Mask, ordinals: Ints) -> str | None:
    """Return a note if all times that repeat stand twice since clocks were put back."""
    if times.kind != "datetime" or times.timezone or np.any(again[1:] & again[:-1]):
        return None
    zone = zone_of_repeated(ordinals[again])
    if zone is None:
        return None
    return (
        f"Times are local and stand twice where clocks were put back, as in {zone}: the mean of both counts,"
        f" and an hour that was left out in spring is a gap. With time_zone={zone} all are steps."
    )


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
