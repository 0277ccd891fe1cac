"""Read delimited text into columns: detect its encoding, delimiter and header, and parse on request."""

import io
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from app.errors import BadInput, FieldError
from app.intake.problems import SHOWN
from app.intake.tables.delimiters import first_lines
from app.intake.tables.encodings import CHUNK, HEAD, find_encoding
from app.intake.tables.header import find_header
from app.intake.tables.table import MAX_COLUMNS, Dtype, Origin, Table

EXTRA = "extra"  # a column after the header's last; a value in it shows a row with too many cells


@dataclass(frozen=True)
class DelimitedTable(Table):
    """A delimited text whose header is known, and whose columns are read on request."""

    body: memoryview = field(repr=False)  # without a byte order mark and what stands above the header
    header_lines: int  # rows of cells that hold no data

    def texts(self, names: Sequence[str], rows: int | None = None) -> pd.DataFrame:
        """Return columns as text, of all rows or of the first `rows`; raises BadInput for rows too long."""
        wanted = set(names)
        keys = {f"c{i}": name for i, name in enumerate(self.names) if name in wanted}
        # One type for all: pandas takes a tenth of a millisecond for each column with a type of its own.
        return self._frame(keys, "object", {}, rows)

    def read(self, dtypes: Mapping[str, Dtype], missing: tuple[str, ...] = ()) -> pd.DataFrame:
        """Return the named columns, as every table does; raises BadInput for rows with too many cells."""
        keys = {f"c{i}": name for i, name in enumerate(self.names) if name in dtypes}
        kinds: dict[Hashable, str] = {key: dtypes[name] for key, name in keys.items()}
        floats = {str(key): list(missing) for key, kind in kinds.items() if kind == "float64"}
        return self._frame(keys, {**kinds, EXTRA: "category"}, floats)

    def _frame(
        self,
        keys: Mapping[str, str],
        kinds: Mapping[Hashable, str] | Literal["object"],
        missing: Mapping[str, list[str]],
        rows: int | None = None,
    ) -> pd.DataFrame:
        try:
            frame = self._parse([*keys, EXTRA], kinds, missing, rows)
        except pd.errors.ParserError as error:
            raise BadInput(f"The file cannot be split into columns: {_plain(error)}.") from error
        self._refuse_long_rows(frame[EXTRA])
        return frame.iloc[:, :-1].set_axis(list(keys.values()), axis=1)

    def _parse(
        self,
        keys: list[str],
        kinds: Mapping[Hashable, str] | Literal["object"],
        missing: Mapping[str, list[str]],
        rows: int | None,
    ) -> pd.DataFrame:
        return pd.read_csv(
            self._stream(),
            sep=self.delimiter,
            encoding=self.origin.encoding,
            header=0,
            skiprows=range(1, self.header_lines + 1),
            usecols=keys,
            dtype=kinds,
            index_col=False,
            nrows=rows,
            na_values=missing,
            keep_default_na=False,
            skip_blank_lines=False,
            skipinitialspace=True,
            float_precision="round_trip",
        )

    def _stream(self) -> io.BufferedReader:
        """Return the text under a header of our own: numbered names, and the extra column at the end."""
        keys = [f"c{i}" for i in range(len(self.names))]
        header = f"{self.delimiter.join([*keys, EXTRA])}\n".encode(self.origin.encoding or "utf-8")
        return io.BufferedReader(_Joined(header, self.body), CHUNK)

    def _refuse_long_rows(self, extra: "pd.Series[str]") -> None:
        codes, texts = pd.factorize(extra)
        filled = np.append(pd.Series(list(texts), dtype="object").str.strip() != "", False)  # nothing is -1
        long = np.flatnonzero(filled[codes])
        if not len(long):
            return
        shown = [
            FieldError(f"#row={row + self.first_row}", "more cells than the header") for row in long[:SHOWN]
        ]
        raise BadInput(
            f"Row {long[0] + self.first_row} has more cells than the header ({len(self.names)}). A cell that"
            f" holds the delimiter {self.delimiter!r} must stand in double quotes.",
            shown,
        )


class _Joined(io.RawIOBase):
    """Several pieces of memory as one file, without a copy."""

    def __init__(self, *pieces: bytes | memoryview) -> None:
        super().__init__()
        self._pieces = [memoryview(piece) for piece in pieces]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while self._pieces and not self._pieces[0]:
            self._pieces.pop(0)
        if not self._pieces:
            return 0
        size = min(len(buffer), len(self._pieces[0]))
        buffer[:size] = self._pieces[0][:size]
        self._pieces[0] = self._pieces[0][size:]
        return size


def _plain(error: Exception) -> str:
    return str(error).strip().rsplit("C error: ", maxsplit=1)[-1].rstrip(".")


def open_delimited(
    data: bytes, max_columns: int = MAX_COLUMNS, skip_rows: int = 0, encoding: str | None = None
) -> Table:
    """Detect the layout of a table from its head; raises BadInput without a header of two columns or more.

    Titles, blank lines and comments (`#`) above the header are passed over, after `skip_rows` lines.
    `encoding` is the text's, if it is said. Raises Unsettled where two encodings suit it.
    """
    if not data[:HEAD].strip():
        raise BadInput("The file is empty. Send a table with a header row and one row for each time.")
    found = find_encoding(data, encoding)
    first = first_lines(found.body, found.name, skip_rows)
    header = find_header(first.lines, max_columns)
    above = len(first.above)
    cut = sum(len(line.encode(found.name)) for line in first.above)
    header_lines = header.line + header.lines
    return DelimitedTable(
        header.names,
        header.unnamed,
        first_row=above + header_lines + 1,
        origin=Origin("csv", found.name, first.delimiter, (*found.notes, *header.notes(above))),
        body=found.body[cut:],
        header_lines=header_lines,
    )
