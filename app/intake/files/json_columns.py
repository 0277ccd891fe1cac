"""Convert JSON into an Arrow stream of columns: lines of objects, and the forms that pandas and others write.

A table is a list of objects or of lists, columns by name, or one of these inside an object. pandas calls the
forms records, split, index, columns, values and table.
"""

import contextlib
import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import IO, Any

import pyarrow as pa

from app.intake.files.refusals import Bounds, Refused, Vast, refuse_many
from app.intake.files.typed_columns import write

LONGEST_LINE = 1_048_576  # bytes, of the first
ROWS = 50_000  # whose objects are in memory at a time, of lines
DEEPEST = 3  # objects in one another that the table of an answer is in
PIECE = 1_048_576  # bytes that are counted at a time
OBJECT, VALUE, ROOM = 184, 32, 1_300_000_000  # bytes of memory that one takes at least, and that there are
ROWS_OF = ("observations", "data", "records", "rows", "results", "values")
FEW = 2  # fields of an object that is a row, and no series
NO_TABLE = (
    "The JSON holds no table. Send a list of objects with the same keys, one for each time, or lines of such"
    " objects, or an object of columns."
)
Row = dict[str, Any]


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
    yield list(_rows(json.loads(source.read())))


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


def _rows(found: Any) -> Iterable[Row]:
    """Return the rows of a table in any of its forms."""
    if isinstance(found, list):
        return _of_list(found)
    if not isinstance(found, dict) or not found:
        raise Refused(NO_TABLE)
    if isinstance(found.get("columns"), list) and isinstance(found.get("data"), list):
        return _of_split(found["columns"], found["data"], found.get("index"))
    inside = [found[name] for name in ROWS_OF if isinstance(found.get(name), list)]
    if inside and inside[0] and isinstance(inside[0][0], dict):
        return _rows(inside[0])
    nested = [*_tables_in(found, DEEPEST)] if any(isinstance(each, dict) for each in found.values()) else []
    return _rows(nested[0]) if len(nested) == 1 else _of_columns(found)


def _tables_in(found: Row, depth: int) -> Iterator[Any]:
    """Yield the lists of objects and the columns of one length inside an answer, in objects of objects."""
    for value in found.values():
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            yield value
        if isinstance(value, dict) and depth:
            cells = [*value.values()]
            if (
                len(cells) > 1
                and all(isinstance(each, list) for each in cells)
                and len(set(map(len, cells))) == 1
            ):
                yield value
            else:
                yield from _tables_in(value, depth - 1)


def _of_columns(found: Row) -> Iterable[Row]:
    values = list(found.values())
    if all(isinstance(value, dict) for value in values):
        return _of_objects(found)
    if all(isinstance(value, list) for value in values):
        lengths = {len(value) for value in values}
        if len(lengths) > 1:
            raise Refused(
                "The columns of the JSON have different lengths. Write null where there is no value."
            )
        return (dict(zip(found, cells, strict=True)) for cells in zip(*values, strict=True))
    if any(isinstance(value, dict | list) for value in values):
        raise Refused(NO_TABLE)
    if len(found) > FEW and "y" not in found and not any(isinstance(value, str) for value in values):
        return ({"index": key, "value": value} for key, value in found.items())
    return [found]


def _of_list(found: list[Any]) -> Iterable[Row]:
    if found and all(isinstance(row, dict) for row in found):
        return found
    if len(found) == 2 and isinstance(found[1], list) and isinstance(found[0], dict):  # noqa: PLR2004 - as the World Bank answers
        return _rows(found[1])
    if (
        len(found) > 1
        and all(isinstance(row, list) for row in found)
        and all(isinstance(name, str) for name in found[0])
    ):
        return _of_split(found[0], found[1:], None)
    raise Refused(NO_TABLE)


def _of_split(names: list[Any], data: list[Any], index: Any) -> Iterable[Row]:
    if not all(isinstance(row, list) and len(row) == len(names) for row in data):
        raise Refused(f"Not every row of the JSON has {len(names)} cells, as there are columns.")
    labels = (
        index
        if isinstance(index, list) and len(index) == len(data) and index != list(range(len(data)))
        else None
    )
    for number, row in enumerate(data):
        own = dict(zip(map(str, names), row, strict=True))
        yield {"index": labels[number], **own} if labels else own


def _of_objects(found: Mapping[str, Row]) -> Iterable[Row]:
    """Return the rows of objects that are columns or rows, whichever are fewer columns than rows."""
    inner = list(dict.fromkeys(key for value in found.values() for key in value))
    are_columns = len(inner) > len(found) or (len(inner) == len(found) and inner[0].isdecimal())
    labels, names = (inner, list(found)) if are_columns else (list(found), inner)
    is_counted = labels == [str(i) for i in range(len(labels))]
    for label in labels:
        cells = {name: (found[name].get(label) if are_columns else found[label].get(name)) for name in names}
        yield cells if is_counted else {"index": label, **cells}


def _table(rows: list[Row], bounds: Bounds) -> pa.Table:
    flat = [_flat(row) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    bounds.refuse_many_columns(len(names))
    return pa.table({name: _cells([row.get(name) for row in flat]) for name in names})


def _flat(row: Row) -> Row:
    """Return a row with the fields of objects in it, by names such as `country.value`."""
    if not any(isinstance(value, dict) for value in row.values()):
        return row
    found: Row = {}
    for name, value in row.items():
        found |= (
            {f"{name}.{inner}": cell for inner, cell in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
    return found


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
