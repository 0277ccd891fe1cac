"""Split the first lines of a delimited text into cells: what stands above them, and the delimiter."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from app.errors import BadInput, FieldError
from app.intake.tables.encodings import HEAD
from app.intake.tables.header import LOOKED_AT, is_filled, table_width
from app.intake.tables.text import Text

LONGEST_HEADER = 4_194_304  # bytes
DELIMITERS = (";", "\t", "|", ",")  # of those that split as well the first: commas stand in numbers and names
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)")
STATED = re.compile(r"sep=(.)\s*$", re.IGNORECASE)
ABOVE = re.compile(r"\s*$|#|sep=.\s*$", re.IGNORECASE)  # a line that is no header
DATA = re.compile(r"\W?[+-]?\d")

csv.field_size_limit(LONGEST_HEADER)  # a header split by the wrong delimiter is one long cell


@dataclass(frozen=True)
class FirstLines:
    """The first lines of a delimited text as cells."""

    delimiter: str
    above: tuple[str, ...]  # lines above them, with their ends
    lines: tuple[list[str], ...]
    head: str = field(repr=False)  # from the first of them on

    def below(self, text: Text, rows: int) -> Text:
        """Return the text below so many of the rows; a cell in quotes may take several lines of it."""
        lines = LINE.findall(f"{self.head}\n")
        reader = csv.reader(iter(lines), delimiter=self.delimiter, skipinitialspace=True)
        for _ in islice(reader, rows):
            pass
        return replace(text, cut=sum(map(len, (*self.above, *lines[: reader.line_num]))))


def first_lines(text: Text, skip_rows: int) -> FirstLines:
    """Split the first lines into cells; raises BadInput where they hold one column only."""
    head = _head(text)
    if head.lstrip().startswith("<"):
        raise BadInput("The file looks like a web page or XML, not a table. Send CSV text with a header row.")
    above = _lines_above(head, skip_rows)
    head = head[sum(map(len, above)) :]
    delimiter = _stated_delimiter(above) or _delimiter(head)
    return FirstLines(delimiter, tuple(above), tuple(islice(_lines(head, delimiter), LOOKED_AT)), head)


def _lines_above(head: str, skip_rows: int) -> list[str]:
    """Return the lines above the header, with their ends.

    A last comment above a row of data is the header itself.
    """
    lines = LINE.findall(head)
    if skip_rows and skip_rows >= len(lines):
        raise BadInput(
            f"Without its first {skip_rows:,} lines the file has no table; it has {len(lines):,} lines.",
            [FieldError("#/skip_rows", "more lines than there are above the table")],
        )
    rest = lines[skip_rows:]
    count = next((i for i, line in enumerate(rest) if not ABOVE.match(line)), 0)
    if count and rest[count - 1].startswith("#") and DATA.match(rest[count]):
        count -= 1
    return lines[: skip_rows + count]


def _stated_delimiter(above: list[str]) -> str | None:
    """Return the delimiter that a line `sep=;` states, as spreadsheets write it."""
    found = [match[1] for line in above if (match := STATED.match(line))]
    return found[-1] if found else None


def _head(text: Text) -> str:
    """Return the first lines, the header among them, without a last line that may be cut off."""
    size = HEAD
    while True:
        text.file.seek(text.start)
        piece = text.file.read(size)
        head = piece.decode(text.encoding, errors="ignore")
        if len(piece) < size:
            return head
        lines = head[: max(head.rfind("\n"), head.rfind("\r")) + 1]
        if lines.strip():
            return lines
        if size >= LONGEST_HEADER:
            raise BadInput(
                f"The first line is longer than {LONGEST_HEADER:,} bytes, as no header is. Send a table with"
                " a header row and one row for each time of each series."
            )
        size *= 4


def _lines(head: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, skipinitialspace=True)
    except csv.Error as error:
        raise BadInput(f"The file cannot be split into rows: {error}.") from error


def _delimiter(head: str) -> str:
    """Return the delimiter that splits the header and the most other lines into equal widths."""
    scores = {delimiter: _score(head, delimiter) for delimiter in DELIMITERS}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    if scores[best] == (0, 0):
        raise BadInput(
            "The file has one column only. A table needs a column of times and one of values, separated by"
            " a comma, a semicolon, a tab or a vertical bar."
        )
    return best


def _score(head: str, delimiter: str) -> tuple[float, int]:
    """Return the share of lines that are as wide as most, and their width; (0, 0) for one column."""
    widths = [len(line) for line in _lines(head, delimiter) if is_filled(line)]
    width = table_width(widths)
    return (widths.count(width) / len(widths), width) if width else (0, 0)
