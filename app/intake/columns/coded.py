"""Columns as they are read from every row: texts as codes, and those beside the target."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from app.intake.arrays import Floats, Ints, Mask
from app.intake.covariates import Cells, CovariateKind, CovariateRole

Categories: TypeAlias = "pd.Series[str]"  # of dtype category


@dataclass(frozen=True)
class Coded:
    """A column as codes into its distinct texts, sorted; -1 marks an empty cell."""

    codes: Ints  # (rows,)
    texts: tuple[str, ...]

    @classmethod
    def of(cls, column: Categories, empty: tuple[str, ...]) -> "Coded":
        """Return a column with its texts stripped; those in `empty` mark an empty cell."""
        texts = pd.Series(column.cat.categories, dtype="object").str.strip()
        code_of, distinct = pd.factorize(texts.mask(texts.isin(empty)), sort=True)
        return cls(np.append(code_of, -1).astype(np.int64)[column.cat.codes], tuple(distinct))

    @classmethod
    def together(cls, columns: Sequence["Coded"], join: Callable[[Sequence[str]], str]) -> "Coded":
        """Return several columns as one; a row with an empty cell in any of them is empty."""
        if len(columns) == 1:
            return columns[0]
        filled = np.flatnonzero(np.all([column.codes >= 0 for column in columns], axis=0))
        key = np.zeros(len(filled), dtype=np.int64)
        for column in columns:
            _, key = np.unique(key * len(column.texts) + column.codes[filled], return_inverse=True)
        _, first = np.unique(key, return_index=True)
        every = [[column.texts[column.codes[filled[row]]] for column in columns] for row in first]
        code_of, distinct = pd.factorize(np.array([join(texts) for texts in every], dtype=object), sort=True)
        codes = np.full(len(columns[0].codes), -1, dtype=np.int64)
        codes[filled] = code_of[key]
        return cls(codes, tuple(distinct))

    @classmethod
    def joined(cls, columns: Sequence["Coded"], between: str) -> "Coded":
        """Return several columns as one, whose texts leave out empty cells; a row of such alone is empty."""
        if len(columns) == 1:
            return columns[0]
        filled = [cls(each.codes + 1, ("", *each.texts)) for each in columns]
        found = cls.together(filled, lambda texts: between.join(filter(None, texts)))
        return cls(found.codes - 1, found.texts[1:]) if "" in found.texts else found


@dataclass(frozen=True)
class Candidate:
    """A column that may be a covariate, by its name and a sample of its cells.

    One whose role the caller names is used, or refused where it cannot be.
    """

    name: str
    role: CovariateRole | None = None  # None: found from all rows
    kind: CovariateKind | None = None  # None: found from all rows
    looks_numeric: bool = False
    reason: str = "stands beside the target"

    @property
    def is_named(self) -> bool:
        """Whether the caller gave it its role."""
        return self.role is not None


@dataclass(frozen=True)
class Column:
    """A column beside the target: numbers, NaN where empty, or codes into texts, -1 where empty."""

    candidate: Candidate
    cells: Floats | Ints  # (rows,)
    texts: tuple[str, ...] | None = None  # None for numbers
    trouble: str = ""  # why it cannot be used

    @property
    def kind(self) -> CovariateKind:
        """What its cells are."""
        return "number" if self.texts is None else "category"

    @property
    def is_filled(self) -> Mask:
        """Which cells hold something; shape (rows,)."""
        filled: Mask = ~np.isnan(self.cells) if self.texts is None else self.cells >= 0
        return filled

    def shown(self) -> Cells:
        """Return the cells as numbers or texts, with None for no text."""
        if self.texts is None:
            return np.asarray(self.cells, dtype=np.float64)
        texts: Cells = np.array([*self.texts, None], dtype=object)[self.cells.astype(np.int64)]
        return texts
