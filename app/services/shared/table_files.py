"""Write tables as files, part by part: CSV, CSV for spreadsheets, NDJSON, Arrow, Parquet and Excel.

A table is a schema and record batches. Times are ISO 8601 texts or integers, in columns named by `TIMES`. A
number has the same digits in every format, as few as identify it.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic_core import to_json

from app.schemas.media_types import ARROW, CSV, CSV_EXCEL, NDJSON, PARQUET, XLSX
from app.services.shared.workbooks import workbook_parts

TIMES = ("ds", "cutoff")
ZONE = b"time_zone"
"""In the metadata of a column of times with offsets: the zone whose offsets they are."""
QUOTED = r'[,;"\r\n]'  # CSV quotes a text that holds one of them
OFFSET = r"(Z|[+-]\d\d:\d\d)$"
FORMULA = r"^([=+\-@\t\r])"
BYTE_ORDER_MARK = "\ufeff"
Batches = Iterable[pa.RecordBatch]


def table_parts(
    media_type: str, schema: pa.Schema, batches: Batches, *, quote_formulas: bool = False
) -> Iterator[bytes]:
    """Yield one table in parts; raises BadInput for more rows than a sheet has.

    With `quote_formulas`, texts of CSV that a spreadsheet would compute (`=1+1`) begin with an apostrophe.
    """
    if quote_formulas and media_type in (CSV, CSV_EXCEL):
        batches = map(_without_formulas, batches)
        names = pa.array(schema.names, pa.string())
        schema = pa.schema(dict(zip(quoted_formulas(names).to_pylist(), schema.types, strict=True)))
    return WRITERS[media_type](schema, batches)


def quoted_formulas(texts: pa.Array) -> pa.Array:
    """Return texts with an apostrophe before each that a spreadsheet would compute."""
    return pc.replace_substring_regex(texts, FORMULA, r"'\1")


def _without_formulas(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        quoted_formulas(column) if pa.types.is_string(field.type) and field.name not in TIMES else column
        for field, column in zip(batch.schema, batch.columns, strict=True)
    ]
    return pa.record_batch(columns, names=batch.schema.names)


def _csv_parts(schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    yield from _lines(schema, batches, ",", "\n", ".")


def _spreadsheet_csv_parts(schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    yield BYTE_ORDER_MARK.encode()
    yield from _lines(schema, batches, ";", "\r\n", ",")


def _lines(schema: pa.Schema, batches: Batches, delimiter: str, end: str, decimal: str) -> Iterator[bytes]:
    yield (delimiter.join(_quoted(pa.array(schema.names, pa.string())).to_pylist()) + end).encode()
    for batch in batches:
        cells = [_cells(column, decimal) for column in batch.columns]
        lines = pc.binary_join_element_wise(*cells, delimiter, null_handling="replace", null_replacement="")
        if len(lines):
            yield (end.join(lines.to_pylist()) + end).encode()


def _cells(column: pa.Array, decimal: str) -> pa.Array:
    """Return the texts of a column as CSV has them; null stays null."""
    if pa.types.is_string(column.type):
        return _quoted(column)
    texts = column.cast(pa.string())
    return pc.replace_substring(texts, ".", decimal) if decimal != "." else texts


def _quoted(texts: pa.Array) -> pa.Array:
    doubled = pc.replace_substring(texts, '"', '""')
    inside = pc.binary_join_element_wise('"', doubled, '"', "")
    return pc.if_else(pc.match_substring_regex(texts, QUOTED), inside, texts)


def _ndjson_parts(_: pa.Schema, batches: Batches) -> Iterator[bytes]:
    for batch in batches:
        yield b"".join(to_json(row) + b"\n" for row in batch.to_pylist())


def _arrow_parts(schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    sink = _Parts()
    stream = None
    for batch in batches:
        table = _with_times(pa.Table.from_batches([batch], schema))
        stream = stream or pa.ipc.new_stream(sink, table.schema)
        stream.write_table(table)
        yield sink.taken()
    if stream is None:
        stream = pa.ipc.new_stream(sink, _with_times(schema.empty_table()).schema)
    stream.close()
    yield sink.taken()


def _parquet_parts(schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    sink = _Parts()
    writer = None
    for batch in batches:
        table = _with_times(pa.Table.from_batches([batch], schema))
        writer = writer or pq.ParquetWriter(sink, table.schema)
        writer.write_table(table)
        yield sink.taken()
    if writer is None:
        writer = pq.ParquetWriter(sink, schema)
    writer.close()
    yield sink.taken()


def _with_times(table: pa.Table) -> pa.Table:
    """Return a table with timestamps in place of the texts of times."""
    for number, field in enumerate(table.schema):
        if field.name in TIMES and pa.types.is_string(field.type):
            times = _times(table.column(number), (field.metadata or {}).get(ZONE))
            table = table.set_column(number, field.name, times)
    return table


def _times(texts: pa.ChunkedArray, zone: bytes | None) -> pa.ChunkedArray:
    """Return ISO 8601 texts as timestamps; those with offsets in their zone, else in UTC."""
    if zone is None and not pc.any(pc.match_substring_regex(texts, OFFSET)).as_py():
        return texts.cast(pa.timestamp("us"))
    name = (zone or b"UTC").decode()
    has_offset = pc.match_substring_regex(texts, OFFSET)
    instants = pc.if_else(has_offset, texts, None).cast(pa.timestamp("us", "UTC"))
    local = pc.if_else(has_offset, None, texts).cast(pa.timestamp("us"))
    midnights = pc.assume_timezone(local, name, ambiguous="earliest", nonexistent="latest")
    return pc.coalesce(instants.cast(midnights.type), midnights)


class _Parts(io.RawIOBase):
    """Takes what a writer writes, and gives it away part by part."""

    def __init__(self) -> None:
        super().__init__()
        self._written: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._written.append(bytes(data))
        self._size += len(self._written[-1])
        return len(self._written[-1])

    def tell(self) -> int:
        return self._size

    def taken(self) -> bytes:
        """Return what was written since the last call."""
        part = b"".join(self._written)
        self._written.clear()
        return part


WRITERS: dict[str, Callable[[pa.Schema, Batches], Iterator[bytes]]] = {
    CSV: _csv_parts,
    CSV_EXCEL: _spreadsheet_csv_parts,
    NDJSON: _ndjson_parts,
    ARROW: _arrow_parts,
    PARQUET: _parquet_parts,
    XLSX: workbook_parts,
}
