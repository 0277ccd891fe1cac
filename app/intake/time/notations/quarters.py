"""Quarters as languages write them: 1. Quartal, T1, I кв., çeyrek, 第一季度, 1/4분기, الربع الأول."""

import re

from app.intake.arrays import Texts

NUMBERS = {"i": "1", "ii": "2", "iii": "3", "iv": "4"} | dict(zip("一二三四", "1234", strict=True))
NUMBERS |= dict(zip(("الأول", "الثاني", "الثالث", "الرابع"), "1234", strict=True))
BEFORE = r"(?:^|(?<=[\s\d.,/年년-]))"
WORD = (
    r"(?:кварт(?:ал)?а?|кв|quartal|trimestre|trim|kwartał|kw|çeyrek|čtvrtletí|negyedév|n[.]?év|kvartal|kwartaal"
    r"|τρίμηνο|тримесечие)(?!\w)[.]?"
)
PLAIN = re.compile(r"(?:Q|qtr\s*)([1-4])|([1-4])Q", re.IGNORECASE)
PATTERN = re.compile(
    rf"{BEFORE}(?P<ordinal>[1-4]|iv|i{{1,3}})(?:-?[йя]|[.]?[ºªoο]|[.]?er|:[ae]|ème|e)?[.]?\s?{WORD}"
    rf"|{BEFORE}[TÇKΤ](?P<letter>[1-4])(?![\w.])"
    r"|第?(?P<sign>[1-4一二三四])\s?(?:季度|四半期|분기|季(?!\w))"
    r"|제?\s?(?P<part>[1-4])/4\s?분기|(?<=\d{4}[. ]\s)(?P<korean>[1-4])/4$"
    rf"|الربع (?P<arabic>{'|'.join(NUMBERS)})",
    re.IGNORECASE,
)


def quarter_of(text: str, *, lettered: bool = True) -> int | None:
    """Return the quarter, 1 to 4, that a text names; None for any other text.

    Without `lettered`, T1 and the like are none: they may as well be names.
    """
    found = PLAIN.fullmatch(text) or PATTERN.fullmatch(text)
    is_letter = found is not None and found.lastgroup == "letter"
    return int(_letter(found)[1]) if found and (lettered or not is_letter) else None


def with_letter(texts: Texts) -> Texts:
    """Return texts with the quarters in them as Q1 to Q4."""
    return texts.str.replace(PATTERN, _letter, regex=True)


def _letter(found: re.Match[str]) -> str:
    number = next(filter(None, found.groups())).lower()
    return f"Q{NUMBERS.get(number, number)}"
