"""Make covariates of the columns beside the target, on the steps of their series."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.intake.arrays import Ints, Mask
from app.intake.beside.judging import Judge, Judged
from app.intake.beside.places import Places, static_cells
from app.intake.columns.coded import Column
from app.intake.covariates import Cells, Covariate, CovariateRole, Covariates, is_filled
from app.intake.frame import SeriesFrame
from app.intake.problems import Place, listed
from app.intake.rows.repeated import Repeats
from app.schemas.datasets import CovariateOut

WORDS: dict[CovariateRole, str] = {
    "past": "known up to the target's end",
    "future": "known ahead of it",
    "static": "one value for each series",
}


def covariates_of(
    columns: Sequence[Column], repeats: Repeats, places: Places, place: Place
) -> tuple[Covariates | None, Judged]:
    """Return the covariates among the columns of an upload, and what became of each column.

    Raises BadInput where one that is said to be static has several values in a series, or where the caller
    names more than can be held.
    """
    judge = Judge(repeats, places)
    for column in sorted(columns, key=lambda each: not each.candidate.is_named):
        judge.decide(column)
    order = {column.candidate.name: i for i, column in enumerate(columns)}
    judge.used.sort(key=lambda pair: order[pair[0].candidate.name])
    judged = Judged(judge.columns, tuple(_notes(judge)))
    if not judge.used:
        return None, judged
    steps: dict[str, Cells] = {}
    static: dict[str, Cells] = {}
    for column, role in judge.used:
        name, settled = column.candidate.name, repeats.settle(column)
        if role == "static":
            rows = repeats.rows[~repeats.again]
            static[name] = static_cells(settled, places.series, places.count, rows, place)
        else:
            steps[name] = places.lay(settled, judge.ahead, ends=role == "past")
    offsets = np.append(0, np.cumsum(places.lengths + judge.ahead))
    found = tuple(Covariate(column.candidate.name, role, column.kind) for column, role in judge.used)
    return Covariates(found, offsets, steps, static), judged


@dataclass(frozen=True)
class CellsByRow:
    """The cells of rows to append, of the columns that were sent."""

    cells: dict[str, Cells]  # each (rows,)
    static: dict[str, Cells]  # each (series,)


def cells_of(columns: Sequence[Column], repeats: Repeats, series: Ints, place: Place) -> CellsByRow:
    """Return the cells of rows to append, one for each time; every column has its role.

    Raises BadInput where a static one has several values in a series.
    """
    cells: dict[str, Cells] = {}
    static: dict[str, Cells] = {}
    rows = repeats.rows[~repeats.again]
    for column in columns:
        settled = repeats.settle(column)
        if column.candidate.role == "static":
            count = int(series[-1]) + 1
            static[column.candidate.name] = static_cells(settled, series, count, rows, place)
        else:
            cells[column.candidate.name] = settled.shown()
    return CellsByRow(cells, static)


def _notes(judge: Judge) -> list[str]:
    """Return a sentence on all covariates, and one on each kind of cells that were left out."""
    notes = []
    names = {role: [column.candidate.name for column, its in judge.used if its == role] for role in WORDS}
    if judge.used:
        words = "; ".join(f"{listed(names[role])} {role}, {WORDS[role]}" for role in WORDS if names[role])
        notes.append(f"Beside the target: {words}.")
    notes += [f"{listed([name])} {doubt}; it is used as was said." for name, doubt in judge.doubts.items()]
    if judge.cut:
        many = max(judge.cut.values())
        notes.append(
            f"Values of {listed(judge.cut)} after the target's end are left out, which"
            f" {'1 series has' if many == 1 else f'{many:,} series have'}. If they are known ahead, name"
            " the column by future_columns."
        )
    return [*notes, *early_notes(int(judge.lost.sum()))]


def early_notes(lost: int) -> list[str]:
    """Return a note on rows of covariates alone before a series' first value, if there are any."""
    if not lost:
        return []
    rows = "1 row" if lost == 1 else f"{lost:,} rows"
    return [f"{rows} before the first value of the target left out, though covariates have values there."]


def summaries(frame: SeriesFrame) -> list[CovariateOut]:
    """Return what the profile says of each column beside the target."""
    if frame.covariates is None:
        return []
    found, ahead = frame.covariates, frame.ahead
    ends = np.repeat(found.offsets[1:] - ahead, np.diff(found.offsets))
    inside = np.arange(int(found.offsets[-1])) < ends
    return [_summary(found, column, inside, int(ahead.max())) for column in found.columns]


def _summary(covariates: Covariates, column: Covariate, inside: Mask, ahead: int) -> CovariateOut:
    is_static = column.role == "static"
    cells = covariates.static[column.name] if is_static else covariates.steps[column.name]
    filled = is_filled(cells)
    missing = ~filled if is_static else ~filled & inside
    return CovariateOut(
        name=column.name,
        role=column.role,
        kind=column.kind,
        values=int(filled.sum()),
        missing=int(missing.sum()),
        ahead=ahead if column.role == "future" else 0,
    )
