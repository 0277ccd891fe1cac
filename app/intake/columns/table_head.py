"""Find the header of a delimited text, the delimiter, and what stands above."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from app.errors import BadInput, FieldError
from app.intake.columns.encodings import HEAD
from app.intake.problems import listed

LONGEST_HEADER = 4_194_304  # bytes
DELIMITERS = (",", ";", "\t", "|")
NOT_TABLES = (("<", "a web page or XML"), ("{", "JSON"), ("[", "JSON"))
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)")
STATED = re.compile(r"sep=(.)\s*$", re.IGNORECASE)
ABOVE = re.compile(r"\s*$|#|sep=.\s*$", re.IGNORECASE)  # a line that is no header
DATA = re.compile(r"\W?[+-]?\d")
NO_NAME = re.compile(r"\s*(?:Unnamed: \d+)?\s*")

csv.field_size_limit(LONGEST_HEADER)  # a header split by the wrong delimiter is one long cell


@dataclass(frozen=True)
class TableHead:
    """The header of a table, and what stands above it."""

    delimiter: str
    names: tuple[str, ...]
    unnamed: frozenset[str]  # those of the names that the header does not have
    above: tuple[str, ...]  # lines above the header, with their ends
    header_line: int  # rows without a cell between them and the header


def find_head(body: memoryview, encoding: str, max_columns: int, skip_rows: int) -> TableHead:
    """Find the header in the first lines; raises BadInput without one of two columns or more."""
    head = _head(body, encoding)
    for start, kind in NOT_TABLES:
        if head.lstrip().startswith(start):
            raise BadInput(f"The file looks like {kind}, not like a table. Send CSV text with a header row.")
    above = _lines_above(head, skip_rows)
    head = head[sum(map(len, above)) :]
    header_line = next((i for i, line in enumerate(_lines(head, ",")) if _is_filled(line)), 0)
    delimiter = _stated_delimiter(above) or _delimiter(head)
    header = next(islice(_lines(head, delimiter), header_line, None), [])
    _refuse_wide(len(header), max_columns)
    names = _names(header)
    unnamed = frozenset(name for name, cell in zip(names, header, strict=True) if NO_NAME.fullmatch(cell))
    return TableHead(delimiter, names, unnamed, tuple(above), header_line)


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


def _refuse_wide(columns: int, most: int) -> None:
    if columns > most:
        raise BadInput(
            f"The header names {columns:,} columns, and {most:,} is the most. Leave out those that are not"
            " needed; a table with a column for each time or series must be turned, so that it has a row for"
            " each value; or raise GATECAST_MAX_COLUMNS."
        )


def _head(body: memoryview, encoding: str) -> str:
    """Return the first lines, the header among them, without a last line that may be cut off."""
    size = HEAD
    while size < len(body):
        text = bytes(body[:size]).decode(encoding, errors="ignore")
        lines = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
        if lines.strip():
            return lines
        if size >= LONGEST_HEADER:
            raise BadInput(
                f"The first line is longer than {LONGEST_HEADER:,} bytes, as no header is. Send a table with"
                " a header row and one row for each time of each series."
            )
        size *= 4
    return bytes(body).decode(encoding, errors="ignore")


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
    """Return the share of lines that are as wide as the header, and its width; (0, 0) for one column."""
    widths = [len(line) for line in _lines(head, delimiter) if _is_filled(line)]
    width = widths[0] if widths else 0
    return (widths.count(width) / len(widths), width) if width > 1 else (0, 0)


def _is_filled(line: list[str]) -> bool:
    return any(cell.strip() for cell in line)


def _names(header: list[str]) -> tuple[str, ...]:
    names = [cell.strip() or f"column {i + 1}" for i, cell in enumerate(header)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise BadInput(f"The header names {listed(twice)} more than once. Give every column its own name.")
    return tuple(names)
