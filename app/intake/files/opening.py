"""Open a file of any kind as tables: one, or one for each sheet of a workbook."""

import json
import mmap
from collections.abc import Iterator
from functools import reduce
from typing import IO, Any

import pandas as pd
import pyarrow as pa

from app.errors import BadInput, FieldError, TooLarge
from app.intake.files.archives import out_of_archive, refuse_unread_packing
from app.intake.files.conversion import FileLimits, converted
from app.intake.files.kinds import kind_of
from app.intake.files.refusals import most_rows, too_many
from app.intake.files.typed_columns import NOTES
from app.intake.files.unpacking import beginning_of, unpacked
from app.intake.options import ReadOptions
from app.intake.problems import listed
from app.intake.tables.delimited import open_delimited
from app.intake.tables.table import Origin, Table
from app.intake.tables.text import pieces
from app.intake.tables.typed import Cell, table_of_columns, table_of_lines

LONGEST_LINE = 4_194_304  # bytes


def open_tables(file: IO[bytes], options: ReadOptions, limits: FileLimits) -> dict[str, Table]:
    """Return the tables of a file by the names of their sheets; what has no sheets has one without a name.

    Raises BadInput for what is no table or is broken, TooLarge for what takes too much memory.
    """
    content, notes = out_of_archive(file, limits.size)
    content = unpacked(content, limits.size)
    refuse_unread_packing(content)
    tables = _tables(content, options, limits)
    return {
        name: reduce(lambda each, note: each.with_note(note), notes, table) for name, table in tables.items()
    }


def _tables(content: IO[bytes], options: ReadOptions, limits: FileLimits) -> dict[str, Table]:
    kind = kind_of(beginning_of(content))
    if kind == "text":
        _refuse_vast_text(content, most_rows(limits.size))
        return {"": open_delimited(content, limits.columns, options.skip_rows or 0, options.encoding)}
    with converted(content, kind, limits) as file:
        if kind == "workbook":
            return _sheets(file, options, limits)
        return {"": _columns(file, kind)}


def _refuse_vast_text(content: IO[bytes], most: int) -> None:
    """Raise BadInput for a line that no row is as long as, TooLarge for more than `most` lines.

    Both would take much memory to say so later.
    """
    length, lines = 0, 0
    for piece in pieces(content):
        ends = [at for at in (piece.find(b"\n"), piece.find(b"\r")) if at >= 0]
        length += min(ends, default=len(piece))
        if length > LONGEST_LINE:
            which = "A" if lines else "The first"
            raise BadInput(
                f"{which} line is longer than {LONGEST_LINE:,} bytes, as no row is. Send a row for each time."
            )
        if ends:
            length = len(piece) - 1 - max(piece.rfind(b"\n"), piece.rfind(b"\r"))
            lines += max(piece.count(b"\n"), piece.count(b"\r"))
        if lines > most:
            raise TooLarge(too_many("rows", lines, most))


def _sheets(file: IO[bytes], options: ReadOptions, limits: FileLimits) -> dict[str, Table]:
    """Return the sheets that begin with a header; raises BadInput where there is none."""
    sheets = dict(_lines(file))
    if options.sheet is not None:
        sheets = {options.sheet: _named(sheets, options.sheet)}
    found: dict[str, Table] = {}
    errors: list[BadInput] = []
    for name, lines in sheets.items():
        for line in lines[: options.skip_rows or 0]:
            line[:] = [""] * len(line)
        try:
            found[name] = table_of_lines(lines, Origin("excel"), limits.columns)
        except BadInput as error:
            errors.append(error)
    if not found:
        raise errors[0]
    return found


def _named(sheets: dict[str, list[list[Cell]]], name: str) -> list[list[Cell]]:
    if name not in sheets:
        raise BadInput(
            f"The workbook has no sheet {name!r} with cells. It has {listed(sheets)}.",
            [FieldError("#/sheet", "no such sheet")],
        )
    return sheets[name]


def _lines(file: IO[bytes]) -> Iterator[tuple[str, list[list[Cell]]]]:
    name, lines = "", []
    for text in file:
        line = json.loads(text)
        if isinstance(line, list):
            lines.append(line)
            continue
        if lines:
            yield name, lines
        name, lines = line["sheet"], []
    yield name, lines


def _columns(file: IO[bytes], kind: str) -> Table:
    content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # columns of numbers stay where they are
    table = pa.ipc.open_stream(pa.py_buffer(content)).read_all()
    notes = json.loads((table.schema.metadata or {})[NOTES])
    if len(set(table.column_names)) < table.num_columns:
        raise BadInput("Several columns of the file have one name. Give every column its own name.")
    named = zip(table.column_names, map(_series, table.columns), strict=True)
    return table_of_columns(pd.DataFrame(dict(named), copy=False), Origin(kind, notes=tuple(notes)))


def _series(column: pa.ChunkedArray) -> "pd.Series[Any]":
    """Return a column with a type that knows what is missing."""
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    is_nullable = pa.types.is_integer(column.type) and column.null_count
    series: pd.Series[Any] = column.to_pandas(
        types_mapper={pa.int64(): pd.Int64Dtype()}.get if is_nullable else None
    )
    return series
