"""Convert JSON into an Arrow stream of columns: lines of objects, or one text in any form of a table."""

import contextlib
import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import pyarrow as pa

from app.intake.files.json_forms import NO_TABLE, Row, flat, rows_of
from app.intake.files.refusals import Bounds, Refused, Vast, refuse_many
from app.intake.files.typed_columns import write

LONGEST_LINE = 1_048_576  # bytes, of the first
ROWS = 50_000  # whose objects are in memory at a time, of lines
PIECE = 1_048_576  # bytes that are counted at a time
OBJECT, VALUE, ROOM = 184, 32, 1_300_000_000  # bytes of memory that one takes at least, and that there are


def convert(source: IO[bytes], target: IO[bytes], bounds: Bounds) -> None:
    """Write the columns of a JSON text; raises Refused where it holds no table or is not JSON."""
    try:
        table = _unified([_table(rows, bounds) for rows in _portions(source, bounds)])
    except UnicodeDecodeError as error:
        raise Refused("The file looks like JSON but is not text in UTF-8. Save it as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise Refused(
            f"The file looks like JSON but is not: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from error
    if not table.num_rows or not table.num_columns:
        raise Refused(NO_TABLE)
    write([table], target, bounds.rows)


def _portions(source: IO[bytes], bounds: Bounds) -> Iterator[list[Row]]:
    """Yield the rows of the text, some at a time; raises Vast for more than can be read."""
    start = len(BOM_UTF8) if source.read(len(BOM_UTF8)) == BOM_UTF8 else 0
    source.seek(start)
    is_lines = _is_object(source.readline(LONGEST_LINE)) and source.read(ROWS).strip() != b""
    source.seek(start)
    lines, objects, values = _counts(source)
    source.seek(start)
    if is_lines:
        refuse_many("lines", lines, bounds.objects)
        number = 1
        while portion := list(islice(source, ROWS)):
            yield _of_lines(portion, number)
            number += len(portion)
        return
    if objects * OBJECT + values * VALUE > ROOM:
        raise Vast("")
    yield list(rows_of(json.loads(source.read())))


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _counts(source: IO[bytes]) -> tuple[int, int, int]:
    """Return how many lines a text has, and at least how many objects and values, without reading them."""
    counts = [0, 0, 0]
    while piece := source.read(PIECE):
        for i, sign in enumerate((b"\n", b"{", b",")):
            counts[i] += piece.count(sign)
    return counts[0], counts[1], counts[2]


def _of_lines(lines: list[bytes], first: int) -> list[Row]:
    """Return the objects of some lines, of which the first has the number `first`."""
    found: list[Row] = []
    with contextlib.suppress(ValueError):
        found = json.loads(b"[" + b",".join(line for line in lines if line.strip()) + b"]")
    # A line may hold two objects, or a part of one, though all together are a list.
    if len(found) == sum(bool(line.strip()) for line in lines) and all(
        isinstance(row, dict) for row in found
    ):
        return found
    return list(_one_by_one(lines, first))


def _one_by_one(lines: list[bytes], first: int) -> Iterator[Row]:
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise Refused(
                f"Line {number} is not JSON: {error.msg}. Write one object in each line."
            ) from error
        if not isinstance(row, dict):
            raise Refused(f"Line {number} holds no object. Write one object in each line.")
        yield row


def _table(rows: list[Row], bounds: Bounds) -> pa.Table:
    flattened = [flat(row) for row in rows]
    names = list(dict.fromkeys(name for row in flattened for name in row))
    bounds.refuse_many_columns(len(names))
    return pa.table({name: _cells([row.get(name) for row in flattened]) for name in names})


def _cells(cells: list[Any]) -> pa.Array:
    """Return cells as numbers where all are, else as texts; what are lists stays out of the table."""
    if any(isinstance(cell, list | dict) for cell in cells):
        return pa.array([None] * len(cells), pa.list_(pa.null()))
    try:
        return pa.array(cells)
    except (pa.ArrowException, OverflowError):
        return pa.array([cell if isinstance(cell, str) else _text(cell) for cell in cells], pa.string())


def _text(cell: Any) -> str | None:
    return None if cell is None else json.dumps(cell)


def _unified(tables: list[pa.Table]) -> pa.Table:
    """Return portions as one table; a column of numbers in one and of texts in another is one of texts."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException:
        mixed = {
            field.name
            for table in tables
            for field in table.schema
            if any(
                field.name in other.column_names and other.field(field.name).type != field.type
                for other in tables
            )
        }
        return pa.concat_tables([_as_texts(table, mixed) for table in tables], promote_options="permissive")


def _as_texts(table: pa.Table, names: set[str]) -> pa.Table:
    for number, field in enumerate(table.schema):
        if field.name in names and not pa.types.is_nested(field.type):
            table = table.set_column(number, field.name, table.column(number).cast(pa.string()))
    return table
