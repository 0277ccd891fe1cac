"""Read a column beside the target from the cells of its table."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from app.errors import BadInput
from app.intake.arrays import Floats, Ints, Mask
from app.intake.columns.coded import Candidate, Coded, Column
from app.intake.columns.numbers import MISSING, Decimal, read_numbers, which_are_numbers
from app.intake.options import ReadOptions
from app.intake.problems import Place, refuse_rows
from app.schemas.fields import MAX_CELL_LENGTH

EMPTY_TEXTS = ("", "NaN", "nan", "null", "NULL", "#N/A")  # NA is Namibia, and None may be a promotion
FLAGS = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class Notation:
    """How the cells of a table are written."""

    place: Place
    delimiter: str
    decimal: Decimal  # of the values
    options: ReadOptions


def without_sentinels(y: Floats, options: ReadOptions) -> Floats:
    """Return values with NaN where a number stands for none."""
    numbers = pd.to_numeric(pd.Series(options.sentinels, dtype="object"), errors="coerce").dropna()
    return np.where(np.isin(y, numbers.to_numpy(dtype=np.float64)), np.nan, y) if len(numbers) else y


def read_column(candidate: Candidate, cells: "pd.Series[Any]", notation: Notation) -> Column:
    """Return a column of numbers, or of texts as categories, as they are read.

    `cells` are numbers, texts of which most are numbers, or categories. Raises BadInput where a column that
    the caller names holds texts among numbers, infinite numbers or long texts.
    """
    if cells.dtype == np.float64:
        return _of_numbers(candidate, np.asarray(cells, dtype=np.float64), notation)
    if candidate.kind != "category":
        is_coded = isinstance(cells.dtype, pd.CategoricalDtype)
        texts = pd.Series(cells.cat.categories if is_coded else cells, dtype="object").str.strip()
        codes = np.asarray(cells.cat.codes if is_coded else np.arange(len(cells)), dtype=np.int64)
        numbers, wrong = _numbers(texts, notation)
        if not wrong.any():
            return _of_numbers(candidate, np.append(numbers, np.nan)[codes], notation)
        if candidate.kind == "number" or candidate.looks_numeric:
            rows = np.flatnonzero(np.append(wrong, np.zeros(1, dtype=np.bool_))[codes]).astype(np.int64)
            return _troubled(candidate, rows, texts, codes, notation)
    coded = Coded.of(cells, (*EMPTY_TEXTS, *notation.options.sentinels))
    if long := [code for code, text in enumerate(coded.texts) if len(text) > MAX_CELL_LENGTH]:
        return _too_long(candidate, coded.codes, np.isin(coded.codes, long), notation)
    return Column(candidate, coded.codes, coded.texts)


def _numbers(texts: "pd.Series[str]", notation: Notation) -> tuple[Floats, Mask]:
    """Return the numbers in texts, true and false as 1 and 0, and which of them are none."""
    missing = (*MISSING, *notation.options.sentinels)
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)
    odd = np.isnan(numbers) & ~texts.isin(missing).to_numpy(dtype=np.bool_)
    others = pd.Series(texts[odd].unique(), dtype="object")
    if others.str.lower().isin(FLAGS).all():
        numbers[odd] = [FLAGS[text.lower()] for text in texts[odd]]
        odd[:] = False
    elif any(mask.any() for mask in which_are_numbers(others).values()):
        return _by_notation(texts, missing, notation)
    return (numbers, odd) if notation.decimal == "." else _by_notation(texts, missing, notation)


def _by_notation(
    texts: "pd.Series[str]", missing: tuple[str, ...], notation: Notation
) -> tuple[Floats, Mask]:
    mark = notation.decimal
    try:
        found = read_numbers(
            texts, notation.delimiter, previous=mark, decimal=notation.options.decimal, missing=missing
        )
    except BadInput:  # decimals or thousands: as the values have it
        found = read_numbers(texts, notation.delimiter, decimal=mark, missing=missing)
    return found.numbers, found.wrong


def _of_numbers(candidate: Candidate, numbers: Floats, notation: Notation) -> Column:
    infinite = np.isinf(numbers)
    if not infinite.any():
        return Column(candidate, without_sentinels(numbers, notation.options))
    if candidate.is_named:
        raise refuse_rows(
            notation.place,
            candidate.name,
            np.flatnonzero(infinite),
            lambda _: "the number is infinite or too large for a 64-bit float",
            f"Column {candidate.name!r} holds infinite numbers; leave them empty where there is none",
        )
    return Column(candidate, np.full(len(numbers), np.nan), trouble="holds infinite numbers")


def _too_long(candidate: Candidate, codes: Ints, long: Mask, notation: Notation) -> Column:
    """Return a column with long texts as one that cannot be used."""
    if candidate.is_named:
        raise refuse_rows(
            notation.place,
            candidate.name,
            np.flatnonzero(long),
            lambda _: f"the text has more than {MAX_CELL_LENGTH} characters",
            f"Column {candidate.name!r} holds texts of more than {MAX_CELL_LENGTH} characters; shorten them",
        )
    trouble = f"holds texts of more than {MAX_CELL_LENGTH} characters"
    return Column(candidate, np.full_like(codes, -1), (), trouble)


def _troubled(
    candidate: Candidate, wrong: Ints, texts: "pd.Series[str]", codes: Ints, notation: Notation
) -> Column:
    """Return a column of numbers with texts among them as one that cannot be used."""

    def cell(row: int) -> str:
        return repr(str(texts.iloc[codes[row]])[:40])

    if candidate.is_named:
        raise refuse_rows(
            notation.place,
            candidate.name,
            wrong,
            lambda row: f"{cell(row)} is not a number",
            f"Column {candidate.name!r} holds text where numbers should be; correct these cells, leave them"
            " empty where there is no number, or name the column by category_columns",
        )
    where = f"{notation.place.noun} {notation.place.number(int(wrong[0]))}"
    trouble = f"holds {cell(int(wrong[0]))} among numbers, in {where}"
    return Column(candidate, np.full(len(codes), np.nan), trouble=trouble)
