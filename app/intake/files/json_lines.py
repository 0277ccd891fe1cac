"""Read lines of JSON objects as tables: by Arrow, a block at a time; by hand what Arrow reads otherwise."""

import json
from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json
from pyarrow import types

from app.intake.files.json_cells import EXACT, nothing, table_of_rows
from app.intake.files.json_forms import Row
from app.intake.files.refusals import Bounds, Refused

BLOCK = 8_388_608  # bytes, of which a few are in memory; no line is longer
ROWS = 50_000  # whose objects are in memory at a time


def tables_of_lines(source: IO[bytes], bounds: Bounds) -> Iterator[pa.Table]:
    """Yield the rows of lines, some at a time, as flat tables; raises Refused for what is no object."""
    number, texts = 1, pa.schema([])
    for block in _blocks(source):
        block.decode()  # Arrow does not look whether it is UTF-8
        read = _by_arrow(block, texts)
        if read is None:
            yield from _by_hand(block, number, bounds)
        else:
            table, in_order = read
            texts = pa.unify_schemas([texts, _texts_of(table.schema)])
            yield _flat(table, bounds).select(_flat(in_order, bounds).column_names)
        number += block.count(b"\n")


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    """Yield whole lines, some 8 MiB at a time."""
    rest = b""
    while piece := source.read(BLOCK):
        whole = rest + piece
        end = whole.rfind(b"\n") + 1
        if len(whole) - end > BLOCK:
            raise Refused(
                f"A line is longer than {BLOCK:,} bytes, as no row is. Write one object in each line."
            )
        if end:
            yield whole[:end]
        rest = whole[end:]
    if rest.strip():
        yield rest + b"\n"


def _by_arrow(block: bytes, texts: pa.Schema) -> tuple[pa.Table, pa.Table] | None:
    """Return a block as Arrow reads it, and no rows of the columns in their order.

    None where `json` may read it otherwise, or not at all. Fields in `texts` are known to be texts: where
    others look like times, the block is read again.
    """
    try:
        table = _parsed(block, texts)
        in_order = table.slice(0, 0)
        if _texts_of(table.schema) != texts:
            table = _parsed(block, pa.unify_schemas([texts, _texts_of(table.schema)]))
    except pa.ArrowException:
        return None
    is_alike = all(map(_is_exact, table.columns)) and all(map(_is_plain, table.schema))
    return (table, in_order) if is_alike and table.num_rows == block.count(b"\n") else None


def _parsed(block: bytes, schema: pa.Schema) -> pa.Table:
    return arrow_json.read_json(
        pa.BufferReader(block),
        arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
        arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer"),
    )


def _texts_of(fields: Any) -> pa.Schema:
    """Return the fields that are texts, times among them, and objects with those in them."""
    found = []
    for field in fields:
        kind = field.type
        if types.is_struct(kind):
            found.append(pa.field(field.name, pa.struct(list(_texts_of(kind)))))
        elif types.is_string(kind) or types.is_timestamp(kind):
            found.append(pa.field(field.name, pa.string()))
    return pa.schema(found)


def _is_exact(column: pa.ChunkedArray) -> bool:
    """Return whether no number of a column is so large that it may have lost digits as a float."""
    if types.is_struct(column.type):
        return all(_is_exact(each) for each in column.flatten())
    if not types.is_floating(column.type):
        return True
    largest = pc.max(pc.abs(column)).as_py()
    return largest is None or largest < EXACT


def _is_plain(field: pa.Field) -> bool:
    """Return whether a field holds no object that only in some rows is a type and its value."""
    if not types.is_struct(field.type):
        return True
    inner = list(field.type)
    typed = [each for each in inner if each.name.startswith("$")]
    return (not typed or len(inner) == 1) and all(map(_is_plain, typed))


def _flat(table: pa.Table, bounds: Bounds) -> pa.Table:
    """Return a table of flat columns as `flat` makes rows, texts as codes; lists hold nothing."""
    pairs = zip(table.column_names, table.columns, strict=True)
    columns = [each for name, column in pairs for each in _columns(name, column)]
    bounds.refuse_many_columns(len(columns))
    return pa.table([column for _, column in columns], names=[name for name, _ in columns])


def _columns(name: str, column: pa.ChunkedArray) -> Iterator[tuple[str, Any]]:
    kind = column.type
    if types.is_string(kind):
        yield name, column.dictionary_encode()
    elif not types.is_nested(kind):
        yield name, column
    elif not types.is_struct(kind):
        yield name, nothing(len(column))
    elif kind.num_fields == 1 and kind.field(0).name.startswith("$"):
        yield from _columns(name, column.flatten()[0])
    else:
        for each, cells in zip(kind, column.flatten(), strict=True):
            is_object = types.is_struct(each.type)  # one in another is no column
            yield from _columns(f"{name}.{each.name}", nothing(len(cells)) if is_object else cells)


def _by_hand(block: bytes, first: int, bounds: Bounds) -> Iterator[pa.Table]:
    """Yield the tables of some lines, of which the first has the number `first`."""
    lines = block.split(b"\n")[:-1]
    for start in range(0, len(lines), ROWS):
        rows = list(_rows(lines[start : start + ROWS], first + start))
        yield table_of_rows(rows, bounds)


def _rows(lines: list[bytes], first: int) -> Iterator[Row]:
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
