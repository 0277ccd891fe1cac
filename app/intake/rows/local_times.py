"""Local times of rows in a zone whose clocks are put forward and back: those that come twice, or never."""

from dataclasses import replace

import numpy as np
import pandas as pd

from app.intake.arrays import Ints
from app.intake.problems import refuse_rows
from app.intake.rows.rows import Rows
from app.intake.time.times import Times
from app.intake.time.zones import Zone, repeated, second_times, skipped


def in_zone(rows: Rows, times: Times, kept: Ints, zone: Zone, *, by_clock: bool) -> tuple[Rows, Times, Ints]:
    """Return local times, or times of UTC, by a zone's clock, else as instants; and the rows that count.

    Where a local time comes twice, the second row of a series there is the second instant. Leaves out rows
    without a value at a local time that never comes, and raises BadInput for others there.
    """
    if by_clock or times.timezone is not None:
        return rows, times.in_zone(zone, by_clock=by_clock), kept
    read = _read(rows, times, kept)
    never = read[skipped(zone, times.ordinals[rows.times[read]])]
    _refuse_skipped(rows, never[~np.isnan(rows.y[never])], zone)
    second = read[second_times(zone, times.ordinals[rows.times[read]], rows.series[read])]
    added, code = np.unique(rows.times[second], return_inverse=True)
    codes = rows.times.copy()
    codes[second] = len(rows.texts) + code
    texts = pd.concat([rows.texts, rows.texts.iloc[added]], ignore_index=True)
    first = times.in_zone(zone, by_clock=False)
    ordinals = np.append(first.ordinals, zone.second(times.ordinals[added]))
    whole = replace(first, ordinals=ordinals, readable=np.append(first.readable, first.readable[added]))
    return replace(rows, times=codes, texts=texts), whole, kept[~np.isin(kept, never)]


def refuse_lone(rows: Rows, times: Times, kept: Ints, zone: Zone) -> None:
    """Raise BadInput for rows that stand alone at a local time that comes twice; others are told by turns."""
    read = _read(rows, times, kept) if times.timezone is None else kept[:0]
    local = times.ordinals[rows.times[read]]
    key = rows.series[read] * (len(local) + 1) + np.unique(local, return_inverse=True)[1]
    lone = repeated(zone, local) & ~np.isin(key, key[second_times(zone, local, rows.series[read])])
    if lone.any():
        raise refuse_rows(
            rows.place,
            "ds",
            read[lone],
            lambda row: f"{rows.time(row)[:40]!r} comes twice, since clocks were put back",
            f"In {zone.name} some times come twice, and it is not plain which is meant; write them with their"
            " offset from UTC",
        )


def _read(rows: Rows, times: Times, kept: Ints) -> Ints:
    return kept[times.readable[rows.times[kept]]]


def _refuse_skipped(rows: Rows, wrong: Ints, zone: Zone) -> None:
    if len(wrong):
        raise refuse_rows(
            rows.place,
            "ds",
            wrong,
            lambda row: f"{rows.time(row)[:40]!r} never came: clocks were put forward over it",
            f"In {zone.name} some times do not exist; correct them, leave these rows out, or say a time_zone"
            " without such changes, as Etc/GMT-1 for one hour ahead of UTC",
        )
