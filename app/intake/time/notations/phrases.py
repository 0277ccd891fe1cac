"""Words around dates: the weekday, "week of", and the end of a period, whose beginning counts."""

from typing import TypeAlias

import numpy as np
import pandas as pd

from app.intake.arrays import Ints, Mask

Texts: TypeAlias = "pd.Series[str]"

SOME = 100  # texts that show whether words are there at all
WEEKDAY = (
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?|(?:mon|diens|donners|frei|sams|sonn)tag"
    r"|mittwoch|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche"
)
BEFORE = rf"(?i)^(?:week (?:of|beginning|commencing|starting)|w/c|(?:{WEEKDAY})[.,]?)\s+(?=\S*\d|\w+\.? \d)"
BEHIND = rf"(?i)(?<=\d)\s*,?\s+\(?(?:{WEEKDAY})\.?\)?$"
OF = r"(?i)(?<=\S)\s+del?\s+(?=\w)"  # as in Spanish
YEAR_SIGN = r"(?<=\d{4})\s?(?:г\.?|года|р\.)$"
EASTERN_WEEKDAY = r"星期[一二三四五六日天]|周[一二三四五六日]|[月火水木金土日]曜日|[월화수목금토일]요일"
EASTERN_SHORT = r"[月火水木金土日一二三四五六월화수목금토일]"
EASTERN = rf"(?<=[日일\d])\s*(?:\(?(?:{EASTERN_WEEKDAY})\)?|\({EASTERN_SHORT}\))$"
LEFT_OUT = (BEFORE, BEHIND, YEAR_SIGN, EASTERN)
PERIOD = r"^(?P<first>\S.*?)\s+(?:-|\u2013|\u2014|to|bis)\s+(?P<last>\S.*)$"
DOUBLE_YEAR = r"^(?P<first>[12][0-9]{3})\s?[/\u2013-]\s?(?P<last>[0-9]{2}|[12][0-9]{3})$"
CENTURY = 100


def double_years(texts: Texts) -> tuple[Ints, Mask]:
    """Return the first year of each text such as 2019/20 or 1990-1991, and which texts are of this kind."""
    parts = texts.str.extract(DOUBLE_YEAR)
    first, last = (parts[name].fillna("0").to_numpy().astype(np.int64) for name in ("first", "last"))
    return first, (first > 0) & ((first + 1 - last) % CENTURY == 0)


def without_words(texts: Texts) -> tuple[Texts, tuple[str, ...]]:
    """Return dates without weekdays and the like, and the beginnings of periods with a note on these."""
    some = texts.iloc[:SOME]
    if some.str.contains(OF).any():
        texts = texts.str.replace(OF, " ", regex=True)
    for words in LEFT_OUT:
        if some.str.contains(words).any():
            texts = texts.str.replace(words, "", regex=True)
    if not some.str.match(PERIOD).any():
        return texts, ()
    parts = texts.str.extract(PERIOD)
    first, last = (parts[name].str.replace(r"\d+", "0", regex=True) for name in ("first", "last"))
    is_period = ((first == last) | _ends_on_the_day(first, last)) & first.str.contains("0", na=False)
    if not is_period.any():
        return texts, ()
    example = str(texts[is_period].iloc[0])
    return parts["first"].where(is_period, texts), (f"A time such as {example!r} counts for its beginning.",)


def _ends_on_the_day(first: Texts, last: Texts) -> Mask:
    """Return which periods end with a time of day alone, as 01.01.2023 00:00 - 01:00; digits are all 0."""
    pairs = zip(first.fillna(""), last.fillna(""), strict=True)
    return np.array([":" in end and begin.endswith((f" {end}", f"T{end}")) for begin, end in pairs])
