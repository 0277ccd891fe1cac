"""The rows of `benchmarks.honesty`: what was measured, beside its bound, and kept as soon as it is known."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.report import RESULTS, print_table

KEPT = RESULTS / "honesty.rows"


@dataclass(frozen=True)
class Row:
    """A line of the table: `measured` and `bound` in words, and the figures as JSON types.

    `is_ok` is whether the bound holds; None where there is none.
    """

    part: str
    name: str
    measured: str
    bound: str = ""
    is_ok: bool | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cells(self) -> list[str]:
        """The cells of the table's line."""
        said = {None: "", True: "ok", False: "NO"}[self.is_ok]
        return [f"{self.part}: {self.name}", self.measured, self.bound, said]


@dataclass(frozen=True)
class Task:
    """A row to be measured; `part` and `name`, which tells its size as well, are those of the row."""

    part: str
    name: str
    measure: Callable[[], Row]


def shares_in_words(came: Mapping[int, float], reported: Mapping[int, float]) -> str:
    """Return what intervals held and what was reported of them, in percent by level."""
    return ", ".join(f"{level} % held {came[level]:.1f}, reported {reported[level]:.1f}" for level in came)


def shares_as_figures(shares: Mapping[int, float]) -> dict[str, float]:
    """Return shares in percent by level, as a row has them."""
    return {str(level): round(share, 2) for level, share in shares.items()}


class Rows:
    """Measures rows and keeps each in a file: what an interrupted run has measured is not measured again."""

    def __init__(self, *, resume: bool) -> None:
        self._known: dict[tuple[str, str], Row] = {}
        KEPT.parent.mkdir(exist_ok=True)
        if not resume:
            KEPT.unlink(missing_ok=True)
        elif KEPT.exists():
            rows = [Row(**json.loads(line)) for line in KEPT.read_text(encoding="utf-8").splitlines()]
            self._known = {(row.part, row.name): row for row in rows}

    def of(self, task: Task) -> Row:
        """Return the row of a task: the one that is kept, or else a measured one."""
        row = self._known.get((task.part, task.name))
        if row is None:
            row = task.measure()
            with KEPT.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(row)) + "\n")
        print(" | ".join(row.cells), flush=True)
        # Read back as JSON has it, so that a resumed run makes the same of it.
        return Row(**json.loads(json.dumps(asdict(row))))


def print_rows(rows: Sequence[Row]) -> None:
    """Print all rows as one table."""
    print()
    print_table(("", "measured", "bound", ""), [row.cells for row in rows])
