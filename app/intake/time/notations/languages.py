"""The names of the months in the languages of CLDR, by Babel, and the ways to cut them short."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import cache

from babel import Locale

# Where two know the same names, the first counts. Those of one script are loaded only for names in it.
LATIN = (
    *("en", "de", "de_AT", "fr", "es", "it", "pt", "nl", "pl", "tr", "sv", "da", "nb", "fi", "cs"),
    *("sk", "hu", "ro", "hr", "sr_Latn", "sl", "bs", "sq", "et", "lv", "lt", "is", "id", "ms"),
    *("az", "uz", "ca", "gl", "eu", "ga", "cy", "af", "sw", "fil"),
)
OTHER_SCRIPTS = (
    *("ru", "el", "uk", "bg", "sr", "mk", "be", "ar", "ar_LB", "ar_DZ", "ar_MA", "fa", "he", "hi"),
    *("ur", "bn", "ka", "hy", "kk", "zh", "th"),
)
BEYOND_LATIN = "\u0250"
DIGIT = re.compile(r"[0-9]")
BESIDE_CLDR = {"mrz": 3, "maerz": 3, "jaenner": 1, "feber": 2, "mrt": 3, "sept": 9}
SHORTEST = 3  # letters of a beginning that names a month
SIGNS = ".\u05f3\u2019'\u0970"  # behind a name that is cut short


def month_numbers(names: Collection[str], languages: Sequence[str] = ()) -> dict[str, int]:
    """Return the months, 1 to 12, that names mean in the language that knows the most of them.

    Without `languages` they are those of the script that names are written in.
    """
    folded = {name: _folded(name) for name in names if not DIGIT.search(name)}
    wanted, best = set(folded.values()), dict[str, int]()
    is_latin = all(sign < BEYOND_LATIN for name in wanted for sign in name)
    for language in (languages or (LATIN if is_latin else OTHER_SCRIPTS)) if wanted else ():
        months = _months_in(language)
        if known := {name: months[name] for name in wanted if name in months}:
            best = max(best, known, key=len)
            if len(known) == len(wanted):
                break
    return {name: best[short] for name, short in folded.items() if short in best}


@cache
def _months_in(language: str) -> Mapping[str, int]:
    """Return the month of each name and of each beginning that only one month has."""
    found: dict[str, set[int]] = {}
    whole: dict[str, int] = {}
    for names in (names for kinds in Locale.parse(language).months.values() for names in kinds.values()):
        for number, name in names.items():
            short = _folded(name.removeprefix("de "))
            if len(short) > 1 and not short.isdecimal():
                whole[short] = number
                for length in {len(short), *range(SHORTEST, len(short))}:
                    found.setdefault(short[:length], set()).add(number)
    single = {start: min(numbers) for start, numbers in found.items() if len(numbers) == 1}
    return BESIDE_CLDR | single | whole


def _folded(name: str) -> str:
    """Return a name in small letters without accents; as in Turkish, i may have its dot or not."""
    parts = unicodedata.normalize("NFD", name.strip().rstrip(SIGNS).lower())
    return "".join(sign for sign in parts if unicodedata.category(sign) != "Mn").replace("ı", "i")
