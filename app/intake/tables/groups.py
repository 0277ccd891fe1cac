"""Tables whose names stand in the first row of their group alone, as pivot tables have them: filled down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from app.intake.arrays import Mask
from app.intake.columns.names import is_total, total_of
from app.intake.problems import listed
from app.intake.tables.table import Dtype, Table

Column: TypeAlias = "pd.Series[Any]"

FILLED = 2 / 3  # of the rows at most, where names stand in the first of two or more, and totals beside them

MOST_GROUPS = 5  # columns that may hold names of groups


@dataclass(frozen=True)
class GroupedTable(Table):
    """A table whose columns of groups are filled down in each row that has a cell in the column `within`."""

    table: Table
    groups: tuple[str, ...]
    within: str

    @property
    def notes(self) -> tuple[str, ...]:
        """Return notes on how the table was read, and on the groups."""
        return (*self.table.notes, *self.origin.notes[-1:])

    def texts(self, names: Sequence[str], rows: int | None = None) -> pd.DataFrame:
        """Return columns as text, as every table does."""
        return self._filled(self.table.texts([*names, self.within], rows), names)

    def read(
        self, dtypes: Mapping[str, Dtype], missing: tuple[str, ...] = (), decimal: str = "."
    ) -> pd.DataFrame:
        """Return the named columns, as every table does."""
        return self._filled(self.table.read({self.within: "category", **dtypes}, missing, decimal), dtypes)

    def time_zone(self, name: str) -> str | None:
        """Return the zone that a column of times says it is in, as every table does."""
        return self.table.time_zone(name)

    def _filled(self, frame: pd.DataFrame, names: Sequence[str] | Mapping[str, Dtype]) -> pd.DataFrame:
        is_row = _is_filled(frame[self.within])
        filled = {name: _down(frame[name], is_row) for name in self.groups if name in frame}
        return frame.assign(**filled)[[name for name in self.names if name in names]]


def filled_down(table: Table, sample: pd.DataFrame) -> Table:
    """Return a table with names of groups in each of their rows, where its first rows plainly show groups."""
    names = [str(name) for name in sample.columns]
    totals = _are_totals(sample, names)
    sample = sample if totals.all() else sample[~totals]
    count = next((i for i, name in enumerate(names) if _is_filled(sample[name]).mean() > FILLED), 0)
    if not count:
        return table
    groups, within = names[:count], names[count]
    rows = sample[_is_filled(sample[within])]
    if not _are_groups(rows, groups) or not (rows[within].duplicated().any() or _is_single(rows, groups)):
        return table
    note = f"Cells of {listed(groups)} stand in the first row of each group, and count for all of its rows."
    noted = table.with_note(note)
    return GroupedTable(
        table.names, table.unnamed, table.first_row, noted.origin, table, tuple(groups), within
    )


def _are_totals(sample: pd.DataFrame, names: Sequence[str]) -> Mask:
    """Return which rows are totals of a group that stands above them, as `North Total` is of North."""
    found = np.zeros(len(sample), dtype=np.bool_)
    for name in names[:MOST_GROUPS]:
        texts = sample[name].astype(object).fillna("").astype(str).str.strip()
        known = set(texts)
        of = {text for text in known if is_total(text) or total_of(text) in known - {""}}
        found |= texts.isin(of).to_numpy(dtype=np.bool_)
    return found


def _are_groups(rows: pd.DataFrame, groups: Sequence[str]) -> bool:
    """Return whether no name comes again in its group, and where an outer one begins, inner ones do."""
    outer, begins = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.bool_)
    for name in groups:
        filled = _is_filled(rows[name])
        named = pd.DataFrame({"outer": outer, "name": rows[name].to_numpy()})[filled]
        if not filled[0] or np.any(begins & ~filled) or named.duplicated().any():
            return False
        begins, outer = begins | filled, np.cumsum(begins | filled)
    return True


def _is_single(rows: pd.DataFrame, groups: Sequence[str]) -> bool:
    return all(np.count_nonzero(_is_filled(rows[name])) == 1 for name in groups)


def _is_filled(column: Column) -> Mask:
    """Return which cells are not blank."""
    filled: Mask = (column.notna() & (column.astype(object) != "")).to_numpy(dtype=np.bool_)
    if filled.all() or not isinstance(column.dtype, np.dtype) or column.dtype != np.object_:
        return filled
    blank: Mask = column.astype(object).str.isspace().fillna(value=False).to_numpy(dtype=np.bool_)
    return filled & ~blank


def _down(column: Column, is_row: Mask) -> Column:
    """Return a column with its blank cells in rows filled from the row above."""
    filled = _is_filled(column)
    cells = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    found = cells.where(filled | ~is_row, cells.where(filled & is_row).ffill())
    return found.astype("category") if isinstance(column.dtype, pd.CategoricalDtype) else found
