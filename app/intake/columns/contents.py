"""What columns hold, by a sample of their rows."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.intake.columns.names import TOTAL
from app.intake.columns.numbers import which_are_numbers
from app.intake.time.dates import mostly_dates
from app.intake.time.notations.cells import Cells
from app.intake.time.notations.characters import plain
from app.intake.time.times import are_whole_numbers, reads_as_dates, which_in_format

Content = Literal["empty", "date", "whole", "number", "text"]
LOOKED_AT = 20  # texts of a column, where a few decide


@dataclass(frozen=True)
class Sample:
    """The first rows of a table as text."""

    frame: pd.DataFrame

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.frame.columns]

    @cached_property
    def cells(self) -> Cells:
        cells = Cells.of_table(self.frame)
        return replace(cells, texts=plain(cells.texts))

    @cached_property
    def contents(self) -> dict[str, Content]:
        """Return the content of each column."""
        return dict(zip(self.names, contents(self.cells), strict=True))

    @cached_property
    def distinct(self) -> dict[str, int]:
        """Return the number of distinct texts of each column."""
        return dict(zip(self.names, self.cells.count().tolist(), strict=True))

    def some(self, name: str) -> list[str]:
        """Return up to 20 distinct texts of a column."""
        cells, i = self.cells, self.names_at[name]
        first = int(np.searchsorted(cells.column, i))
        last = int(np.searchsorted(cells.column, i, side="right"))
        return [str(text) for text in self._texts[cells.text[first : min(last, first + LOOKED_AT)]]]

    @cached_property
    def _texts(self) -> NDArray[np.object_]:
        return self.cells.texts.to_numpy(dtype=object)

    @cached_property
    def names_at(self) -> dict[str, int]:
        """Return the position of each column."""
        return {name: i for i, name in enumerate(self.names)}

    def column(self, name: str) -> "pd.Series[str]":
        """Return the texts of a column, stripped."""
        return self.frame.iloc[:, self.names_at[name]].astype(object).str.strip()

    def filled(self, name: str) -> float:
        """Return the share of rows in which a column is not empty."""
        cells = self._rows[:, self.names_at[name]].tolist()
        return sum(isinstance(cell, str) and bool(cell.strip()) for cell in cells) / max(len(cells), 1)

    @cached_property
    def _rows(self) -> NDArray[np.object_]:
        return self.frame.to_numpy(dtype=np.object_)  # at once: pandas takes long for each column by itself

    def is_of_dates(self, name: str) -> bool:
        """Return whether the numbers of a column are plainly dates, such as 202452 or 1990.0417."""
        texts = pd.Series(self.column(name).unique(), dtype="object")
        texts = texts[~texts.str.fullmatch(TOTAL).fillna(value=False).astype(bool)]
        return reads_as_dates(plain(texts[texts.notna() & (texts != "")].reset_index(drop=True)))

    def is_in_format(self, name: str, date_format: str) -> bool:
        """Return whether most texts of a column are dates in a format that is said."""
        texts = pd.Series(self.some(name), dtype="object")
        return not texts.empty and bool(which_in_format(texts, date_format).mean() > 1 / 2)

    def rises(self, name: str) -> bool:
        """Return whether the whole numbers of a column rise from row to row."""
        numbers = pd.to_numeric(self.column(name), errors="coerce").to_numpy(dtype=np.float64)
        return len(numbers) > 1 and bool(np.all(np.diff(numbers) > 0))

    def counts_rows(self, name: str) -> bool:
        """Return whether a column holds the number of each row, from 0 or 1."""
        first = self.column(name).iloc[:LOOKED_AT].tolist()
        return first in ([str(i + begin) for i in range(len(first))] for begin in (0, 1)) and self.rises(name)

    def repeats(self, names: list[str]) -> bool:
        """Return whether two rows are equal in all of these columns."""
        return bool(self.frame.iloc[:, [self.names_at[name] for name in names]].duplicated().any())


def contents(cells: Cells) -> list[Content]:
    """Return the content of each column: that of most of its distinct texts."""
    cells = replace(cells, texts=plain(cells.texts))
    found = np.full(cells.columns, "text", dtype=object)
    found[cells.count() == 0] = "empty"
    left = cells.mostly(cells.texts.str.contains(r"\d").to_numpy(dtype=np.bool_))
    rest = cells.only(left)  # without digits it is text
    whole = rest.mostly(are_whole_numbers(rest.texts))
    number = whole.copy()
    for mask in which_are_numbers(rest.texts).values():
        number |= rest.mostly(mask)
    date = mostly_dates(rest.only(~number))
    found[number], found[whole], found[date] = "number", "whole", "date"
    return list(found)
