"""An upload row by row: which rows count."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from app.errors import BadInput
from app.intake.arrays import Floats, Ints, Mask
from app.intake.columns.coded import Column
from app.intake.columns.names import SUMMARY, TOTAL
from app.intake.problems import Place, refuse_rows
from app.intake.repairs import Repairs
from app.intake.time.times import Times
from app.schemas.datasets import Repair, RepairKind

HOUR_25 = r".*\d 25(?::00)?"


@dataclass(frozen=True)
class Rows:
    """An upload row by row: codes into its distinct names and times; -1 marks an empty cell."""

    place: Place
    series: Ints  # (rows,) codes into `names`
    names: tuple[str, ...]  # sorted
    times: Ints  # (rows,) codes into `texts`
    texts: "pd.Series[str]"  # distinct, numbered from 0
    y: Floats  # (rows,) NaN where empty
    beside: tuple[Column, ...] = ()  # columns beside the target, which several targets share

    def name(self, row: int) -> str | None:
        code = int(self.series[row])
        return self.names[code] if code >= 0 else None

    def time(self, row: int) -> str:
        return str(self.texts.iloc[int(self.times[row])])

    def whose_times_are(self, pattern: str, some: Ints) -> Mask:
        """Return which of some rows have a time whose text the whole pattern matches."""
        matching: Mask = self.texts.str.fullmatch(pattern).to_numpy(dtype=np.bool_)[self.times[some]]
        return matching

    def repair(self, kind: RepairKind, row: int, detail: str) -> Repair:
        return Repair(kind=kind, unique_id=self.name(row), row=self.place.number(row), detail=detail)


def complete(rows: Rows, repairs: Repairs) -> Ints:
    """Return the rows that have a time and a name; report the others, unless they are blank.

    Raises BadInput if no row has both, or if all are totals.
    """
    whole = (rows.times >= 0) & (rows.series >= 0)
    blank = (rows.times < 0) & (rows.series < 0) & np.isnan(rows.y)

    def word(row: int) -> Repair:
        missing = "time" if rows.times[row] < 0 else "series name"
        return rows.repair("refused", row, f"the {rows.place.noun} has no {missing} and was left out")

    repairs.add("refused", np.flatnonzero(~whole & ~blank), word)
    if not whole.any():
        raise BadInput("No row has both a time and a series name. Send at least two rows for each series.")
    kept = np.flatnonzero(whole)
    _refuse_totals_alone(rows, kept)
    return kept


def _refuse_totals_alone(rows: Rows, kept: Ints) -> None:
    """Raise BadInput where each row is a total, so that none has a time."""
    if not re.fullmatch(TOTAL, rows.time(int(kept[0]))):
        return
    if rows.whose_times_are(TOTAL, kept).all():
        raise refuse_rows(
            rows.place,
            "ds",
            kept,
            lambda row: f"{rows.time(row)!r} is not a time",
            "No row has a time: each holds the word of a total in its place, and totals are left out. Send"
            " the rows that they are totals of",
        )


def readable(rows: Rows, times: Times, kept: Ints, repairs: Repairs) -> Ints:
    """Return the rows whose time was read; report those of totals, and remarks below the table.

    Raises BadInput where another time was not read.
    """
    read = times.readable[rows.times[kept]]
    if read.all():
        return kept
    unread = kept[~read]
    spared = rows.whose_times_are(SUMMARY, unread) | _are_remarks(rows, kept[read], unread)
    if not spared.all():
        wrong = unread[~spared]
        are_25th = rows.whose_times_are(HOUR_25, wrong)
        again = "; an hour 25, of a day whose clocks are put back, is such a time with its offset from UTC"
        raise refuse_rows(
            rows.place,
            "ds",
            wrong,
            lambda row: f"{rows.time(row)[:40]!r} is not a time like the others",
            f"Some times cannot be read as {times.date_format}; correct or delete these cells,"
            f" or write all times as ISO 8601 (2024-01-31){again if are_25th.all() else ''}",
        )

    def word(row: int) -> Repair:
        detail = f"the {rows.place.noun} is {rows.time(row)[:40]!r} and not a time, and was left out"
        return rows.repair("refused", row, detail)

    repairs.add("refused", unread, word)
    return kept[read]


def _are_remarks(rows: Rows, read: Ints, unread: Ints) -> Mask:
    """Return which rows stand below all that have a time, and have no value, as a line on the source does."""
    if rows.place.first_row is None or not len(read):
        return np.zeros(len(unread), dtype=np.bool_)
    count = rows.place.rows or len(rows.y)
    remarks: Mask = (unread % count > (read % count).max()) & np.isnan(rows.y[unread])
    return remarks
