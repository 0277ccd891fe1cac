"""Read numbers as text into float64: decimal points or commas, thousands separators, words for no value."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.errors import BadInput
from app.intake.arrays import Mask, Texts
from app.intake.columns.signs import FLAGGED_NONE, Bare, Kind, bare, without_unit
from app.intake.problems import Question, Unsettled
from app.intake.scales import out_of_scale

Decimal = Literal[".", ","]

MISSING = (
    *("", "NA", "N/A", "n/a", "na", "#N/A", "#NA", "NaN", "nan", "NAN", "-NaN", "null", "NULL", "Null"),
    *("None", "none", "NaT", "-", "--", "\u2013", "\u2014", ".", "..", "...", "\u2026", "?", ":", "***", "/"),
    *("n.a.", "N.A.", "n.d.", "k.A."),
)
SPACES = " '\u2019"  # as those of other scripts are read
INDIAN = r"[+-]?[1-9]\d?(?:,\d{2})+,\d{3}(?:\.\d*)?"
GROUPS: dict[Decimal, str] = {".": f"[,{SPACES}]", ",": f"[.{SPACES}]"}
MEANING: dict[Kind, str] = {
    "negative": "",
    "money": ", without its sign",
    "percent": ": a percentage keeps its number",
    "scale": "",
    "flag": ": what stands behind the number is a flag",
    "below": ", half of its bound; missing_values may name it, so that it is a gap",
}
EXPONENT = r"(?:[eE][+-]?\d+)?"


@dataclass(frozen=True)
class Numbers:
    """A column of numbers as it was read."""

    numbers: NDArray[np.float64]  # (rows,) NaN where empty or wrong
    wrong: Mask  # (rows,)
    decimal: Decimal
    notes: tuple[str, ...] = ()  # on what else than numbers the cells hold; each begins "'3 p' is ..."


def _plain(decimal: Decimal) -> str:
    mark = "\\" + decimal
    return rf"[+-]?(?:\d+(?:{mark}\d*)?|{mark}\d+){EXPONENT}"


def _grouped(decimal: Decimal) -> str:
    same = rf"[+-]?[1-9]\d{{0,2}}({GROUPS[decimal]})\d{{3}}(?:\1\d{{3}})*(?:\{decimal}\d*)?"
    return f"{same}|{INDIAN}" if decimal == "." else same


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


def which_are_numbers(texts: Texts) -> dict[Decimal, Mask]:
    """Return which texts are numbers with each decimal mark, whatever signs and units stand around them."""
    taken = bare(texts)
    return {decimal: _are_numbers(taken.texts, decimal) & taken.is_likely for decimal in GROUPS}


def _are_numbers(texts: Texts, decimal: Decimal) -> Mask:
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

    Raises Unsettled where 1.234 may mean 1234 and no value of the column decides, BadInput where the scale
    of a number, such as the B of 30B, does not suit the others.
    """
    codes, distinct = pd.factorize(texts)
    unique = pd.Series(distinct, dtype="object").str.strip()
    empty = _are_empty(unique, missing)
    rest = bare(unique[~empty])
    reading = _read(rest, decimal) if decimal else _choose(rest, delimiter, previous)
    _refuse_out_of_scale(unique[~empty], rest, reading)
    values, wrong = np.full(len(unique), np.nan), np.zeros(len(unique), dtype=np.bool_)
    values[~empty], wrong[~empty] = reading.numbers, reading.wrong
    return Numbers(values[codes], wrong[codes], reading.decimal, _notes(unique[~empty], rest, reading))


def read_with_unit(texts: Texts, delimiter: str, **said: Any) -> Numbers:
    """Read a column as `read_numbers` does; if none is a number, without a unit behind all, such as kWh."""
    found = read_numbers(texts, delimiter, **said)
    if not found.wrong.any() or not np.isnan(found.numbers).all():
        return found
    texts = texts.str.strip()
    filled = texts.where(found.wrong)
    numbers, unit = without_unit(filled.dropna().drop_duplicates())
    if not unit:
        return found
    number_of = dict(zip(filled.dropna().drop_duplicates(), numbers, strict=True))
    bare_ones = read_numbers(filled.map(number_of).fillna(""), delimiter, **said)
    return replace(bare_ones, notes=(f"all numbers are read without their unit, {unit!r}", *bare_ones.notes))


