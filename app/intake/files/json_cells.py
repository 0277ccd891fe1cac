"""Put rows of JSON, and portions of them, into Arrow tables of flat columns: numbers, or texts as codes."""

import json
from typing import Any

import pyarrow as pa
from pyarrow import types

from app.intake.files.json_forms import Row, flat
from app.intake.files.refusals import Bounds

NUMBERS = {pa.int64(), pa.float64()}
EXACT = 2**53  # from which on not every whole number is a float


def table_of_rows(rows: list[Row], bounds: Bounds) -> pa.Table:
    """Return rows as columns; raises Refused for more columns than there may be."""
    flattened = [flat(row) for row in rows]
    names = list(dict.fromkeys(name for row in flattened for name in row))
    bounds.refuse_many_columns(len(names))
    return pa.table({name: _cells([row.get(name) for row in flattened]) for name in names})


def _cells(cells: list[Any]) -> pa.Array:
    """Return cells as numbers where all are, else as texts; what are lists stays out of the table."""
    if any(isinstance(cell, list | dict) for cell in cells):
        return nothing(len(cells))
    try:
        found = pa.array(cells)
    except (pa.ArrowException, OverflowError):
        found = pa.array([cell if isinstance(cell, str) else _text(cell) for cell in cells], pa.string())
    return found.dictionary_encode() if types.is_string(found.type) else found


def _text(cell: Any) -> str | None:
    return None if cell is None else json.dumps(cell)


def nothing(count: int) -> pa.Array:
    """Return a column of so many cells that stays out of the table."""
    return pa.nulls(count, pa.list_(pa.null()))


def unified(tables: list[pa.Table]) -> pa.Table:
    """Return portions as one table; a column of numbers in one and of texts in another is one of texts."""
    kinds: dict[str, set[pa.DataType]] = {}
    for field in (field for table in tables for field in table.schema if not types.is_null(field.type)):
        kinds.setdefault(field.name, set()).add(field.type)
    lists = {name for name, found in kinds.items() if any(map(types.is_nested, found))}
    mixed = {name for name, found in kinds.items() if len(found) > 1}
    some = {name for name in mixed if kinds[name] != NUMBERS}
    try:
        return pa.concat_tables([_alike(each, lists, some) for each in tables], promote_options="permissive")
    except pa.ArrowInvalid:  # a whole number that is no float
        return pa.concat_tables([_alike(each, lists, mixed) for each in tables], promote_options="permissive")


def _alike(table: pa.Table, lists: set[str], mixed: set[str]) -> pa.Table:
    for number, field in enumerate(table.schema):
        if field.name in lists:
            table = table.set_column(number, field.name, nothing(table.num_rows))
        elif field.name in mixed:
            table = table.set_column(number, field.name, table.column(number).cast(pa.string()))
    return table
