"""Find the header among the first lines of a table, as lists of cells."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import BadInput
from app.intake.problems import listed

LOOKED_AT = 100  # lines in which the header is found
NO_NAME = re.compile(r"\s*(?:Unnamed: \d+)?\s*")


@dataclass(frozen=True)
class Header:
    """The names of the columns, and where they stand."""

    names: tuple[str, ...]
    unnamed: frozenset[str]  # those of the names that the header does not have
    line: int  # of the header, from 0
    lines: int = 1  # that the header takes


def find_header(lines: Sequence[Sequence[str]], max_columns: int) -> Header:
    """Find the header; raises BadInput where it names a column twice, or more than `max_columns`."""
    at = next((i for i, line in enumerate(lines) if is_filled(line)), 0)
    cells = lines[at] if lines else ()
    _refuse_many(len(cells), max_columns)
    names = _names(cells)
    unnamed = frozenset(name for name, cell in zip(names, cells, strict=True) if NO_NAME.fullmatch(cell))
    return Header(names, unnamed, at)


def is_filled(line: Sequence[str]) -> bool:
    """Return whether a line has a cell that is not empty."""
    return any(cell.strip() for cell in line)


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
