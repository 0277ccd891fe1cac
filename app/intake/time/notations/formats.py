"""The notations of dates as one table of formats, and the fields that a text in one of them holds.

A format is written as for strptime, with `%q` for a quarter, `%V` for an ISO week (`%G` its year) and `%b`
for a month's name in any language known. `~` in the table is a separator that may be left out.
"""

import re
from dataclasses import dataclass
from functools import cache

import pandas as pd

from app.intake.arrays import Texts

# In many scripts vowels are signs of their own, which are no letters; some Arabic names are two words.
MONTH_NAME = r"(?P<name>[^\W\d_][^\s\d_.,:;/'+()-]{1,14}(?: [\u0600-\u06ff]{2,9})?\.?)"
FIELDS = {
    "Y": r"(?P<year>[0-9]{4})",
    "G": r"(?P<year>[0-9]{4})",
    "y": r"(?P<short_year>[0-9]{2})",
    "m": r"(?P<month>[0-9]{1,2})",
    "b": MONTH_NAME,
    "B": MONTH_NAME,
    "d": r"(?P<day>[0-9]{1,2})",
    "j": r"(?P<day_of_year>[0-9]{1,3})",
    "q": r"(?P<quarter>[1-4])",
    "V": r"(?P<week>[0-9]{1,2})",
    "W": r"(?P<week>[0-9]{1,2})",
    "u": r"(?P<weekday>[1-7])",
    "H": r"(?P<hour>[0-9]{1,2})",
    "M": r"(?P<minute>[0-9]{1,2})",
    "S": r"(?P<second>[0-9]{1,2})",
}
NARROW = {  # fields of digits that stand side by side
    "year": "(?:1[6-9]|2[0-2])[0-9]{2}",
    "month": "0[1-9]|1[0-2]",
    "day": "0[1-9]|[12][0-9]|3[01]",
    "day_of_year": "[0-2][0-9]{2}|3[0-5][0-9]|36[0-6]",
    "quarter": "[1-4]",
    "week": "0[1-9]|[1-4][0-9]|5[0-3]",
    "hour": "[01][0-9]|2[0-4]",
    "minute": "[0-5][0-9]",
    "second": "[0-5][0-9]",
}
SEPARATOR = "[ :/.'_-]{0,2}"

# Where two formats have one shape and read every text, and disagree, the times decide between them.
FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y"),
    *("%d %b %Y", "%d. %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%d-%b-%y", "%d %b %y", "%b %d, %Y", "%b %d %Y"),
    *("%Y-%m", "%Y/%m", "%YM%m", "%m/%Y", "%m-%Y", "%m.%Y"),
    *("%V/%G", "%V-%G", "%V.%G"),  # where most are no months
    *("%b %Y", "%b-%Y", "%b/%Y", "%b-%y", "%b %y", "%b/%y", "%b '%y", "%b'%y", "%Y-%b", "%Y %b", "%y-%b"),
    *("%b.%Y", "%b.%y", "%Y. %b", "%Y. %b %d.", "%Y年~%b", "%Y. %m"),
    *("%G~W%V", "%G~W%V-%u", "W%V~%G", "%G~KW%V", "KW~%V~%G"),
    *("CW~%V~%G", "%G~CW%V", "CW~%V/%y", "KW~%V/%y", "W~%V/%y"),
    *("%Y~Q%q", "Q%q~%Y", "Q%q~%y", "%qQ~%Y", "%qQ~%y"),
    *("%Y年~%m月~%d日", "%Y年~%m月", "%y年~%m月~%d日", "%y年~%m月"),
    *("%Y年~Q%q", "%Y년~Q%q", "%G年~第%V周", "%G年~第%V週"),
    *("%Y년~%m월~%d일", "%Y년~%m월", "%Y.~%m.~%d.", "%G년~%V주"),
    *("Q%q~FY%y", "Q%q~FY%Y", "FY%y~Q%q", "FY%Y~Q%q", "%qQ~FY%y", "%qQ~FY%Y"),
)
YEAR_FIRST = {"%m/%d/%y": "%y/%m/%d", "%m-%d-%y": "%y-%m-%d"}
# Of digits alone, by their number; those of one length in order of preference.
PACKED = ("%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d%H", "%Y%m%d", "%Y%j", "%Y%m", "%G%V", "%Y%q")


@dataclass(frozen=True)
class Notation:
    """A format as the profile names it, and the expression that takes a text apart into its fields."""

    date_format: str
    pattern: str

    @property
    def shape(self) -> str:
        """The expression without its fields: formats of one shape cannot be told apart by it."""
        return re.sub(r"\?P<\w+>", "?:", self.pattern)

    @property
    def months(self) -> int:
        """The months that a text covers: 3 for quarters, 1 for months, 0 where it names a day or a week."""
        return months_covered(self.date_format)

    def fields(self, texts: Texts) -> pd.DataFrame:
        """Return the fields of each text, a column each; NaN where the text is not in this notation."""
        return texts.str.extract(f"^{self.pattern}$", flags=re.IGNORECASE)


def months_covered(date_format: str) -> int:
    """Return the months that a text in this format covers: 3, 1, or 0 where it names a day or a week."""
    if "%q" in date_format:
        return 3
    return int(any(part in date_format for part in ("%m", "%b", "%B")) and "%d" not in date_format)


@cache
def notation(template: str) -> Notation:
    """Return the notation of a format; raises ValueError for an unknown or repeated directive, or no year."""
    packed = re.fullmatch(r"(?:%[A-Za-z])+", template) is not None
    parts = re.split(r"(%.|~)", template)
    pattern = "".join(_expression(part, packed=packed) for part in parts)
    names = re.findall(r"\?P<(\w+)>", pattern)
    if not {"year", "short_year"}.intersection(names) or len(set(names)) < len(names):
        raise ValueError("it names no year, or a part of the date twice")
    return Notation(template.replace("~", ""), pattern)


def _expression(part: str, *, packed: bool) -> str:
    if part == "~":
        return SEPARATOR
    if not part.startswith("%"):
        return re.escape(part)
    if part[1:] not in FIELDS:
        raise ValueError(f"{part!r} is none of {', '.join(f'%{name}' for name in FIELDS)}")
    field = FIELDS[part[1:]]
    name = field[4 : field.index(">")]
    return f"(?P<{name}>{NARROW[name]})" if packed and name in NARROW else field


NOTATIONS = tuple(notation(template) for template in FORMATS)
NAMED = {each.date_format: each for each in NOTATIONS}
SHAPES = tuple(dict.fromkeys(each.shape for each in NOTATIONS))
ANY_SHAPE = re.compile("|".join(f"({shape})" for shape in SHAPES), re.IGNORECASE)


def of_shape(shape: int) -> list[Notation]:
    """Return the notations of one of the `SHAPES`, those with the year first beside those with it last."""
    found = [each for each in NOTATIONS if each.shape == SHAPES[shape]]
    return [
        *found,
        *(notation(YEAR_FIRST[each.date_format]) for each in found if each.date_format in YEAR_FIRST),
    ]
