"""Name rows, columns and series of an upload in error messages."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints

SHOWN = 20  # rows, columns or series that one message names
LONGEST = 100  # characters of a name in a message


@dataclass(frozen=True)
class Place:
    """Names rows: those of a file as a spreadsheet numbers them, those of a JSON body by index."""

    first_row: int | None  # number of the file's first data row; None for a JSON body
    rows: int | None = None  # rows of the file, where they are counted once for each of several targets

    @property
    def noun(self) -> str:
        return "observation" if self.first_row is None else "row"

    def number(self, row: int) -> int:
        return row if self.first_row is None else row % (self.rows or row + 1) + self.first_row

    def distinct(self, rows: Ints) -> Ints:
        """Return rows of the file, each once, in ascending order."""
        return np.unique(rows % self.rows) if self.rows else rows

    def pointer(self, row: int, field: str) -> str:
        if self.first_row is None:
            return f"#/observations/{row}/{field}"
        return f"#row={self.number(row)}"


@dataclass(frozen=True)
class Question:
    """A choice that is not plain: the option that settles it, and what it may be set to."""

    option: str
    detail: str
    candidates: tuple[str, ...]
    why: str  # it is asked, after "needed, because"


class Unsettled(BadInput):
    """An upload that can be read in several ways."""

    def __init__(self, questions: Sequence[Question]) -> None:
        super().__init__(
            " ".join(question.detail for question in questions),
            [FieldError(f"#/{question.option}", f"needed, because {question.why}") for question in questions],
        )
        self.questions = tuple(questions)


def refuse_rows(place: Place, field: str, rows: Ints, explain: Callable[[int], str], detail: str) -> BadInput:
    """Return the error for wrong cells: `detail` for all, `explain(row)` for each of the first 20."""
    rows = place.distinct(rows)
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
