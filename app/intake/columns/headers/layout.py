"""Columns whose names are times, and the columns of rows that hold the other parts of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.intake.columns.time_parts import Part
from app.intake.problems import listed


@dataclass(frozen=True)
class Across:
    """The columns whose names are times, or parts of times, and the columns that hold the other parts."""

    names: tuple[str, ...]
    texts: tuple[str, ...]  # what tells the time of each
    part: Part  # "date" for whole times
    rows: Mapping[str, Part] = field(default_factory=dict)  # columns with the other parts
    remarks: tuple[str, ...] = ()  # on names that are read in a way of their own

    @property
    def notes(self) -> tuple[str, ...]:
        """Return notes on how the table is read."""
        beside = f" together with {listed(self.rows)}" if self.rows else ""
        found = (
            f"The names of {len(self.names):,} columns, {self.names[0]!r} to {self.names[-1]!r}, are the"
            f" times{beside}; if they are not, say layout=long."
        )
        return (found, *self.remarks)
