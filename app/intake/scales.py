"""Words and letters behind numbers that stand for powers of ten: 1.2K, 3 Mio, 5 lakh, 1,0 bin."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
import pandas as pd
from babel import Locale

from app.intake.arrays import Floats, Mask, Texts

SIGNS: Mapping[str, int] = dict(zip("kKMB千万萬亿億천만억", map(int, "336934488348"), strict=True))
LETTERS = ("k", "K", "M", "B")
USUAL: Mapping[str, int] = {
    "tsd": 3,
    "тыс": 3,
    "mio": 6,
    "mn": 6,
    "mln": 6,
    "млн": 6,
    "mrd": 9,
    "mld": 9,
    "bn": 9,
    "млрд": 9,
}
# A word that two of these use for different powers is no scale, but for English ones.
ENGLISH = ("en", "en_IN")
OTHERS = (
    *("de", "fr", "es", "it", "pt", "nl", "pl", "tr", "sv", "da", "nb", "fi", "cs", "hu", "ro", "hr"),
    *("ru", "uk", "bg", "el", "hi", "vi", "id"),
)
SHORTEST = 3  # letters of a word; shorter ones are units as well, such as mi and tn
MAY_BE_WORD = rf"\d\s?[^\W\d_]{{{SHORTEST},}}"
LEAST_OTHERS = 4
NEAR, FAR = 10, 100  # times: how near numbers without a scale lie to one, and how far when it is scaled


def scale_shape(texts: Texts) -> str:
    """Return the expression of scales: with the words of all languages only where texts hold words."""
    return _shape(with_words=bool(texts.str.contains(MAY_BE_WORD, regex=True).any()))


def power_of(scale: str) -> int:
    """Return the power of ten that a sign or a word stands for."""
    word = scale.rstrip(".").lower()
    return SIGNS[scale] if scale in SIGNS else USUAL[word] if word in USUAL else _words()[word]


def out_of_scale(numbers: Floats, powers: Texts) -> Mask:
    """Return the few numbers that are like all others without a letter behind them, and far off with it.

    `powers` has "e9" where a letter scales a number by it, else an empty text.
    """
    scaled = (powers != "").to_numpy(dtype=np.bool_)
    sizes = np.abs(numbers)
    others = sizes[~scaled & (sizes > 0)]
    if len(others) < LEAST_OTHERS or np.count_nonzero(scaled) * 2 > len(numbers):
        return np.zeros(len(numbers), dtype=np.bool_)
    without = sizes / 10.0 ** powers.str[1:].replace("", "0").to_numpy().astype(np.float64)
    alike = (without >= others.max() / NEAR) & (without / NEAR <= others.min())
    mask: Mask = scaled & alike & (sizes / FAR > others.max())
    return mask


@cache
def _shape(*, with_words: bool) -> str:
    known = {*USUAL, *(_words() if with_words else ())}
    words = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    return rf"(?i:{words})\.?|[{''.join(SIGNS)}]"


@cache
def _words() -> Mapping[str, int]:
    """Return the power of ten of each word in small letters that CLDR shortens numbers with."""
    found = pd.DataFrame(list(_abbreviations(OTHERS)), columns=["word", "power"]).drop_duplicates()
    plain = found[~found["word"].duplicated(keep=False)]
    return dict(zip(plain["word"], plain["power"], strict=True)) | dict(_abbreviations(ENGLISH))


def _abbreviations(languages: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Yield words of languages with their powers of ten, by the patterns of 1000, 10000, and so on."""
    for language in languages:
        for width in Locale.parse(language).compact_decimal_formats.values():
            for least, form in (each for by_count in width.values() for each in by_count.items()):
                digits, _, word = str(form.pattern).partition(";")[0].rpartition("0")
                word = word.replace("'", "").strip().rstrip(".").lower()
                if len(word) >= SHORTEST and word.isalpha():
                    yield word, len(least) - len(digits) - 1
