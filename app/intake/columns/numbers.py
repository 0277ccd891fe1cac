"""Read numbers as text into float64: decimal points or commas, thousands separators, words for no value."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.errors import BadInput
from app.intake.arrays import Mask
from app.intake.problems import Question, Unsettled

Texts: TypeAlias = "pd.Series[str]"
Decimal = Literal[".", ","]

MISSING = (
    *("", "NA", "N/A", "n/a", "na", "#N/A", "#NA", "NaN", "nan", "NAN", "-NaN", "null", "NULL", "Null"),
    *("None", "none", "NaT", "-", "--", "\u2013", "\u2014", ".", "..", "?"),
)
SPACES = " \u00a0\u202f'\u2019"
GROUPS: dict[Decimal, str] = {".": f"[,{SPACES}]", ",": f"[.{SPACES}]"}
EXPONENT = r"(?:[eE][+-]?\d+)?"


@dataclass(frozen=True)
class Numbers:
    """A column of numbers as it was read."""

    numbers: NDArray[np.float64]  # (rows,) NaN where empty or wrong
    wrong: Mask  # (rows,)
    decimal: Decimal


def _plain(decimal: Decimal) -> str:
    mark = "\\" + decimal
    return rf"[+-]?(?:\d+(?:{mark}\d*)?|{mark}\d+){EXPONENT}"


def _grouped(decimal: Decimal) -> str:
    return rf"[+-]?[1-9]\d{{0,2}}({GROUPS[decimal]})\d{{3}}(?:\1\d{{3}})*(?:\{decimal}\d*)?"


@dataclass(frozen=True)
class _Reading:
    """Distinct texts, read with one decimal mark."""

    decimal: Decimal
    numbers: NDArray[np.float64]
    wrong: Mask
    mixed: bool  # doubtful: some thousands have separators and some do not

    @property
    def sound(self) -> bool:
        return not self.mixed and not self.wrong.any()


def are_numbers(texts: Texts, decimal: Decimal) -> Mask:
    """Return which texts are numbers with this decimal mark."""
    plain, grouped = (texts.str.fullmatch(shape) for shape in (_plain(decimal), _grouped(decimal)))
    return plain.to_numpy(dtype=np.bool_) | grouped.to_numpy(dtype=np.bool_)


def read_numbers(
    texts: Texts,
    delimiter: str,
    *,
    previous: str | None = None,
    decimal: Decimal | None = None,
    missing: tuple[str, ...] = MISSING,
) -> Numbers:
    """Read a column of texts.

    Args:
        texts: the cells.
        delimiter: what stands between the columns.
        previous: the decimal mark of earlier rows, which decides where both fit.
        decimal: the decimal mark that the caller names.
        missing: the texts that stand for no value.

    Raises Unsettled where 1.234 may mean 1234 and no value of the column decides.
    """
    codes, distinct = pd.factorize(texts)
    unique = pd.Series(distinct, dtype="object").str.strip()
    empty = unique.isin(missing).to_numpy(dtype=np.bool_)
    rest = unique[~empty]
    reading = _read(rest, decimal) if decimal else _choose(rest, delimiter, previous)
    values, wrong = np.full(len(unique), np.nan), np.zeros(len(unique), dtype=np.bool_)
    values[~empty], wrong[~empty] = reading.numbers, reading.wrong
    return Numbers(values[codes], wrong[codes], reading.decimal)


def is_doubtful(texts: Texts, delimiter: str) -> bool:
    """Return whether numbers can be read in two ways, with thousands or with decimals."""
    try:
        read_numbers(texts, delimiter)
    except BadInput:
        return True
    return False


def shown_mark(texts: Texts, delimiter: str) -> Decimal | None:
    """Return the decimal mark that a column plainly shows; None where it shows none, or is doubtful."""
    texts = texts.dropna().str.strip()
    rest = texts[~texts.isin(MISSING)]
    marked = rest.str.contains("[.,]", regex=True).any()
    sound = [reading.decimal for reading in (_read(rest, "."), _read(rest, ",")) if reading.sound]
    if not marked or is_doubtful(rest, delimiter):
        return None
    return sound[0] if sound else None


def _read(texts: Texts, decimal: Decimal) -> _Reading:
    grouped = texts.str.fullmatch(_grouped(decimal)).to_numpy(dtype=np.bool_)
    right = are_numbers(texts, decimal)
    clean = texts.where(right, "nan").str.replace(GROUPS[decimal], "", regex=True).str.replace(",", ".")
    long = texts[~grouped].str.match(r"[+-]?\d{4}").any()
    return _Reading(decimal, clean.to_numpy().astype(np.float64), ~right, bool(grouped.any() and long))


def _choose(texts: Texts, delimiter: str, previous: str | None) -> _Reading:
    """Choose the point unless the column shows a decimal comma or separators of thousands."""
    point = _read(texts, ".")
    if delimiter == "," and not point.wrong.any():
        return point
    comma = _read(texts, ",")
    if previous == "," and comma.sound:
        return comma
    if delimiter != ";" and not texts.str.contains(",", regex=False).any():
        return point
    sound = [reading for reading in (point, comma) if reading.sound]
    if len(sound) > 1 and delimiter != "," and not np.array_equal(point.numbers, comma.numbers):
        raise _doubtful(texts, point, comma)
    return sound[0] if sound else min(point, comma, key=lambda reading: int(reading.wrong.sum()))


def _doubtful(texts: Texts, point: _Reading, comma: _Reading) -> Unsettled:
    at = int(np.flatnonzero(point.numbers != comma.numbers)[0])
    one, other = point.numbers[at], comma.numbers[at]
    question = Question(
        "decimal",
        f"Numbers such as {texts.iloc[at][:40]!r} may be {one:.15g} or {other:.15g}, and no other value tells"
        " which. Say by decimal which mark stands before decimals, '.' or ','.",
        (".", ","),
        "numbers can be read in two ways",
    )
    return Unsettled([question])
