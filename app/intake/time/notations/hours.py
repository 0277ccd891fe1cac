"""Hours of a day in words: ranges such as `00 - 01`, whose beginning counts, `H01`, `12 AM`."""

import re

from app.intake.time.notations.characters import SPACES

AN_HOUR = re.compile(r"\d{1,2}")
ONE = r"(\d{1,2}(?::\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?)\s*([AaPp][Mm])?"
RANGE = re.compile(rf"{ONE}\s*(?:-|\u2013|\u2014|to|bis|until)\s*{ONE}")
HALF = re.compile(r"(\d{1,2})\s*([AaPp][Mm])")
LETTERED = re.compile(r"(?:h|he|hr|hour|stunde)\s?_?(\d{1,2})", re.IGNORECASE)
WORDS = re.compile("|".join(f"(?:{each.pattern})" for each in (LETTERED, HALF, RANGE)), re.IGNORECASE)
HOURS = 24
_SPACES = str.maketrans(dict.fromkeys(SPACES, " "))


def clock_text(text: str) -> str | None:
    """Return the time of day that an hour in words begins with, such as 01:00; None for any other text."""
    text = text.translate(_SPACES).strip()
    if found := LETTERED.fullmatch(text):
        return f"{int(found[1]):02}:00" if int(found[1]) <= HOURS else None
    if found := HALF.fullmatch(text):
        return f"{found[1]}:00 {found[2]}"
    if (found := RANGE.fullmatch(text)) is None:
        return None
    first, half, last, other = found.groups()
    if AN_HOUR.fullmatch(first) and (int(first) > HOURS or not _follows(int(first), last, half or other)):
        return None
    begin = f"{first}:00" if AN_HOUR.fullmatch(first) else first
    return f"{begin} {half or other}" if half or other else begin


def is_range(text: str) -> bool:
    """Return whether a text holds two times of day."""
    return RANGE.fullmatch(text.translate(_SPACES).strip()) is not None


def _follows(hour: int, last: str, half: str | None) -> bool:
    """Return whether a range of bare numbers ends with the next hour."""
    around = HOURS // 2 if half else HOURS
    return AN_HOUR.fullmatch(last) is not None and (int(last) - hour - 1) % around == 0
