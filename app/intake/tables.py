"""Bytes of delimited text become columns of text: encoding, delimiter, header, and a sample to judge by."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd
from charset_normalizer import from_bytes

from app.errors import BadInput, FieldError
from app.intake.problems import SHOWN, listed, true_rows

HEAD = 65_536  # bytes from which encoding, delimiter and header are judged
SAMPLE_ROWS = 5_000
CHUNK = 1_048_576
DELIMITERS = (",", ";", "\t", "|")
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Western first: of encodings in which the bytes mean the same, the first is named.
LEGACY = ("cp1252", "latin_1", "cp1250", "cp1251", "cp1253", "cp1254", "iso8859_15")
NOT_TEXT = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF document"),
)
NOT_TABLES = (("<", "a web page or XML"), ("{", "JSON"), ("[", "JSON"))
EXTRA = "extra"  # a column past the last of the header; whoever fills it has a cell too many

Dtype = Literal["category", "float64", "str"]


@dataclass(frozen=True)
class Table:
    """A delimited text that has been looked at and is read column by column."""

    body: memoryview = field(repr=False)  # without a byte order mark
    encoding: str
    delimiter: str
    names: tuple[str, ...]
    header_line: int  # blank lines above the header

    @property
    def first_row(self) -> int:
        """The first data row as a spreadsheet numbers it."""
        return self.header_line + 2

    def sample(self) -> pd.DataFrame:
        """The first 5,000 rows as text, and the whole table where it is shorter."""
        return self.read(dict.fromkeys(self.names, "str"), rows=SAMPLE_ROWS)

    def read(
        self, dtypes: Mapping[str, Dtype], missing: tuple[str, ...] = (), rows: int | None = None
    ) -> pd.DataFrame:
        """The columns named; ValueError where a cell of a `float64` column is no number.

        Cells of `float64` columns that are in `missing` become NaN.
        """
        keys = {f"c{i}": name for i, name in enumerate(self.names) if name in dtypes}
        kinds: dict[Hashable, str] = {key: dtypes[name] for key, name in keys.items()}
        floats = {str(key): list(missing) for key, kind in kinds.items() if kind == "float64"}
        try:
            frame = self._parse({**kinds, EXTRA: "category"}, floats, rows)
        except pd.errors.ParserError as error:
            raise BadInput(f"The file cannot be split into columns: {_plain(error)}.") from error
        self._refuse_long_rows(frame.pop(EXTRA))
        return frame.rename(columns=keys)

    def _parse(
        self, kinds: Mapping[Hashable, str], missing: Mapping[str, list[str]], rows: int | None
    ) -> pd.DataFrame:
        return pd.read_csv(
            self._stream(),
            sep=self.delimiter,
            encoding=self.encoding,
            header=0,
            skiprows=range(1, self.first_row),
            usecols=list(kinds),
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
        """The text under a header of our own, so that any name and any number of cells can be met."""
        keys = [f"c{i}" for i in range(len(self.names))]
        header = f"{self.delimiter.join([*keys, EXTRA])}\n".encode(self.encoding)
        return io.BufferedReader(_Joined(header, self.body), CHUNK)

    def _refuse_long_rows(self, extra: "pd.Series[str]") -> None:
        filled = (extra.cat.categories.str.strip() != "")[extra.cat.codes]
        long = true_rows(filled & (extra.cat.codes >= 0).to_numpy())
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
    """Several pieces of memory read as one file, without copying them together."""

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


def open_table(data: bytes) -> Table:
    """Look at the head of a file; BadInput when it is no table with a header and two columns."""
    if not data[:HEAD].strip():
        raise BadInput("The file is empty. Send a table with a header row and one row for each time.")
    encoding, body = _encoding(data)
    head = _head(body, encoding)
    for start, kind in NOT_TABLES:
        if head.lstrip().startswith(start):
            raise BadInput(f"The file looks like {kind}, not like a table. Send CSV text with a header row.")
    lines = _lines(head, ",")
    header_line = next((i for i, line in enumerate(lines) if any(cell.strip() for cell in line)), 0)
    delimiter = _delimiter(head)
    return Table(body, encoding, delimiter, _names(_lines(head, delimiter)[header_line]), header_line)


def _encoding(data: bytes) -> tuple[str, memoryview]:
    for start, kind in NOT_TEXT:
        if data.startswith(start):
            raise BadInput(f"The file is {kind}, not a text table. Save it as CSV and send that.")
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            body = memoryview(data)[len(mark) :]
            return _checked(body, encoding), body
    if b"\0" in data:
        raise BadInput("The file is binary, not a text table. Save it as CSV and send that.")
    body = memoryview(data)
    return ("utf-8" if _decodes(body, "utf-8") else _legacy(data)), body


def _checked(body: memoryview, encoding: str) -> str:
    if not _decodes(body, encoding):
        raise BadInput(f"The file begins as {encoding} text but is not. Save it as UTF-8 and send that.")
    return encoding


def _decodes(body: memoryview, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(body), CHUNK):
            decoder.decode(bytes(body[start : start + CHUNK]))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _legacy(data: bytes) -> str:
    """The encoding of text that is not UTF-8, judged by the lines that show it."""
    telling = [line for line in data[: 16 * HEAD].splitlines() if not line.isascii()] or [data]
    found = from_bytes(b"\n".join(telling)[:HEAD], cp_isolation=list(LEGACY)).best()
    if found is None:
        raise BadInput("The file is not text in an encoding that is known. Save it as UTF-8 and send that.")
    alike = {found.encoding, *found.could_be_from_charset}
    encoding = next((name for name in LEGACY if name in alike), found.encoding)
    return encoding if _decodes(memoryview(data), encoding) else "latin_1"


def _head(body: memoryview, encoding: str) -> str:
    """The first lines; a last one that may be cut off is left out."""
    text = bytes(body[:HEAD]).decode(encoding, errors="ignore")
    if len(body) <= HEAD:
        return text
    return text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text


def _lines(head: str, delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise BadInput(f"The file cannot be split into rows: {error}.") from error


def _delimiter(head: str) -> str:
    """The delimiter that splits the header, and as many other lines alike as possible."""
    scores = {delimiter: _score(head, delimiter) for delimiter in DELIMITERS}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    if scores[best] == (0, 0):
        raise BadInput(
            "The file has one column only. A table needs a column of times and one of values, separated by"
            " a comma, a semicolon, a tab or a vertical bar."
        )
    return best


def _score(head: str, delimiter: str) -> tuple[float, int]:
    """Share of the lines that are as wide as the header, and that width; (0, 0) for one column."""
    widths = Counter(len(line) for line in _filled_lines(head, delimiter))
    width = len(_filled_lines(head, delimiter)[0])
    return (widths[width] / widths.total(), width) if width > 1 else (0, 0)


def _filled_lines(head: str, delimiter: str) -> list[list[str]]:
    return [line for line in _lines(head, delimiter) if any(cell.strip() for cell in line)] or [[]]


def _names(header: list[str]) -> tuple[str, ...]:
    names = [cell.strip() or f"column {i + 1}" for i, cell in enumerate(header)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise BadInput(f"The header names {listed(twice)} more than once. Give every column its own name.")
    return tuple(names)
