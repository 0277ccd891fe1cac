"""The rows of a delimited text: read by Arrow, a block at a time, into columns of codes and numbers."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from itertools import islice

import pyarrow as pa
from pyarrow import csv as arrow_csv

from app.errors import BadInput, FieldError
from app.intake.problems import SHOWN
from app.intake.tables.text import END, Text, scratch_file, stream

BLOCK, BLOCK_OF_COLUMN = 8_388_608, 2_048  # bytes, of which several are in memory; no row is longer
LONGEST_SPACES = 64
MOST_BELOW = 100  # totals and remarks below a table

Types = Mapping[str, pa.DataType]


class DelimitedRows:
    """The rows of a text below its header, each of `width` cells, by the names c0, c1 and so on.

    Where rows are shorter, or spaces stand before quotes, the text is written again, evenly, before Arrow
    reads it. Shorter rows of several cells are refused unless all of them plainly lack their last ones.
    """

    def __init__(self, text: Text, delimiter: str, width: int, first_row: int) -> None:
        self._text, self._delimiter = text, delimiter
        self._width, self._first_row = width, first_row
        self._is_even = False
        self._short = _ShortRows(width, first_row)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return notes on the rows, once all of them are read."""
        return self._short.notes

    def first(self, count: int | None) -> list[list[str]]:
        """Return the first rows; raises BadInput as `columns` does."""
        return list(islice(self._padded(), count))

    def columns(self, types: Types, missing: tuple[str, ...] = (), decimal: str = ".") -> pa.Table:
        """Return columns; cells in `missing` are null in those of numbers, which have this decimal mark.

        Raises BadInput for rows with too many cells, ValueError where a cell is no number.
        """
        found = self._read(types, missing, decimal)
        if found is None and not self._is_even:
            self._write_evenly()
            found = self._read(types, missing, decimal)
        if found is None:
            raise BadInput(f"A row is longer than {BLOCK:,} bytes, as no row is. Send a row for each time.")
        return found

    def _read(self, types: Types, missing: tuple[str, ...], decimal: str) -> pa.Table | None:
        """Return columns; None where rows are not as Arrow reads them."""
        odd: list[str] = []

        def is_end(row: arrow_csv.InvalidRow) -> str:
            odd.append(row.text)
            return "skip" if row.text == END else "error"

        watch = _SpacedQuotes(self._delimiter)
        parts = self._text.utf8() if self._is_even else watch.watched(self._text.utf8())
        names = [f"c{i}" for i in range(self._width)]
        block = max(BLOCK, self._width * BLOCK_OF_COLUMN)
        try:
            table = arrow_csv.read_csv(
                stream(parts),
                arrow_csv.ReadOptions(use_threads=False, block_size=block, column_names=names),
                arrow_csv.ParseOptions(
                    delimiter=self._delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=is_end,
                ),
                arrow_csv.ConvertOptions(
                    check_utf8=False,
                    column_types=types,
                    include_columns=list(types),
                    null_values=missing,
                    decimal_point=decimal,
                    strings_can_be_null=False,
                ),
                pa.system_memory_pool(),  # gives back what it does not use
            )
        except pa.ArrowInvalid as error:
            if "conversion error" in str(error):
                raise
            return None
        return table if odd == [END] and not watch.found else None

    def _write_evenly(self) -> None:
        target = scratch_file()
        lines = io.TextIOWrapper(target, "utf-8", newline="")
        try:
            csv.writer(lines).writerows(self._padded(self._short))
        finally:
            lines.detach()
        self._short.refuse()
        self._text, self._delimiter, self._is_even = Text(target, 0, "utf-8"), ",", True

    def _padded(self, short: "_ShortRows | None" = None) -> Iterator[list[str]]:
        """Yield the rows, each of `width` cells, and count in `short`; raises BadInput for rows too long."""
        width, row = self._width, list[str]()
        long: list[int] = []
        try:
            for number, row in enumerate(self._text.rows(self._delimiter)):
                if short and row != [END]:
                    short.add(number, row)
                if len(row) == width:
                    yield row
                elif row == [END]:
                    break
                elif any(cell.strip() for cell in row[width:]):
                    long.append(number)
                else:
                    yield [*row[:width], *[""] * (width - len(row))]
        except csv.Error as error:
            raise BadInput(f"The file cannot be split into columns: {error}.") from error
        if long:
            raise self._too_long(long)
        if row != [END]:
            raise BadInput("The file cannot be split into columns: a quote is opened and not closed.")

    def _too_long(self, rows: list[int]) -> BadInput:
        shown = [
            FieldError(f"#row={row + self._first_row}", "more cells than the header") for row in rows[:SHOWN]
        ]
        return BadInput(
            f"Row {rows[0] + self._first_row} has more cells than the header ({self._width}). A cell that"
            f" holds the delimiter {self._delimiter!r} must stand in double quotes.",
            shown,
        )


class _ShortRows:
    """Counts rows of several cells, but fewer than the header has: whose cells are lost, or not written.

    Programs that leave out empty cells at the end of a row do so in every row, as where values of the future
    are not known yet; one cell by itself is a name of a group or a remark.
    """

    def __init__(self, width: int, first_row: int) -> None:
        self._width, self._first_row = width, first_row
        self._first: list[int] = []
        self._below: list[
            int
        ] = []  # without a digit in their first cell: totals and remarks, if none follows
        self._count = self._rows = 0
        self._last_full = -1
        self._ends_empty = False

    def add(self, number: int, row: list[str]) -> None:
        """Count a row."""
        if sum(map(bool, map(str.strip, row))) <= 1:
            return
        self._rows += 1
        if len(row) < self._width and not any(map(str.isdigit, row[0])):
            self._below.append(number)
            if len(self._below) > MOST_BELOW:  # these are no remarks
                self._add_short(self._below)
                self._below = []
            return
        self._add_short(self._below)
        self._below = []
        if len(row) < self._width:
            self._add_short([number])
        else:
            self._last_full = number
            self._ends_empty = self._ends_empty or not row[self._width - 1].strip()

    def _add_short(self, numbers: list[int]) -> None:
        self._count += len(numbers)
        self._first += numbers[: SHOWN - len(self._first)]

    def refuse(self) -> None:
        """Raise BadInput unless the rows plainly lack nothing but empty cells at their ends."""
        at_end = self._count > 1 and self._first[0] > self._last_full
        if not self._count or (not self._ends_empty and (at_end or self._count * 2 >= self._rows)):
            return
        shown = [
            FieldError(f"#row={row + self._first_row}", "fewer cells than the header") for row in self._first
        ]
        raise BadInput(
            f"{self._where} fewer cells than the header ({self._width}), so that it cannot be told which are"
            " lacking. Write empty cells as well, with the delimiters around them.",
            shown,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Return a note on rows whose last cells are taken for empty."""
        if not self._count:
            return ()
        return (f"{self._where} fewer cells than the header ({self._width}): the last ones count as empty.",)

    @property
    def _where(self) -> str:
        first = self._first[0] + self._first_row
        return f"Row {first} has" if self._count == 1 else f"{self._count:,} rows, the first is {first}, have"


class _SpacedQuotes:
    """Looks for spaces between a delimiter and a quote, which count for nothing, while a text goes past."""

    def __init__(self, delimiter: str) -> None:
        self._shape = re.compile(rf'(?:^|[{re.escape(delimiter)}\r\n]) +"'.encode())
        self.found = False

    def watched(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        before = b"\n"
        for part in parts:
            whole = before + part
            self.found = self.found or (b' "' in whole and self._shape.search(whole) is not None)
            before = whole[-LONGEST_SPACES:]
            yield part
