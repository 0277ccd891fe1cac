"""Find the header among the first lines of a table, as lists of cells: below titles, in several lines."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import BadInput
from app.intake.columns.numbers import MISSING
from app.intake.problems import listed

LOOKED_AT = 100  # lines in which the header is found
MOST_LINES = 3  # that one header takes
MOST_TITLES = 20  # lines of two cells or more
NO_NAME = re.compile(r"\s*(?:Unnamed: \d+)?\s*")
RULE = re.compile(r":?[-=+]{2,}:?")  # a line drawn below a header
NUMBER = re.compile(r"[^\w]*\d[\d\W]*(?:[eE][+-]?\d+)?\W*")  # or a date in digits

Line = Sequence[str]


@dataclass(frozen=True)
class Header:
    """The names of the columns, and where they stand."""

    names: tuple[str, ...]
    unnamed: frozenset[str]  # those of the names that the header does not have
    line: int  # of the header, from 0
    lines: int = 1  # that the header takes

    def notes(self, above: int = 0) -> tuple[str, ...]:
        """Return notes on lines above it, `above` more of them, and on a header of several lines."""
        count = above + self.line
        titles = "1 line" if count == 1 else f"{count:,} lines"
        last = next((name for name in reversed(self.names) if name not in self.unnamed), "")
        return (
            *((f"{titles} above the header not read.",) if count else ()),
            *((f"The header takes {self.lines} lines, as in {last!r}.",) if self.lines > 1 else ()),
        )


def find_header(lines: Sequence[Line], max_columns: int) -> Header:
    """Find the header; raises BadInput where it names a column twice, or more than `max_columns`.

    It is the first line as full as those of the table; lines above it are titles, unless they name groups of
    its columns, and lines below it without numbers belong to it.
    """
    first = last = _below_titles(lines, _first_full(lines))
    while _goes_on(lines, last + 1):
        last += 1
    width = _width(lines)
    if last - first >= MOST_LINES or width == 2:  # noqa: PLR2004 - words and their values, not one header
        first = last
    while first < last and (len(lines[first]) != width or _labels_all(lines[first], lines[last])):
        first += 1
    while first and last + 1 - first < MOST_LINES and _names_groups(lines[first - 1], lines[first], width):
        first -= 1
    cells = _joined(lines[first : last + 1])
    while last + 1 < len(lines) and _is_ruled(lines[last + 1]):
        last += 1
    _refuse_many(len(cells), max_columns)
    names = _names(cells)
    unnamed = frozenset(name for name, cell in zip(names, cells, strict=True) if NO_NAME.fullmatch(cell))
    return Header(names, unnamed, first, last + 1 - first)


def _is_ruled(line: Line) -> bool:
    """Return whether a line holds dashes alone, as SAP and Markdown draw below a header."""
    return is_filled(line) and all(RULE.fullmatch(cell.strip()) for cell in line if cell.strip())


def is_filled(line: Line) -> bool:
    """Return whether a line has a cell that is not empty."""
    return any(cell.strip() for cell in line)


def filled(line: Line) -> int:
    """Return how many cells of a line are not empty."""
    return sum(bool(cell.strip()) for cell in line)


def table_width(widths: Sequence[int]) -> int:
    """Return the width of most lines of several cells; of equally many the larger."""
    counts = Counter(width for width in widths if width > 1)
    return max(counts, key=lambda width: (counts[width], width), default=0)


def _width(lines: Sequence[Line]) -> int:
    return table_width([len(line) for line in lines if is_filled(line)])


def _first_full(lines: Sequence[Line]) -> int:
    """Return the first line with half of the cells of the others; the first with any where none is."""
    full = table_width([filled(line) for line in lines])
    first = next((i for i, line in enumerate(lines) if filled(line) >= max(2, full / 2)), None)
    return next((i for i, line in enumerate(lines) if is_filled(line)), 0) if first is None else first


def _below_titles(lines: Sequence[Line], first: int) -> int:
    """Return the line of words after a blank one that heads numbers unlike all above it; else `first`."""
    for i in range(first + 1, min(first + MOST_TITLES, len(lines) - 1)):
        if is_filled(lines[i - 1]) or not _goes_on(lines, i):
            continue
        numeric = [column for column in range(len(lines[i])) if _is_numeric(lines[i + 1 :], column)]
        if not any(_has_numbers(line, numeric) for line in lines[first:i]):
            return i
    return first


def _has_numbers(line: Line, columns: Sequence[int]) -> bool:
    return all(column < len(line) and NUMBER.fullmatch(line[column]) for column in columns)


def _goes_on(lines: Sequence[Line], at: int) -> bool:
    """Return whether a line has words where those below have numbers, and no number itself."""
    if at + 1 >= len(lines) or _is_ruled(lines[at]) or any(NUMBER.fullmatch(cell) for cell in lines[at]):
        return False
    wordy = [i for i, cell in enumerate(lines[at]) if cell.strip() not in MISSING]
    return any(_is_numeric(lines[at + 1 :], i) for i in wordy)


def _is_numeric(lines: Sequence[Line], column: int) -> bool:
    """Return whether most cells of a column are numbers, or dates in digits."""
    cells = [line[column] for line in lines if column < len(line) and line[column].strip() not in MISSING]
    return sum(NUMBER.fullmatch(cell) is not None for cell in cells) * 2 > len(cells)


def _labels_all(line: Line, header: Line) -> bool:
    """Return whether a line holds two words for all of a complete header, as above the columns of a pivot."""
    return bool(
        len(line) > 2  # noqa: PLR2004 - the names of rows, and of columns
        and line[0].strip()
        and filled(line[1:]) == 1
        and line[1].strip()
        and not re.search(r"\d", line[1])
        and filled(header) == len(header)
    )


def _names_groups(line: Line, header: Line, width: int) -> bool:
    """Return whether a line above the header names groups of its columns, whose names repeat."""
    return len(line) == width and 2 <= filled(line) < width and len(set(header)) < len(header)  # noqa: PLR2004


def _joined(lines: Sequence[Line]) -> list[str]:
    """Return the names of columns whose header takes several lines; names of groups hold for those beside."""
    *above, header = lines or [[]]
    names = [[cell.strip()] for cell in header]
    for line in reversed(above):
        group = ""
        for name, cell in zip(names, line, strict=False):
            group = cell.strip() or (group if any(name) else "")
            name.insert(0, group)
    return [" ".join(dict.fromkeys(filter(None, name))) for name in names]


def _refuse_many(columns: int, most: int) -> None:
    if columns > most:
        raise BadInput(
            f"The header names {columns:,} columns, and {most:,} is the most. Leave out those that are not"
            " needed; a table with a column for each time or series must be turned, so that it has a row for"
            " each value; or raise GATECAST_MAX_COLUMNS."
        )


def _names(header: Sequence[str]) -> tuple[str, ...]:
    names = [cell.strip() or f"column {i + 1}" for i, cell in enumerate(header)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise BadInput(f"The header names {listed(twice)} more than once. Give every column its own name.")
    return tuple(names)
