"""Read the columns of a table that have a role into rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np
import pandas as pd

from app.errors import BadInput
from app.intake.arrays import Ints, Mask
from app.intake.beside.judging import NOT_JUDGED, Judged
from app.intake.columns.beside import unused_notes
from app.intake.columns.coded import Coded
from app.intake.columns.headers.days import as_days, is_no_day
from app.intake.columns.headers.parts import rows_in_order
from app.intake.columns.names import is_total, total_of
from app.intake.columns.roles import Roles, find_roles
from app.intake.columns.time_parts import joined, weeks_of
from app.intake.options import ReadOptions, as_option
from app.intake.problems import Place, listed
from app.intake.rows.rows import Rows
from app.intake.table_cells import TableCells, read_cells
from app.intake.tables.groups import filled_down
from app.intake.tables.table import Table
from app.intake.time.notations.languages import month_numbers
from app.intake.time.times import Times
from app.schemas.datasets import MAX_COLUMNS_SHOWN, Detected

EMPTY_TIMES = ("", "NA", "N/A", "n/a", "NaN", "nan", "NaT", "null", "NULL", "None")
EMPTY_NAMES = ("",)  # NA is Namibia
BETWEEN_NAMES = " / "
ACROSS = "value"  # the column of values that a table with times in its header would have if it were turned
NAMES_OF_COLUMNS = "names of columns"
TOGETHER = "\x1f"


@dataclass(frozen=True)
class OpenTable:
    """A table whose columns have roles and have been read."""

    table: Table
    roles: Roles
    options: ReadOptions
    cells: TableCells

    def rows(self, unnamed: str | None = None, *, by_target: bool = False) -> Rows:
        """Return the rows, once for each target.

        Without a column of names, all belong to the series `unnamed`, or to one named after their target.
        Where there are several targets, or `by_target` says that there were, names end with theirs.
        """
        targets, count = self.roles.targets, len(self.roles.targets)
        if self.roles.across:
            times, texts = self._times_across()
            series, names = self._series_across(unnamed)
            times = np.where(np.tile(self._counts, count), times, -1)
            series = np.where(times < 0, -1, series) if "day" in self.roles.parts else series
        else:
            times, texts = self._times()
            series, names = self._series(times[: self.cells.rows], unnamed, by_target=by_target)
        y = (
            np.concatenate([self.cells.y[name] for name in targets])
            if count > 1
            else self.cells.y[targets[0]]
        )
        if self._are_totals.any():
            y = np.where(np.tile(self._are_totals, count), np.nan, y)
        place = Place(self.table.first_row, len(times) // count if count > 1 else None)
        return Rows(place, series, names, times, pd.Series(texts, dtype="object"), y, self.cells.beside)

    def _times(self) -> tuple[Ints, Sequence[str]]:
        """Return the time of each row, once for each target, as a code into the distinct texts of all."""
        every, parts = self._columns_of_times(), list(self.roles.parts)
        months = month_numbers(every[parts.index("month")].texts) if "month" in parts else {}
        times = Coded.together(every, lambda texts: joined(texts, parts, months) or " ".join(texts))
        if len(every) == 1 and self.options.date_format is None:
            times = replace(times, texts=tuple(weeks_of(self.roles.times[0], times.texts)))
        count = len(self.roles.targets)
        return np.tile(times.codes, count) if count > 1 else times.codes, times.texts

    def _times_across(self) -> tuple[Ints, Sequence[str]]:
        """Return the same where the names of the targets are times, or parts of them beside those of rows."""
        across, every, parts = self.roles.across, self._columns_of_times(), list(self.roles.parts)
        if not every:
            return np.repeat(np.arange(len(across)), self.cells.rows), across
        in_rows = every[parts.index("month")].texts if "month" in parts[:-1] else ()
        months = month_numbers({*in_rows, *across})
        if "fiscal_month" in parts[:-1]:
            at = parts.index("fiscal_month")
            every[at] = rows_in_order(every[at])
        if parts[-1] in {"weekday", "weekday_before"}:
            every = [replace(one, texts=as_days(one.texts, self.options.date_format)) for one in every]
        rows = Coded.together(every, TOGETHER.join)
        texts = [
            joined((*row.split(TOGETHER), text), parts, months) or row
            for text in across
            for row in rows.texts
        ]
        code_of, distinct = pd.factorize(np.array(texts, dtype=object))
        grid = np.append(code_of.reshape(len(across), -1), np.full((len(across), 1), -1), axis=1)
        times = grid[:, rows.codes].ravel().astype(np.int64)
        if "day" in parts:  # the 30th of February has a cell in such a table, and it is empty
            none = np.array([*map(is_no_day, distinct), False], dtype=np.bool_)[times]
            y = np.concatenate([self.cells.y[name] for name in self.roles.targets])
            times = np.where(none & np.isnan(y), -1, times)
        return times, list(distinct)

    def _columns_of_times(self) -> list[Coded]:
        return [Coded.of(self.cells.frame[name], EMPTY_TIMES) for name in self.roles.times]

    def _series_across(self, unnamed: str | None) -> tuple[Ints, tuple[str, ...]]:
        """Return the series of each row and time; a row without a value has none."""
        one = Coded(np.zeros(self.cells.rows, dtype=np.int64), (unnamed or ACROSS,))
        ids = self._ids if self.roles.ids else one
        return np.tile(np.where(self._counts, ids.codes, -1), len(self.roles.targets)), ids.texts

    @cached_property
    def _are_totals(self) -> Mask:
        """Which rows are totals of others by their name, where each row is a series; none if all are."""
        if not self.roles.across or not self.roles.ids:
            return np.zeros(self.cells.rows, dtype=np.bool_)
        ids = self._ids
        every = [text.split(BETWEEN_NAMES) for text in ids.texts]
        known = {part for parts in every for part in parts}
        named = [any(is_total(part) or total_of(part) in known for part in parts) for parts in every]
        found: Mask = np.array([*named, False], dtype=np.bool_)[ids.codes]
        return found & bool((self._has_value & ~found).any())

    @property
    def _counts(self) -> Mask:
        """Which rows of the file have a value and are no totals."""
        return self._has_value & ~self._are_totals

    def _total_notes(self) -> list[str]:
        """Return a note on rows that are totals of others."""
        rows = np.flatnonzero(self._are_totals)
        if not len(rows):
            return []
        ids = self._ids
        names = dict.fromkeys(ids.texts[code] for code in ids.codes[rows])
        where = "row" if len(rows) == 1 else f"{len(rows):,} rows, the first is"
        found = (
            f"Left out as totals of others are {listed(names)} ({where} {rows[0] + self.table.first_row})."
        )
        return [f"{found} Give such a row another name if it is a series."]

    @property
    def _has_value(self) -> Mask:
        """Which rows of the file have a value in any target."""
        filled: Mask = np.any([~np.isnan(self.cells.y[name]) for name in self.roles.targets], axis=0)
        return filled

    def _empty_notes(self) -> list[str]:
        """Return a note on names in rows without any value, where each row is a series."""
        if not self.roles.across or not self.roles.ids or self.roles.times:
            return []
        ids, filled = self._ids, self._has_value
        empty = np.setdiff1d(ids.codes[~filled], np.append(ids.codes[filled], -1))
        return (
            [f"No value, and so no series, have {listed(ids.texts[i] for i in empty)}."] if len(empty) else []
        )

    @cached_property
    def _ids(self) -> Coded:
        columns = [Coded.of(self.cells.frame[name], EMPTY_NAMES) for name in self.roles.ids]
        return Coded.joined(columns, BETWEEN_NAMES)

    def _series(self, times: Ints, unnamed: str | None, *, by_target: bool) -> tuple[Ints, tuple[str, ...]]:
        """Return the series of each row and target, and the names of all series, sorted."""
        targets = [re.sub(r"[\t\r\n]+", " ", name) for name in self.roles.targets]  # a name has one line
        if not self.roles.ids:
            # A row without a time and a value belongs to none.
            blank = [(times < 0) & np.isnan(self.cells.y[name]) for name in self.roles.targets]
            codes = [np.where(is_blank, -1, number) for number, is_blank in enumerate(blank)]
            names = targets if unnamed is None or len(targets) > 1 else [unnamed]
        else:
            ids = self._ids
            if len(targets) == 1 and not by_target:
                return ids.codes, ids.texts
            names = [BETWEEN_NAMES.join((text, target)) for target in targets for text in ids.texts]
            codes = [
                np.where(ids.codes < 0, -1, ids.codes + number * len(ids.texts))
                for number in range(len(targets))
            ]
        order = sorted(range(len(names)), key=names.__getitem__)
        rank = np.append(np.argsort(order), -1)
        return rank[np.concatenate(codes)].astype(np.int64), tuple(names[i] for i in order)

    def detected(self, times: Times | None, judged: Judged = NOT_JUDGED) -> Detected:
        """Return how the table was read; without `times`, as far as it was."""
        columns = tuple(map(judged.column, self.roles.columns))
        notes = [
            *self.table.notes,
            *self.roles.notes,
            *self.cells.notes,
            *self._empty_notes(),
            *self._total_notes(),
            *(times.notes if times else []),
            *judged.notes,
            *unused_notes(columns),
        ]
        return Detected(
            format=self.table.origin.format,
            id_column=as_option(self.roles.ids),
            time_column=as_option(self.roles.times) or NAMES_OF_COLUMNS,
            target_column=ACROSS if self.roles.across else cast("str", as_option(self.roles.targets)),
            encoding=self.table.origin.encoding,
            delimiter=self.table.origin.delimiter,
            decimal=self.cells.decimal,
            date_format=times.date_format if times else None,
            columns=list(columns[:MAX_COLUMNS_SHOWN]),
            options=self.options.shown | ({"layout": "wide"} if self.roles.across else {}),
            notes=notes,
        )


def open_rows(table: Table, said: ReadOptions, previous: str | None = None) -> OpenTable:
    """Find the roles of a table's columns and read them; open questions are left to the caller.

    `previous` is the decimal mark of earlier rows. Raises BadInput for what cannot be used.
    """
    if not table.has_rows:
        raise BadInput("The file has a header and no rows. Send one row for each time of each series.")
    sample = table.sample(table.names)
    if (filled := filled_down(table, sample)) is not table:
        table, sample = filled, filled.sample(table.names)
    roles = find_roles(sample, table.unnamed, said, table.coded)
    return OpenTable(table, roles, said, read_cells(table, roles, said, previous))
