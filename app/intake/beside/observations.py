"""Read the columns beside the target of JSON rows: their keys that are no field of an observation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints, Mask
from app.intake.beside.reading import Notation, read_column
from app.intake.columns.beside import MOST, UNUSED_HERE, given_columns, named_candidates
from app.intake.columns.coded import Candidate, Column
from app.intake.options import BESIDE, ReadOptions
from app.intake.problems import Place, refuse_rows
from app.schemas.datasets import ColumnOut, ObservationIn

MOST_CELLS = 20_000_000  # of all columns in all rows
PLACE = Place(None)


@dataclass
class _Key:
    """A key of rows that is no field: where it stands, with which values."""

    rows: list[int]
    cells: list[float | str | bool]


def columns_of(
    observations: Sequence[ObservationIn], options: ReadOptions
) -> tuple[tuple[Column, ...], tuple[ColumnOut, ...]]:
    """Return the columns beside the target, and those that are not used.

    Raises BadInput for a key that looks like a misspelt field, for too many keys, and for a column that holds
    both numbers and texts.
    """
    keys = _keys(observations)
    given = given_columns(options, list(keys), BESIDE)
    candidates = named_candidates(list(keys), given, None if options.finds_covariates else "number")
    left = dict.fromkeys(given["unused_columns"], "unused_columns names it")
    others = [key for key in keys if key not in {*left, *(each.name for each in candidates)}]
    if options.finds_covariates:
        candidates += [Candidate(key) for key in others]
    else:
        left |= dict.fromkeys(others, UNUSED_HERE)
    order, count = list(keys), len(observations)
    candidates.sort(key=lambda each: order.index(each.name))
    columns = tuple(_column(each, keys[each.name], count, options) for each in candidates)
    return columns, tuple(ColumnOut(name=key, role="unused", reason=why) for key, why in left.items())


def lacking(observations: Sequence[ObservationIn], rows: Ints, names: Iterable[str]) -> dict[str, Mask]:
    """Return which of some rows lack the key of a column, for each column that any of them lacks."""
    keys = [observations[row].model_extra or {} for row in rows]
    found = {name: np.array([name not in key for key in keys], dtype=np.bool_) for name in names}
    return {name: mask for name, mask in found.items() if mask.any()}


def beside_keys(observations: Sequence[ObservationIn]) -> tuple[str, ...]:
    """Return the keys of rows that are no field of an observation."""
    return tuple(dict.fromkeys(key for each in observations for key in each.model_extra or ()))


def _keys(observations: Sequence[ObservationIn]) -> dict[str, _Key]:
    """Return the keys that are no field, in the order in which they first stand."""
    found: dict[str, _Key] = {}
    for row, observation in enumerate(observations):
        for key, value in (observation.model_extra or {}).items():
            if key not in found:
                found[key] = _Key([], [])
            if value is not None:
                found[key].rows.append(row)
                found[key].cells.append(value)
                if len(found) > min(MOST, MOST_CELLS // len(observations)):
                    raise _refuse_many(row)
    return found


def _refuse_many(row: int) -> BadInput:
    most = f"Rows have at most {MOST} columns beside the target, with {MOST_CELLS:,} cells in all"
    return BadInput(f"{most}; send a file.", [FieldError(f"#/observations/{row}", f"{most}.")])


def _column(candidate: Candidate, key: _Key, count: int, options: ReadOptions) -> Column:
    """Return a column of numbers, some of which may be written as texts; of texts where all values are."""
    notation = Notation(PLACE, ",", ".", options)
    texts = np.array([isinstance(value, str) for value in key.cells], dtype=np.bool_)
    is_category = candidate.kind == "category" or (candidate.kind is None and texts.any() and texts.all())
    if is_category:
        _refuse_nul(candidate.name, key)
        texts_of: list[str | None] = [None] * count
        for row, value in zip(key.rows, key.cells, strict=True):
            texts_of[row] = _text_of(value)
        return read_column(
            replace(candidate, kind="category"), pd.Series(texts_of, dtype="category"), notation
        )
    cells = np.array(key.cells, dtype=object)
    written = pd.to_numeric(pd.Series(cells[texts]), errors="coerce").to_numpy(dtype=np.float64)
    if np.isnan(written).any():
        raise _refuse_texts(candidate.name, np.array(key.rows)[texts][np.isnan(written)], key)
    cells[texts] = written
    numbers = np.full(count, np.nan)
    numbers[key.rows] = cells.astype(np.float64)
    return read_column(candidate, pd.Series(numbers), notation)


def _text_of(value: float | str) -> str:
    """Return a value as a table has it: true and false are words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value:.15g}"


def _refuse_nul(name: str, key: _Key) -> None:
    """Raise BadInput for texts with a character that databases cannot hold."""
    wrong = [row for row, value in zip(key.rows, key.cells, strict=True) if "\0" in str(value)]
    if wrong:
        raise refuse_rows(
            PLACE,
            name,
            np.array(wrong),
            lambda _: "the text holds U+0000",
            f"Column {name!r} holds the character U+0000; leave it out",
        )


def _refuse_texts(name: str, wrong: Ints, key: _Key) -> BadInput:
    values = dict(zip(key.rows, key.cells, strict=True))
    return refuse_rows(
        PLACE,
        name,
        wrong,
        lambda row: f"{str(values[row])[:40]!r} is a text",
        f"Column {name!r} holds texts where numbers should be; write numbers in all rows, or texts in all",
    )
