"""The distinct texts of many columns, so that each is judged once, whichever columns hold it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from app.intake.arrays import Ints, Mask, Texts


@dataclass(frozen=True)
class Cells:
    """Pairs of a column and a text: one for each distinct text of each column."""

    texts: Texts  # distinct, stripped, none empty, numbered from 0
    column: Ints  # (pairs,)
    text: Ints  # (pairs,) index into `texts`
    columns: int

    @classmethod
    def of_table(cls, table: pd.DataFrame) -> "Cells":
        """Return the cells of a table of texts, without empty ones."""
        rows, columns = table.shape
        codes, raw = pd.factorize(table.to_numpy(dtype=object).ravel(order="F"))
        stripped = pd.Series(raw, dtype="object").str.strip()
        code_of, texts = pd.factorize(stripped.mask(stripped == ""))
        code = np.append(code_of, -1).astype(np.int64)[codes]
        column = np.repeat(np.arange(columns, dtype=np.int64), rows)
        pairs = np.unique(column[code >= 0] * (len(texts) + 1) + code[code >= 0])
        return cls(
            pd.Series(texts, dtype="object"), pairs // (len(texts) + 1), pairs % (len(texts) + 1), columns
        )

    @classmethod
    def of_names(cls, names: list[str]) -> "Cells":
        """Return one column for each name, with the name as its only text."""
        each = np.arange(len(names), dtype=np.int64)
        return cls(pd.Series(names, dtype="object"), each, each, len(names))

    def only(self, columns: Mask) -> "Cells":
        """Return the cells of some columns, with their texts alone; columns keep their numbers."""
        kept = columns[self.column]
        used, text = np.unique(self.text[kept], return_inverse=True)
        texts = self.texts.iloc[used].reset_index(drop=True)
        return Cells(texts, self.column[kept], text.astype(np.int64), self.columns)

    def count(self, texts: Mask | None = None) -> Ints:
        """Return the number of distinct texts, or of `texts` alone, in each column; shape (columns,)."""
        column = self.column if texts is None else self.column[texts[self.text]]
        return np.bincount(column, minlength=self.columns).astype(np.int64)

    def mostly(self, texts: Mask) -> Mask:
        """Return the columns where more than half of the texts are in `texts`; shape (columns,)."""
        most: Mask = self.count(texts) * 2 > self.count()
        return most