def _are_empty(texts: Texts, missing: tuple[str, ...]) -> Mask:
    empty = texts.isin(missing) | texts.str.fullmatch(FLAGGED_NONE)
    return empty.to_numpy(dtype=np.bool_)


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
    rest = bare(texts[~_are_empty(texts, MISSING)])
    marked = rest.texts.str.contains("[.,]", regex=True).any()
    sound = [reading.decimal for reading in (_read(rest, "."), _read(rest, ",")) if reading.sound]
    if not marked or is_doubtful(texts, delimiter):
        return None
    return sound[0] if sound else None


def _read(taken: Bare, decimal: Decimal) -> _Reading:
    texts = taken.texts
    grouped = texts.str.fullmatch(_grouped(decimal)).to_numpy(dtype=np.bool_)
    right = _are_numbers(texts, decimal) & ~taken.wrong
    clean = texts.where(right, "nan").str.replace(GROUPS[decimal], "", regex=True).str.replace(",", ".")
    long = texts[~grouped].str.match(r"[+-]?\d{4}").any()
    numbers = (clean + taken.exponents.where(right, "")).to_numpy().astype(np.float64) * taken.factors
    # A cell that is not empty has a number or is refused: it is never a gap.
    return _Reading(decimal, numbers, ~right | np.isnan(numbers), bool(grouped.any() and long))


def _choose(taken: Bare, delimiter: str, previous: str | None) -> _Reading:
    """Choose the point unless the column shows a decimal comma or separators of thousands."""
    texts, point = taken.texts, _read(taken, ".")
    if delimiter == "," and not point.wrong.any() and not _may_be_points(texts, previous):
        return point
    comma = _read(taken, ",")
    if previous == "," and comma.sound:
        return comma
    if delimiter and comma.sound and _may_be_points(texts, previous):
        raise _doubtful(texts, point, comma)
    if delimiter != ";" and not texts.str.contains(",", regex=False).any():
        return point
    sound = [reading for reading in (point, comma) if reading.sound]
    if taken.is_pointed and point.sound:
        return point
    if len(sound) > 1 and delimiter != "," and not np.array_equal(point.numbers, comma.numbers):
        raise _doubtful(texts, point, comma)
    return sound[0] if sound else min(point, comma, key=lambda reading: int(reading.wrong.sum()))


def _may_be_points(texts: Texts, previous: str | None) -> bool:
    """Return whether points may stand before thousands: three digits behind each, whole hundreds beside them.

    Measurements such as 12.345 have no hundreds without a point beside them, or one such as 0.980.
    """
    if previous == ".":
        return False
    pointed = texts.str.contains(".", regex=False)
    grouped = texts[pointed].str.fullmatch(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
    return bool(len(grouped) and grouped.all() and texts[~pointed].str.fullmatch(r"[+-]?[1-9]\d{2}").any())


def _notes(texts: Texts, taken: Bare, reading: _Reading) -> tuple[str, ...]:
    """Return a sentence on each kind of sign or unit that was taken off, by its first text."""
    notes = []
    for kind, mask in taken.kinds.items():
        found = np.flatnonzero(mask & ~reading.wrong)
        if len(found):
            shown = f"{str(texts.iloc[found[0]])[:40]!r} is read as {reading.numbers[found[0]]:.15g}"
            notes.append(f"{shown}{MEANING[kind]}")
    return tuple(notes)


def _refuse_out_of_scale(texts: Texts, taken: Bare, reading: _Reading) -> None:
    wrong = np.flatnonzero(out_of_scale(reading.numbers, taken.exponents.where(taken.as_in_names, "")))
    if len(wrong):
        text, number = texts.iloc[wrong[0]][:40], reading.numbers[wrong[0]]
        raise BadInput(
            f"Numbers such as {text!r} would be {number:.15g}, far from the others, which are as large as it"
            " is without what stands behind it. Write the number that is meant, in digits alone."
        )


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
