"""Years as calendars of Japan and Taiwan count them, and words for a year, as years that all share."""

import re
import unicodedata

from app.intake.arrays import Texts

# The year before the first of each era.
ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018, "民國": 1911, "民国": 1911}
LETTERS = {"S": 1925, "H": 1988, "R": 2018}  # as in R2.4
MINGUO = 1911
SIGNS = "年년"
COUNTED = re.compile(rf"({'|'.join(ERAS)})\s?(元|\d{{1,3}})(?=\s?年)")
OF_TAIWAN = re.compile(r"(?<!\d)(\d{3})(?=\s?年)")
SUFFIX = re.compile(r"(?<=\d)\s?(?:年[度次]|년도)")  # a business year counts as the one it begins in
LETTERED = r"([SHR])(\d{1,2})[.](0?[1-9]|1[0-2])(?:[.](0?[1-9]|[12]\d|3[01]))?$"
OF_THREE_DIGITS = r"(0?[89]\d|1[0-4]\d)/(?=(?:0[1-9]|1[0-2])(?:/(?:0[1-9]|[12]\d|3[01]))?$)"


def common_years(texts: Texts) -> Texts:
    """Return texts with years such as 令和2年, 民國109年 and 2020年度 as 2020年."""
    if not texts.str.contains(f"[{SIGNS}]", regex=True).any():
        return texts
    normal = texts.map(
        lambda text: unicodedata.normalize("NFKC", text) if "\u337b" <= text[:1] <= "\u32ff" else text
    )
    counted = normal.str.replace(COUNTED, _common, regex=True)
    years = counted.str.replace(OF_TAIWAN, lambda found: str(int(found[1]) + MINGUO), regex=True)
    return years.str.replace(SUFFIX, lambda found: found[0].strip()[0], regex=True)


def short_years(texts: Texts) -> tuple[Texts, tuple[str, ...]]:
    """Return dates such as R2.4 and 109/04/01 with years that all share, and a note on these."""
    notes = []
    for pattern, common in ((LETTERED, _lettered), (OF_THREE_DIGITS, _of_three_digits)):
        are_short = texts.str.match(pattern)
        if are_short.any():
            example, texts = (
                str(texts[are_short].iloc[0]),
                texts.str.replace(f"^{pattern}", common, regex=True),
            )
            notes.append(f"Times such as {example!r} are read as {texts[are_short].iloc[0]}.")
    return texts, tuple(notes)


def _common(found: re.Match[str]) -> str:
    return str(ERAS[found[1]] + (1 if found[2] == "元" else int(found[2])))


def _lettered(found: re.Match[str]) -> str:
    return "-".join(filter(None, (str(LETTERS[found[1]] + int(found[2])), found[3], found[4])))


def _of_three_digits(found: re.Match[str]) -> str:
    return f"{MINGUO + int(found[1])}/"
