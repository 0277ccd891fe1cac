"""Read delimited text into columns: detect its encoding, delimiter and header, and parse on request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from app.errors import BadInput
from app.intake.arrays import Ints
from app.intake.tables.delimited_rows import DelimitedRows
from app.intake.tables.delimiters import first_lines
from app.intake.tables.encodings import HEAD, find_encoding
from app.intake.tables.header import find_header
from app.intake.tables.table import MAX_COLUMNS, Dtype, Origin, Table

CODED = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class DelimitedTable(Table):
    """A delimited text whose header is known, and whose columns are read on request."""

    rows: DelimitedRows = field(repr=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return notes on how the table was read, of its rows as well once they are."""
        return (*self.origin.notes, *self.rows.notes)

    def texts(self, names: Sequence[str], rows: int | None = None) -> pd.DataFrame:
        """Return columns as text, of all rows or of the first `rows`; raises BadInput for rows too long."""
        at = [i for i, name in enumerate(self.names) if name in set(names)]
        cells = [[row[i] for i in at] for row in self.rows.first(rows)]
        return pd.DataFrame(cells, columns=[self.names[i] for i in at], dtype="object")

    def read(
        self, dtypes: Mapping[str, Dtype], missing: tuple[str, ...] = (), decimal: str = "."
    ) -> pd.DataFrame:
        """Return the named columns, as every table does; raises BadInput for rows with too many cells."""
        keys = {f"c{i}": name for i, name in enumerate(self.names) if name in dtypes}
        kinds = {key: pa.float64() if dtypes[name] == "float64" else CODED for key, name in keys.items()}
        table = self.rows.columns(kinds, missing, decimal)
        columns = {name: _cells(table[key], dtypes[name]) for key, name in keys.items()}
        return pd.DataFrame(columns, copy=False)


def _cells(column: pa.ChunkedArray, dtype: Dtype) -> Any:
    if dtype == "float64":
        return column.to_numpy()
    codes, texts = _coded(column)
    if dtype == "str":
        return texts[codes]
    return pd.Categorical.from_codes(codes, pd.Index(texts, dtype="object"))  # type: ignore[arg-type]


def _coded(column: pa.ChunkedArray) -> tuple[Ints, Any]:
    """Return a column as codes into its distinct texts, without the spaces that they begin with."""
    chunks = column.unify_dictionaries().chunks
    codes = np.concatenate([np.zeros(0, dtype=np.int32), *(chunk.indices.to_numpy() for chunk in chunks)])
    distinct = pc.utf8_ltrim(chunks[0].dictionary, " ") if chunks else pa.array([], pa.string())
    code_of, texts = pd.factorize(distinct.to_numpy(zero_copy_only=False))
    return (codes if len(texts) == len(code_of) else code_of[codes]), texts


def open_delimited(
    file: IO[bytes], max_columns: int = MAX_COLUMNS, skip_rows: int = 0, encoding: str | None = None
) -> Table:
    """Detect the layout of a table from its head; raises BadInput without a header of two columns or more.

    Titles, blank lines and comments (`#`) above the header are passed over, after `skip_rows` lines.
    `encoding` is the text's, if it is said. Raises Unsettled where two encodings suit it.
    """
    file.seek(0)
    if not file.read(HEAD).strip():
        raise BadInput("The file is empty. Send a table with a header row and one row for each time.")
    found = find_encoding(file, encoding)
    first = first_lines(found.text, skip_rows)
    header = find_header(first.lines, max_columns)
    above = len(first.above)
    first_row = above + header.line + header.lines + 1
    body = first.below(found.text, header.line + header.lines)
    return DelimitedTable(
        header.names,
        header.unnamed,
        first_row=first_row,
        origin=Origin("csv", found.text.encoding, first.delimiter, (*found.notes, *header.notes(above))),
        rows=DelimitedRows(body, first.delimiter, len(header.names), first_row),
    )
