"""Write a table as an Excel workbook of one sheet."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from app.errors import BadInput, FieldError

MOST_ROWS = 1_048_575  # below the header
PART = 1_048_576  # bytes
WIDTH = 18  # of a column, in characters
DATE, SECOND = len("2024-01-31"), len("2024-01-31T00:00:00")
SHAPES = {DATE: "yyyy-mm-dd", SECOND: "yyyy-mm-dd hh:mm:ss"}
DAY_ZERO = np.datetime64("1899-12-30", "s")
FIRST_DAY = "1900-03-01"  # before it, spreadsheets count a 29 February that there was not
DAY_S = 86_400


def workbook_parts(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """Yield a workbook in parts, each row having been written to disk before the first.

    Raises BadInput for more rows than a sheet has.
    """
    with tempfile.TemporaryFile() as file:
        with Workbook(file, {"constant_memory": True}) as workbook:
            sheet = _Sheets(workbook)
            sheet.write_header(schema.names)
            for batch in batches:
                sheet.write(batch)
        file.seek(0)
        while part := file.read(PART):
            yield part


class _ExactWorksheet(Worksheet):  # type: ignore[misc]  # it has no types
    """Writes all digits of a number: the library leaves out the seventeenth."""

    def _xml_number_element(self, number: float, attributes: Sequence[tuple[str, Any]] = ()) -> None:
        written = "".join(f' {name}="{value}"' for name, value in attributes)
        self.fh.write(f"<c{written}><v>{number!r}</v></c>")


class _Sheets:
    """Writes rows one after the other; a time is a date of the spreadsheet where that loses nothing."""

    def __init__(self, workbook: Workbook) -> None:
        self._sheet = workbook.add_worksheet("data", worksheet_class=_ExactWorksheet)
        self._shapes = {size: workbook.add_format({"num_format": shape}) for size, shape in SHAPES.items()}
        self._row = 0

    def write_header(self, names: list[str]) -> None:
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(names) - 1, WIDTH)
        for number, name in enumerate(names):
            self._sheet.write_string(0, number, name)

    def write(self, batch: pa.RecordBatch) -> None:
        if self._row + len(batch) > MOST_ROWS:
            remedy = "Ask for fewer series, or for format=csv or format=parquet."
            raise BadInput(
                f"The table has more rows than the {MOST_ROWS:,} of a sheet. {remedy}",
                [FieldError("?format", remedy)],
            )
        columns = [self._cells(field, column) for field, column in zip(batch.schema, batch, strict=True)]
        for row in zip(*(cells for cells, _ in columns), strict=True):
            self._row += 1
            for number, (cell, (_, shape)) in enumerate(zip(row, columns, strict=True)):
                if isinstance(cell, str):
                    self._sheet.write_string(self._row, number, cell)
                elif cell is not None:
                    self._sheet.write_number(self._row, number, cell, shape)

    def _cells(self, field: pa.Field, column: pa.Array) -> tuple[list[Any], Format | None]:
        """Return the cells of a column, and how numbers among them are shown."""
        cells = column.to_pylist()
        if field.name not in ("ds", "cutoff") or not cells or not isinstance(cells[0], str):
            return cells, None
        size = len(cells[0])
        if size not in SHAPES or min(cells) < FIRST_DAY or any(len(cell) != size for cell in cells):
            return cells, None
        seconds = (np.array(cells, dtype="M8[s]") - DAY_ZERO).astype(np.int64)
        return (seconds // DAY_S if size == DATE else seconds / DAY_S).tolist(), self._shapes[size]
