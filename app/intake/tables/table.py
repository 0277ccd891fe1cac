"""A table as the search for roles takes it, whatever file it came from: named columns, read on request."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import pandas as pd

MAX_COLUMNS = 20_000
SAMPLE_ROWS = 5_000
SAMPLE_CELLS = 200_000  # a wide table's sample has fewer rows
LEAST_ROWS = 10

Dtype = Literal["category", "float64", "str"]


@dataclass(frozen=True)
class Origin:
    """What a table was read from, as the profile shows it."""

    format: str  # csv, xlsx, parquet, ...
    encoding: str | None = None  # of text
    delimiter: str | None = None  # of delimited text
    notes: tuple[str, ...] = ()  # on what was passed over or chosen while it was read


@dataclass(frozen=True)
class Table(ABC):
    """Named columns whose cells are read as texts, categories or numbers."""

    names: tuple[str, ...]
    unnamed: frozenset[str]  # those of the names that the header does not have
    first_row: int  # the number of the first data row, as its owner counts
    origin: Origin

    @abstractmethod
    def texts(self, names: Sequence[str], rows: int | None = None) -> pd.DataFrame:
        """Return columns as text, an empty one for no value, of all rows or of the first `rows`."""

    @abstractmethod
    def read(
        self, dtypes: Mapping[str, Dtype], missing: tuple[str, ...] = (), decimal: str = "."
    ) -> pd.DataFrame:
        """Return the named columns; cells of `float64` columns that are in `missing` become NaN.

        `decimal` is the mark in numbers that are texts. Raises ValueError where another cell of a `float64`
        column is not a plain number.
        """

    def coded(self, names: Sequence[str]) -> pd.DataFrame:
        """Return columns of all rows as categories, an empty text for no value."""
        return self.read(dict.fromkeys(names, "category"))

    def time_zone(self, _name: str) -> str | None:
        """Return the zone that a column of times says it is in, such as Europe/Berlin; None for others."""
        return None

    def with_note(self, note: str) -> Self:
        """Return the same table, with a further note on how it was found."""
        return replace(self, origin=replace(self.origin, notes=(*self.origin.notes, note)))

    @property
    def notes(self) -> tuple[str, ...]:
        """Return notes on how the table was read."""
        return self.origin.notes

    @property
    def has_rows(self) -> bool:
        """Return whether there is a row below the header."""
        return not self.texts(self.names[:1], 1).empty

    @property
    def delimiter(self) -> str:
        """Return what stands between the cells, for it cannot be a decimal mark; empty where nothing does."""
        return self.origin.delimiter or ""

    def sample(self, names: Sequence[str]) -> pd.DataFrame:
        """Return some columns of the first 5,000 rows as text; of fewer rows where the columns are many."""
        return self.texts(names, max(LEAST_ROWS, min(SAMPLE_ROWS, SAMPLE_CELLS // len(names))))
