"""An upload row by row, before its rows are sorted into series."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.errors import BadInput
from app.intake.arrays import Ints
from app.intake.problems import Place, refuse_rows
from app.intake.repairs import Repairs
from app.intake.time.times import Times
from app.schemas.datasets import Repair, RepairKind

Floats = NDArray[np.float64]


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

    def repair(self, kind: RepairKind, row: int, detail: str) -> Repair:
        return Repair(kind=kind, unique_id=self.name(row), row=self.place.number(row), detail=detail)


def complete(rows: Rows, repairs: Repairs) -> Ints:
    """Return the rows that have a time and a name; report the others, unless they are blank.

    Raises BadInput if no row has both.
    """
    whole = (rows.times >= 0) & (rows.series >= 0)
    blank = (rows.times < 0) & (rows.series < 0) & np.isnan(rows.y)

    def word(row: int) -> Repair:
        missing = "time" if rows.times[row] < 0 else "series name"
        return rows.repair("refused", row, f"the {rows.place.noun} has no {missing} and was left out")

    repairs.add("refused", np.flatnonzero(~whole & ~blank), word)
    if not whole.any():
        raise BadInput("No row has both a time and a series name. Send at least two rows for each series.")
    return np.flatnonzero(whole)


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
