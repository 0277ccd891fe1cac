"""Name rows, columns and series of an upload in error messages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints

SHOWN = 20  # rows, columns or series that one message names
LONGEST = 100  # characters of a name in a message

Field = Literal["unique_id", "ds", "y"]


@dataclass(frozen=True)
class Place:
    """Names rows: those of a file as a spreadsheet numbers them, those of a JSON body by index."""

    first_row: int | None  # number of the file's first data row; None for a JSON body

    @property
    def noun(self) -> str:
        return "observation" if self.first_row is None else "row"

    def number(self, row: int) -> int:
        return row if self.first_row is None else row + self.first_row

    def pointer(self, row: int, field: Field) -> str:
        if self.first_row is None:
            return f"#/observations/{row}/{field}"
        return f"#row={self.number(row)}"


def refuse_rows(
    place: Place, field: Field, rows: Ints, explain: Callable[[int], str], detail: str
) -> BadInput:
    """Return the error for wrong cells: `detail` for all, `explain(row)` for each of the first 20."""
    shown = [FieldError(place.pointer(int(row), field), explain(int(row))) for row in rows[:SHOWN]]
    first = place.number(int(rows[0]))
    one = len(rows) == 1
    where = f"{place.noun} {first}" if one else f"{len(rows):,} {place.noun}s, the first is {first}"
    return BadInput(f"{detail} ({where}).", shown)


def listed(names: Iterable[str]) -> str:
    """Return the first 20 names in quotes, each cut to 100 characters, and the number of the others."""
    every = list(names)
    quoted = [f"'{name[:LONGEST]}{'...' * (len(name) > LONGEST)}'" for name in every[:SHOWN]]
    more = f" and {len(every) - SHOWN:,} more" if len(every) > SHOWN else ""
    return ", ".join(quoted) + more
