"""A table in memory whose columns may have types: a sheet, or a file that knows its columns.

What is no delimited text enters here: `table_of_lines` takes a sheet's lines and finds their header,
`table_of_columns` takes columns that are named already. Numbers and times need no detour by text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from pandas.api import types

from app.intake.tables.header import LOOKED_AT, find_header
from app.intake.tables.table import MAX_COLUMNS, Dtype, Origin, Table

Cell: TypeAlias = "str | float | bool | datetime | date | time | None"
Column: TypeAlias = "pd.Series[Any]"

EXACT = 2**53  # below which a whole number as a float is written without a fraction
MIDNIGHT = "T00:00:00"


@dataclass(frozen=True)
class TypedTable(Table):
    """Columns in memory: numbers, true and false, times with or without a zone, or texts."""

    columns: tuple[Column, ...] = field(repr=False)  # one for each name

    def texts(self, names: Sequence[str], rows: int | None = None) -> pd.DataFrame:
        wanted = set(names)
        frame = {name: as_texts(column.iloc[:rows]) for name, column in self._named() if name in wanted}
        return pd.DataFrame(frame, dtype="object")

    def read(
        self, dtypes: Mapping[str, Dtype], missing: tuple[str, ...] = (), _decimal: str = "."
    ) -> pd.DataFrame:
        return pd.DataFrame(
            {name: _read(column, dtypes[name], missing) for name, column in self._named() if name in dtypes}
        )

    def time_zone(self, name: str) -> str | None:
        zone = getattr(self.columns[self.names.index(name)].dtype, "tz", None)
        return str(zone) if zone is not None and "/" in str(zone) else None

    def _named(self) -> list[tuple[str, Column]]:
        return list(zip(self.names, self.columns, strict=True))


def table_of_columns(columns: pd.DataFrame, origin: Origin, first_row: int = 1) -> TypedTable:
    """Return a table of named columns, which the names are unique of, as Parquet and JSON have them."""
    names = tuple(str(name) for name in columns.columns)
    series = tuple(columns.iloc[:, i].reset_index(drop=True) for i in range(len(names)))
    return TypedTable(names, frozenset(), first_row, origin, series)


def table_of_lines(
    lines: Sequence[Sequence[Cell]], origin: Origin, max_columns: int = MAX_COLUMNS
) -> TypedTable:
    """Return the table that a sheet's lines hold, all of one width, from row 1 on.

    Raises BadInput where no header is found.
    """
    header = find_header([[_text(cell) for cell in line] for line in islice(lines, LOOKED_AT)], max_columns)
    data = lines[header.line + header.lines :]
    columns = tuple(_typed([line[i] for line in data]) for i in range(len(header.names)))
    origin = replace(origin, notes=(*origin.notes, *header.notes()))
    return TypedTable(header.names, header.unnamed, header.line + header.lines + 1, origin, columns)


def as_texts(column: Column) -> "pd.Series[str]":
    """Return cells as they would stand in a text: whole numbers without a fraction, times as ISO 8601."""
    codes, distinct = pd.factorize(column)
    texts = np.array([*(_text(cell) for cell in distinct), ""], dtype=object)
    return pd.Series(texts[codes], dtype="object")


def _read(column: Column, dtype: Dtype, missing: tuple[str, ...]) -> Column:
    if dtype == "str":
        return as_texts(column)
    if dtype == "category":
        return _categories(column)
    if types.is_numeric_dtype(column.dtype):
        return column.astype("Float64").astype(np.float64)
    texts = as_texts(column).str.strip()
    return pd.to_numeric(texts.mask(texts.isin(missing)), errors="raise").astype(np.float64)


def _categories(column: Column) -> Column:
    codes, distinct = pd.factorize(column)
    code_of, texts = pd.factorize(np.array([*map(_text, distinct), ""], dtype=object))
    return pd.Series(pd.Categorical.from_codes(code_of[codes], pd.Index(texts)))  # type: ignore[arg-type]


def _typed(cells: list[Cell]) -> Column:
    """Return the cells of a sheet's column as numbers or times where all are; else as they are."""
    filled = [cell for cell in cells if cell is not None and cell != ""]
    empty = [None if cell == "" else cell for cell in cells]
    if filled and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in filled):
        return pd.Series(empty, dtype="float64")
    return pd.Series(empty, dtype="object")


def _text(cell: Any) -> str:
    if cell is None or cell is pd.NaT or cell is pd.NA:
        return ""
    if isinstance(cell, datetime | date | time):
        return cell.isoformat().removesuffix(MIDNIGHT)
    if isinstance(cell, float | np.floating):
        return "" if np.isnan(cell) else _number(float(cell))
    return str(cell)


def _number(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < EXACT else repr(number)
