"""Convert JSON into an Arrow stream of columns: lines of objects, or one text in any form of a table."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import IO

import pyarrow as pa

from app.intake.files.json_cells import table_of_rows, unified
from app.intake.files.json_forms import NO_TABLE, rows_of
from app.intake.files.json_lines import tables_of_lines
from app.intake.files.refusals import Bounds, Refused, Vast, refuse_many
from app.intake.files.typed_columns import write

LONGEST_LINE = 1_048_576  # bytes, of the first
PIECE = 1_048_576  # bytes that are counted at a time
OBJECT, VALUE, ROOM = 184, 32, 1_300_000_000  # bytes of memory that one takes at least, and that there are
LINES_INSTEAD = (
    "This JSON takes more memory than there is, for it is read as a whole. Write one object in each line"
    " (NDJSON), which is read a piece at a time, or send CSV or Parquet."
)


def convert(source: IO[bytes], target: IO[bytes], bounds: Bounds) -> None:
    """Write the columns of a JSON text; raises Refused where it holds no table or is not JSON."""
    try:
        table = unified(list(_tables(source, bounds)))
    except UnicodeDecodeError as error:
        raise Refused("The file looks like JSON but is not text in UTF-8. Save it as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise Refused(
            f"The file looks like JSON but is not: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from error
    if not table.num_rows or not table.num_columns:
        raise Refused(NO_TABLE)
    write([table], target, bounds.rows)


def _tables(source: IO[bytes], bounds: Bounds) -> Iterator[pa.Table]:
    """Yield the rows of the text, some at a time; raises Vast for more than can be read."""
    start = len(BOM_UTF8) if source.read(len(BOM_UTF8)) == BOM_UTF8 else 0
    source.seek(start)
    is_lines = _is_object(source.readline(LONGEST_LINE)) and source.read(PIECE).strip() != b""
    source.seek(start)
    lines, objects, values = _counts(source)
    source.seek(start)
    if is_lines:
        refuse_many("lines", lines, bounds.rows)
        yield from tables_of_lines(source, bounds)
        return
    if objects * OBJECT + values * VALUE > ROOM:
        raise Vast(LINES_INSTEAD)
    yield table_of_rows(list(rows_of(json.loads(source.read()))), bounds)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _counts(source: IO[bytes]) -> tuple[int, ...]:
    """Return how many lines a text has, and at least how many objects and values, without reading them."""
    counts = [0, 0, 0]
    while piece := source.read(PIECE):
        counts = [count + piece.count(sign) for count, sign in zip(counts, (b"\n", b"{", b","), strict=True)]
    return tuple(counts)
