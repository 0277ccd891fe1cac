"""Convert Parquet, Feather and Arrow into one Arrow stream of plain columns."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from app.intake.files.refusals import Bounds, Refused, refuse_many

ROWS = 65_536  # at a time
NONE = -(2**63)  # of the periods of pandas, where there is none
LONGEST_TEXT = 1_048_576  # bytes
NOTES = b"notes"
INDEX = re.compile(r"__index_level_(\d+)__")
LEVELS = re.compile(r"\('[^']*'(?:, '[^']*')+\)")  # of names, which pandas writes as a tuple
LEVEL = re.compile(r"'([^']*)'")
PARQUET, STREAM = b"PAR1", b"\xff\xff\xff\xff"


def convert(source: IO[bytes], target: IO[bytes], bounds: Bounds) -> None:
    """Write numbers, true and false, dates, times and texts; leave out lists and what else is no cell."""
    pa.set_cpu_count(1)  # a thread of its own takes memory that counts
    beginning = source.read(len(STREAM))
    source.seek(0)
    if beginning == PARQUET:
        write(_parquet(source, bounds), target, bounds.rows)
    else:
        write(_arrow(source, bounds, is_stream=beginning == STREAM), target, bounds.rows)


def write(tables: Iterable[pa.Table], target: IO[bytes], most: int) -> None:
    """Write tables of one schema as a stream, whose metadata names the columns that were left out.

    Raises Vast for more than `most` rows.
    """
    stream, rows = None, 0
    for table in tables:
        rows += table.num_rows
        refuse_many("rows", rows, most)
        table.validate(full=True)  # of offsets beyond the data, and texts that are not UTF-8
        plain, left = _plain(table)
        if stream is None:
            notes = [f"Column {name!r} holds lists or the like and was left out." for name in left]
            schema = plain.schema.with_metadata({NOTES: json.dumps(notes)})
            stream = pa.ipc.new_stream(target, schema)
        stream.write_table(plain.cast(schema), ROWS)
    if stream is not None:
        stream.close()


def _parquet(source: IO[bytes], bounds: Bounds) -> Iterator[pa.Table]:
    file = pq.ParquetFile(source)
    schema = file.schema_arrow
    refuse_many("rows", file.metadata.num_rows, bounds.rows)
    bounds.refuse_many_columns(len(schema.names))
    texts = [field.name for field in schema if _is_text(field.type)]
    # A text that repeats is kept once: what is a short file would fill the memory.
    file = pq.ParquetFile(source, read_dictionary=texts)
    yield pa.Table.from_batches([], file.schema_arrow)
    for batch in file.iter_batches(ROWS, use_threads=False):
        yield pa.Table.from_batches([batch])


def _arrow(source: IO[bytes], bounds: Bounds, *, is_stream: bool) -> Iterator[pa.Table]:
    reader = pa.ipc.open_stream(source) if is_stream else pa.ipc.open_file(source)
    bounds.refuse_many_columns(len(reader.schema.names))
    yield pa.Table.from_batches([], reader.schema)
    for batch in reader if is_stream else map(reader.get_batch, range(reader.num_record_batches)):
        yield pa.Table.from_batches([batch])


def _plain(table: pa.Table) -> tuple[pa.Table, list[str]]:
    """Return a table of plain columns, and the names of those that were left out."""
    while any(types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    found: list[tuple[str, Any]] = []
    left = []
    for field, column in zip(table.schema, table.columns, strict=True):
        name, frequency = field.name, _frequency(field)
        plain = _period_begins(column, frequency) if frequency else _cells(column)
        if plain is None:
            left.append(name)
        else:
            found.append((_name(name), plain))
    return pa.table([column for _, column in found], names=[name for name, _ in found]), left


def _name(name: str) -> str:
    """Return the name of a column; the nameless index of a pandas frame is one called index."""
    if found := INDEX.fullmatch(name):
        return "index" if found[1] == "0" else f"index {found[1]}"
    return " ".join(filter(None, LEVEL.findall(name))) if LEVELS.fullmatch(name) else name


def _frequency(field: pa.Field) -> str | None:
    """Return the frequency of a column of periods, as pandas writes them; None for any other column."""
    metadata = field.metadata or {}
    if metadata.get(b"ARROW:extension:name") != b"pandas.period":
        return None
    frequency: str = json.loads(metadata[b"ARROW:extension:metadata"])["freq"]
    return frequency


def _period_begins(column: pa.ChunkedArray, frequency: str) -> pa.ChunkedArray:
    """Return the time that each period begins with."""
    import pandas as pd  # noqa: PLC0415 - it takes memory that few files need

    ordinals = column.cast(pa.int64()).fill_null(NONE).to_numpy()
    try:
        begins = pd.arrays.PeriodArray(ordinals, dtype=pd.PeriodDtype(frequency)).to_timestamp()
    except (ValueError, OverflowError) as error:
        raise Refused(f"A column of periods has the frequency {frequency!r}, which is not known.") from error
    return pa.chunked_array([pa.array(begins)])


def _cells(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return a column as one of a few types, None for lists and what else is no cell."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _cells(pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type))
    if types.is_dictionary(kind):
        return _coded(column, kind.value_type)
    if types.is_decimal(kind):
        return column.cast(pa.string()).cast(pa.float64())  # the nearest number, as a text is read
    if types.is_duration(kind):  # in seconds
        return pc.divide(column.cast(pa.duration("us")).cast(pa.int64()).cast(pa.float64()), 1e6)
    plain = next((plain for is_one, plain in PLAIN if is_one(kind)), None)
    if plain is None:
        return None
    if _is_text(kind):
        _refuse_long(column)
    return column.cast(plain or kind)


def _coded(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    """Return cells that are numbers of a dictionary: texts so again, others by themselves."""
    if not _is_text(kind):
        return _cells(pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], kind))
    _refuse_long(pa.chunked_array([chunk.dictionary for chunk in column.chunks], kind))
    chunks = [
        pa.DictionaryArray.from_arrays(chunk.indices.cast(pa.int32()), chunk.dictionary.cast(pa.string()))
        for chunk in column.chunks
    ]
    return pa.chunked_array(chunks, pa.dictionary(pa.int32(), pa.string()))


def _refuse_long(texts: pa.ChunkedArray) -> None:
    """Raise Refused for a text that no cell is as long as."""
    longest = pc.max(pc.binary_length(texts.cast(pa.large_string()))).as_py() or 0
    if longest > LONGEST_TEXT:
        raise Refused(
            f"A cell holds a text of {longest:,} bytes, and at most {LONGEST_TEXT:,} are read; leave it out."
        )


def _is_text(kind: pa.DataType) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


PLAIN = (
    (types.is_boolean, pa.bool_()),
    (types.is_timestamp, False),  # as it is, in its zone
    (types.is_date, pa.timestamp("s")),
    (types.is_floating, pa.float64()),
    (types.is_uint64, pa.float64()),
    (types.is_integer, pa.int64()),
    (_is_text, pa.string()),
    (types.is_time, pa.string()),
    (types.is_null, pa.string()),
)
"""The type that the cells of each kind of column get, False for their own."""
