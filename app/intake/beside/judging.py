"""Decide what each column beside the target is, by all of its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Floats, Ints, Mask
from app.intake.beside.places import Places
from app.intake.columns.beside import too_many
from app.intake.columns.coded import Column
from app.intake.covariates import CovariateRole
from app.intake.rows.repeated import Repeats
from app.schemas.datasets import ColumnOut

MOST_CELLS = 200_000_000  # of all columns on all steps: 1.6 GB
MOSTLY = 1 / 2
SAME, SAME_OF_THOSE_LEFT = "is the same in every row", "is the same in every row that counts"
REASONS: dict[CovariateRole, str] = {
    "past": "stands beside the target",
    "future": "has values after the target's end",
    "static": "is the same throughout each series",
}


@dataclass(frozen=True)
class Judged:
    """What became of the columns beside the target."""

    columns: Mapping[str, ColumnOut] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def column(self, found: ColumnOut) -> ColumnOut:
        """Return what is known of a column that was found by a sample."""
        return self.columns.get(found.name, found)


NOT_JUDGED = Judged()


class Judge:
    """Decides on columns one after the other, those that the caller names first."""

    def __init__(self, repeats: Repeats, places: Places) -> None:
        self.used: list[tuple[Column, CovariateRole]] = []  # as they are read
        self.columns: dict[str, ColumnOut] = {}
        self.ahead = np.zeros(places.count, dtype=np.int64)  # steps that future columns reach
        self.lost = np.zeros(len(places.series), dtype=np.bool_)  # rows before the first value
        self.doubts: dict[str, str] = {}  # about columns that the caller names
        self.cut: dict[str, int] = {}  # series in which past columns have values ahead
        self._repeats, self._places = repeats, places
        self._seen: dict[bytes, str] = {}
        self._room = MOST_CELLS // int(places.lengths.sum())

    def decide(self, column: Column) -> None:
        """Decide on a column; raises BadInput where the caller names more than can be held."""
        name, candidate = column.candidate.name, column.candidate
        settled = self._repeats.settle(column)
        filled = settled.is_filled
        doubt, full = self._doubt(settled, filled), len(self.used) >= self._room
        if doubt == SAME and not _are_equal(column.cells[column.is_filled]):
            doubt = SAME_OF_THOSE_LEFT
        if candidate.is_named:
            if full:
                raise _vast(name, self._room)
            self.doubts |= {name: doubt} if doubt else {}
        elif doubt or full:
            reason = doubt or "leaves too many steps without a row"
            self.columns[name] = ColumnOut(name=name, role="unused", reason=reason)
            return
        role = candidate.role or self._role(settled, filled)
        reason = candidate.reason if candidate.is_named else REASONS[role]
        self.columns[name] = ColumnOut(name=name, role=role, reason=reason)
        self.used.append((column, role))
        self._count(name, role, filled)

    def _doubt(self, column: Column, filled: Mask) -> str:
        """Return why a column should not be used; empty where it may be."""
        copied = self._seen.setdefault(_digest(column), column.candidate.name)
        known = filled & ~self._places.before
        if column.trouble or not known.any():
            return column.trouble or "holds nothing"
        if copied != column.candidate.name:
            return f"is a copy of {copied!r}"
        if filled[self._places.inside].all() and _are_equal(column.cells[known]):
            return SAME
        if column.texts is None:
            return self._leak(column, filled)
        return too_many(len(np.unique(column.cells[known])), int(known.sum()))

    def _leak(self, column: Column, filled: Mask) -> str:
        """Return which values of the target a column of numbers gives away; empty for none."""
        y, since, series = self._places.y, self._places.since, self._places.series
        is_value = ~np.isnan(y)
        both = filled & is_value
        if both.sum() > MOSTLY * is_value.sum() and np.array_equal(column.cells[both], y[both]):
            return "equals the target"
        both = filled[:-1] & is_value[1:] & (np.diff(since) == 1) & (np.diff(series) == 0)
        if both.sum() > MOSTLY * is_value.sum() and np.array_equal(column.cells[:-1][both], y[1:][both]):
            return "equals the target of the next step"
        return ""

    def _role(self, column: Column, filled: Mask) -> CovariateRole:
        if self._is_static(column, filled):
            return "static"
        with_values = np.count_nonzero(self._places.counted(filled & self._places.ahead))
        return "future" if with_values > MOSTLY * self._places.count else "past"

    def _is_static(self, column: Column, filled: Mask) -> bool:
        """Return whether several series each have one value, in most of their rows, and not all the same."""
        places = self._places
        if places.count == 1:
            return False
        cells = np.where(filled, column.cells, np.nan)
        low, high = np.fmin.reduceat(cells, places.starts), np.fmax.reduceat(cells, places.starts)
        has = ~np.isnan(low)
        if not np.array_equal(low[has], high[has]) or (has.all() and _are_equal(low)):
            return False
        rows, full = places.counted(places.inside), places.counted(filled & places.inside)
        return bool(np.all(full[has] >= MOSTLY * rows[has]))

    def _count(self, name: str, role: CovariateRole, filled: Mask) -> None:
        """Count the steps ahead, and the cells that have no place among the steps."""
        ahead = filled & self._places.ahead
        if role == "static":
            return
        self.lost |= filled & self._places.before
        if role == "future":
            self.ahead = np.maximum(self.ahead, self._places.reach(ahead))
        elif ahead.any():
            self.cut[name] = int(np.count_nonzero(self._places.counted(ahead)))


def _are_equal(cells: Floats | Ints) -> bool:
    return bool(cells.min() == cells.max())  # a difference may be infinite


def _digest(column: Column) -> bytes:
    texts = "number" if column.texts is None else "\n".join(column.texts)
    return blake2b(np.ascontiguousarray(column.cells).tobytes() + texts.encode(errors="replace")).digest()


def _vast(name: str, most: int) -> BadInput:
    return BadInput(
        f"Column {name!r} is one too many: at so many steps {most:,} columns beside the target are the most."
        " Name fewer.",
        [FieldError("#/past_columns", f"at most {most:,} columns beside the target")],
    )
