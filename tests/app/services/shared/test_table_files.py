"""Tables as files: the same cells in every format."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from app.errors import BadInput
from app.schemas.media_types import ARROW, CSV, CSV_EXCEL, NDJSON, PARQUET, XLSX
from app.services.shared import workbooks
from app.services.shared.table_files import ZONE, table_parts

TEXTS = ["a", 'the "old" one', "semi; comma,", "日本 🎌", "=1+1", "-", "007", "NA", "_x0041_", "x" * 500]
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SCHEMA = pa.schema([("unique_id", pa.string()), ("ds", pa.string()), ("y", pa.float64())])
MEDIA_TYPES = (CSV, CSV_EXCEL, NDJSON, ARROW, PARQUET, XLSX)


def written(media_type: str, rows: Sequence[tuple[str, Any, float | None]], **said: Any) -> bytes:
    """A table of these rows, two in each batch."""
    batches = pa.table([list(cells) for cells in zip(*rows, strict=True)], schema=SCHEMA).to_batches(2)
    return b"".join(table_parts(media_type, SCHEMA, batches, **said))


def cells(media_type: str, data: bytes) -> list[list[Any]]:
    """The cells of a table, header first, None for an empty one; texts of numbers as numbers."""
    if media_type in (CSV, CSV_EXCEL):
        text, delimiter = data.decode("utf-8-sig"), "," if media_type == CSV else ";"
        header, *lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return [header, *([*line[:2], number(line[2])] for line in lines)]
    if media_type == NDJSON:
        found = [json.loads(line) for line in data.splitlines()]
        return [list(found[0]), *(list(row.values()) for row in found)]
    if media_type == XLSX:
        sheet = CalamineWorkbook.from_object(io.BytesIO(data)).get_sheet_by_index(0)
        return [[None if cell == "" else cell for cell in line] for line in sheet.to_python()]
    table = pq.read_table(io.BytesIO(data)) if media_type == PARQUET else pa.ipc.open_stream(data).read_all()
    return [table.column_names, *(list(row.values()) for row in table.to_pylist())]


def number(text: str) -> float | None:
    return float(text.replace(",", ".")) if text else None


def bits(values: Sequence[float]) -> bytes:
    return np.array(values, dtype="<f8").tobytes()


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
@settings(max_examples=30, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=20))
@example([1e300, 5e-324, -0.0, 5.0, 1e16, 123456789012345680.0, 1e-5, 0.1 + 0.2, 1e22])
def test_each_number_has_all_its_digits_in_every_format(media_type: str, numbers: list[float]) -> None:
    data = written(media_type, [("a", "2024-01-31", value) for value in numbers])
    assert bits([row[2] for row in cells(media_type, data)[1:]]) == bits(numbers)


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_awkward_texts_and_empty_cells_come_back_from_every_format(media_type: str) -> None:
    data = written(media_type, [(text, "2024-01-31", None) for text in TEXTS])
    header, *rows = cells(media_type, data)
    assert header == ["unique_id", "ds", "y"]
    assert [(row[0], row[2]) for row in rows] == [(text, None) for text in TEXTS]


@pytest.mark.parametrize("media_type", [CSV, CSV_EXCEL])
def test_names_that_a_spreadsheet_would_compute_are_quoted_on_request(media_type: str) -> None:
    rows = [(name, "2024-01-31", -1.0) for name in ("=1+1", "+1", "-1", "@a", "a=1")]
    plain = cells(media_type, written(media_type, rows))
    quoted = cells(media_type, written(media_type, rows, quote_formulas=True))
    assert [row[0] for row in plain[1:]] == ["=1+1", "+1", "-1", "@a", "a=1"]
    assert [row[0] for row in quoted[1:]] == ["'=1+1", "'+1", "'-1", "'@a", "a=1"]
    assert [row[1:] for row in quoted] == [row[1:] for row in plain]


def test_csv_for_spreadsheets_has_a_mark_semicolons_and_decimal_commas() -> None:
    data = written(CSV_EXCEL, [("a", "2024-01-31", 1.5), ("b", "2024-02-29", None)])
    assert data.decode() == "\ufeffunique_id;ds;y\r\na;2024-01-31;1,5\r\nb;2024-02-29;\r\n"


def test_times_are_timestamps_in_parquet_and_dates_in_a_workbook() -> None:
    rows = [("a", "2024-01-31", 1.0), ("a", "2024-01-31T13:20:07", 2.0)]
    table = pq.read_table(io.BytesIO(written(PARQUET, rows)))
    assert table.column("ds").cast(pa.string()).to_pylist() == [
        "2024-01-31 00:00:00.000000",
        "2024-01-31 13:20:07.000000",
    ]
    for row in rows:
        found = cells(XLSX, written(XLSX, [row]))[1][1]
        assert found.isoformat() == row[1]


def test_times_with_offsets_are_in_their_zone_in_parquet() -> None:
    field = pa.field("ds", pa.string(), metadata={ZONE: "Europe/Berlin"})
    schema = pa.schema([field])
    texts = ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-26"]
    data = b"".join(table_parts(PARQUET, schema, [pa.record_batch([texts], schema=schema)]))
    found = pq.read_table(io.BytesIO(data)).column("ds")
    assert found.type == pa.timestamp("us", "Europe/Berlin")
    assert [time.isoformat() for time in found.to_pylist()] == [*texts[:2], "2026-10-26T00:00:00+01:00"]


@pytest.mark.parametrize("text", ["1899-12-31", "2024-01-31T01:00:00+01:00", "2024-01-31T01:00:00.000001"])
def test_a_time_that_no_date_of_a_spreadsheet_holds_is_a_text_in_a_workbook(text: str) -> None:
    assert cells(XLSX, written(XLSX, [("a", text, 1.0)]))[1][1] == text


def test_more_rows_than_a_sheet_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_ROWS", 2)
    assert len(cells(XLSX, written(XLSX, [("a", "2024-01-31", 1.0)] * 2))) == 3
    with pytest.raises(BadInput, match="Ask for fewer series"):
        written(XLSX, [("a", "2024-01-31", 1.0)] * 3)


def test_a_table_without_rows_has_its_header_in_parquet() -> None:
    data = b"".join(table_parts(PARQUET, SCHEMA, []))
    assert pq.read_table(io.BytesIO(data)).column_names == ["unique_id", "ds", "y"]
