"""Words around dates: the weekday, "week of", and the end of a period, whose beginning counts."""

import re
from email.utils import parsedate_to_datetime

import numpy as np

from app.intake.arrays import Ints, Mask, Texts
from app.intake.time.notations.eras import short_years
from app.intake.time.notations.quarters import PATTERN as QUARTERS
from app.intake.time.notations.quarters import with_letter

SOME = 100  # texts that show whether words are there at all
WEEKDAY = (
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?|(?:mon|diens|donners|frei|sams|sonn)tag"
    r"|mittwoch|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche"
)
BEFORE = rf"(?i)^(?:week (?:of|beginning|commencing|starting)|w/c|(?:{WEEKDAY})[.,]?)\s+(?=\S*\d|\w+\.? \d)"
BEHIND = rf"(?i)(?<=\d)\s*,?\s+\(?(?:{WEEKDAY})\.?\)?$"
OF = r"(?i)(?<=\S)\s+del?\s+(?=\w)"  # as in Spanish
YEAR_SIGN = r"(?<=\d{4})\s?(?:г\.?|года?|р\.|yılı)$"
ORDINAL = r"(?i)(?<=\d)(?:st|nd|rd|th)(?=[\s,]|$)"
AS_FORMULA = r'^="(.*)"$'  # as programs write it for spreadsheets that turn texts into something else
OF_MESSAGES = r"^[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (?:GMT|[+-]\d{4})$"
EASTERN_WEEKDAY = r"星期[一二三四五六日天]|周[一二三四五六日]|[月火水木金土日]曜日|[월화수목금토일]요일"
EASTERN_SHORT = r"[月火水木金土日一二三四五六월화수목금토일]"
EASTERN = rf"(?<=[日일\d])\s*(?:\(?(?:{EASTERN_WEEKDAY})\)?|\({EASTERN_SHORT}\))$"
LEFT_OUT = (BEFORE, BEHIND, ORDINAL, YEAR_SIGN, EASTERN)
HALVES = {
    "AM": "오전|上午|午前|öö|a[.]?\\s?m[.]|π[.]?μ[.]?|ص",
    "PM": "오후|下午|午後|ös|p[.]?\\s?m[.]|μ[.]?μ[.]?|م",
}
HOUR_SIGN = re.compile(r"(?:(?<=[日일])|(?<=\d)\s)\s*(\d{1,2})[時时시点](?:\s?(\d{1,2})[分분])?$")
TEN_DAYS = {"上旬": "1日", "中旬": "11日", "下旬": "21日"}
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
    if some.str.match(AS_FORMULA).any():
        texts = texts.str.replace(AS_FORMULA, r"\1", regex=True)
        some = texts.iloc[:SOME]
    if some.str.match(OF_MESSAGES).any():
        texts = texts.map(lambda text: _of_message(text) if re.match(OF_MESSAGES, text) else text)
    if some.str.contains(OF).any():
        texts = texts.str.replace(OF, " ", regex=True)
    for words in LEFT_OUT:
        if some.str.contains(words).any():
            texts = texts.str.replace(words, "", regex=True)
    texts, notes = short_years(_in_signs(texts, some))
    some = texts.iloc[:SOME]
    if not some.str.match(PERIOD).any():
        return texts, notes
    parts = texts.str.extract(PERIOD)
    first, last = (parts[name].str.replace(r"\d+", "0", regex=True) for name in ("first", "last"))
    is_period = ((first == last) | _ends_on_the_day(first, last)) & first.str.contains("0", na=False)
    if not is_period.any():
        return texts, notes
    example = str(texts[is_period].iloc[0])
    note = f"A time such as {example!r} counts for its beginning."
    return parts["first"].where(is_period, texts), (*notes, note)


def _of_message(text: str) -> str:
    """Return a time as mail and web servers write it (RFC 5322) in ISO 8601; the text where there is none."""
    try:
        return parsedate_to_datetime(text).isoformat(" ")
    except ValueError:
        return text


def _in_signs(texts: Texts, some: Texts) -> Texts:
    """Return texts with quarters as Q1, halves of a day as AM and PM, hours and ten days as numbers."""
    if any(map(QUARTERS.search, some)):
        texts = with_letter(texts)
    for half, words in HALVES.items():
        if some.str.contains(rf"(?i)(?:{words})").any():
            clock = r"\d{1,2}(?::\d{2}){1,2}"
            texts = texts.str.replace(rf"(?i)(?:{words})\s*({clock})$", rf"\1 {half}", regex=True)
            texts = texts.str.replace(rf"(?i)({clock})\s*(?:{words})$", rf"\1 {half}", regex=True)
    if any(map(HOUR_SIGN.search, some)):
        texts = texts.str.replace(HOUR_SIGN, lambda found: f" {found[1]}:{found[2] or 0:0>2}", regex=True)
    if some.str.contains("[上中下]旬$").any():
        for words, day in TEN_DAYS.items():
            texts = texts.str.replace(words, day, regex=False)
    return texts


def _ends_on_the_day(first: Texts, last: Texts) -> Mask:
    """Return which periods end with a time of day alone, as 01.01.2023 00:00 - 01:00; digits are all 0."""
    pairs = zip(first.fillna(""), last.fillna(""), strict=True)
    return np.array([":" in end and begin.endswith((f" {end}", f"T{end}")) for begin, end in pairs])
