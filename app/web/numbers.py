"""Numbers as a reader wants them: as exact as the interval warrants, in words of the language."""

import math

from babel.numbers import format_compact_decimal, format_decimal, format_percent

WORDS_FROM = 1e6  # thousands are shorter in digits
MOST_DECIMALS = 6
NONE = "–"  # noqa: RUF001  # a dash


def precision_of(width: float) -> float:
    """Return the power of ten that numbers inside an interval of this width are rounded to."""
    if not math.isfinite(width) or width <= 0:
        return 0.0
    return float(10.0 ** math.floor(math.log10(width / 2)))


def rounded(value: float | None, language: str, precision: float = 0.0) -> str:
    """Return a number rounded to a precision; 0 rounds to four digits. A dash for none."""
    if value is None or not math.isfinite(value):
        return NONE
    step = precision or _four_digits(value)
    if max(abs(value), step) >= WORDS_FROM:
        return _in_words(value, language, step)
    decimals = min(MOST_DECIMALS, max(0, -math.floor(math.log10(step))))
    near = round(value / step) * step
    return str(format_decimal(near, _pattern(decimals), locale=language))


def exact(value: float | None, language: str) -> str:
    """Return a number with the digits that it has, up to six decimals; a dash for none."""
    if value is None or not math.isfinite(value):
        return NONE
    return str(format_decimal(round(value, MOST_DECIMALS), "#,##0.######", locale=language))


def count(value: int, language: str) -> str:
    """Return a whole number, all digits of it."""
    return str(format_decimal(value, locale=language))


def percent(share: float | None, language: str, decimals: int = 0) -> str:
    """Return a share as a percentage; a dash for none."""
    if share is None:
        return NONE
    tail = f".{'0' * decimals}" if decimals else ""
    return str(format_percent(share, f"#,##0{tail}\xa0%" if language == "de" else f"#,##0{tail}%", language))


def _in_words(value: float, language: str, step: float) -> str:
    digits = 4 if language == "zh" else 3
    scale = 10.0 ** (digits * (math.floor(math.log10(max(abs(value), step))) // digits))
    decimals = min(MOST_DECIMALS, max(0, round(math.log10(scale / step))))
    near = round(value / step) * step
    return str(format_compact_decimal(near, format_type="long", locale=language, fraction_digits=decimals))


def _four_digits(value: float) -> float:
    return float(10.0 ** (math.floor(math.log10(abs(value))) - 3)) if value else 1.0


def _pattern(decimals: int) -> str:
    return "#,##0" + (f".{'0' * decimals}" if decimals else "")
