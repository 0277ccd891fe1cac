"""Digits, signs and spaces of any script as the plain ones that notations are written with."""

import sys
import unicodedata
from functools import cache

from app.intake.arrays import Texts
from app.intake.time.notations.eras import common_years

SPACES = "\u00a0\u2007\u2009\u202f\u3000"
MINUSES = "\u2212\ufe63\uff0d"
INVISIBLE = "\u200b\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
ARABIC = {"\u066a": "%", "\u066b": ".", "\u066c": ","}
FULL_WIDTH, FULL_WIDTH_END, FULL_WIDTH_SHIFT = 0xFF01, 0xFF5F, 0xFEE0


@cache
def _table() -> dict[int, str]:
    every = (chr(code) for code in range(128, sys.maxunicode + 1))
    digits = {ord(sign): str(unicodedata.decimal(sign)) for sign in every if sign.isdecimal()}
    wide = {code: chr(code - FULL_WIDTH_SHIFT) for code in range(FULL_WIDTH, FULL_WIDTH_END)}
    return {
        **digits,
        **wide,
        **dict.fromkeys(map(ord, SPACES), " "),
        **dict.fromkeys(map(ord, MINUSES), "-"),
        **dict.fromkeys(map(ord, INVISIBLE), ""),
        **{ord(sign): plain for sign, plain in ARABIC.items()},
    }


def plain(texts: Texts) -> Texts:
    """Return texts with plain digits, signs, spaces and years: full-width ones, U+2212, 令和2年, ..."""
    is_plain = texts.map(str.isascii)
    if is_plain.all():
        return texts
    return texts.where(is_plain, common_years(texts.str.translate(_table())))
