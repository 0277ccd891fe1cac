"""Take numbers out of texts that hold more: amounts of money, percentages, flags, words for ten thousand."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.intake.arrays import Mask, Texts
from app.intake.scales import LETTERS, power_of, scale_shape
from app.intake.time.notations.characters import plain

Kind = Literal["negative", "money", "percent", "scale", "flag", "below"]

SYMBOLS = "".join(chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) == "Sc")
# No code that is also a word (ALL, TOP, CUP), for words stand before numbers in names.
CODES = (
    "AED|AUD|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KRW|MXN"
    "|MYR|NOK|NZD|PHP|PLN|RMB|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR"
)
WORDS = (
    *("R$", "US$", "HK$", "NT$", "A$", "C$", "S$", "Rs.", "Rs", "kr.", "kr", "zł", "Kč", "Ft", "лв.", "лв"),
    *("руб.", "руб", "р.", "TL", "Rp.", "Rp", "lei", "人民币", "元", "圆", "円", "원"),
    "\\",  # the byte of ¥ in Shift-JIS and of ₩ in EUC-KR
)
# Of countries that write a point before decimals: NT$1,000 is a thousand. Others have the $ alone as well.
POINTED = r"(?:US|HK|NT|[ACS])\$|[£₤¥￥₩₹\\]|Rs\.?|元|圆|円|원|人民币|USD|GBP|JPY|CNY|RMB|KRW|TWD|HKD|INR"
EASTERN_SCALE = "[千万萬亿億천만억]"
MONEY = rf"[{re.escape(SYMBOLS)}]|{'|'.join(map(re.escape, WORDS))}|{CODES}"
TWO_SCALES = re.compile(r"(?<![\d.,])(\d+)([亿億억万萬만])\s?(\d+)([万萬만千천])")  # 1億2000万, 1만5천
FOOTNOTE = r"\[\w{1,2}\]|[⁰¹²³⁴-⁹]{1,2}|\*{1,3}|†"
# Of Eurostat: break, confidential, definition differs, estimated, forecast, not significant, provisional, ...
FLAG = "(?!in|bin)(?=[a-z]{1,3}(?![a-z]))b?c?d?e?f?i?n?p?r?s?u?z?"  # several in the order of the alphabet
GLUED = "[bcdefnprsuz]|b[dep]|[de]p|ep"
FLAGGED_NONE = rf":\s*{FLAG}"
BARE = r"[+-]?[\d.,'\u2019 ]*(?:[eE][+-]?\d+)?"
MINUS = "-\u2013\u2014▲△"  # as ledgers in Japanese write
UNIT = r"^(.*[\d.,])\s*([^\W\d_]{1,4}[²³]?(?:/[^\W\d_]{1,3}[²³]?)?|°[A-Z]?)$"  # kWh, m³/s, °C
LEAST_UNITED = 3  # texts with one unit
NO_MONEY = rf"^({MONEY})\s*[-\u2013]$"  # as spreadsheets of accountants show 0
ZERO = r"0+(?:[.,]0*)?"
HALF = 0.5


@dataclass(frozen=True)
class Bare:
    """Texts without what stands around their numbers."""

    texts: Texts  # a number in any notation, or the text as it was
    exponents: Texts  # what scales each: "e4" for ten thousand, else empty
    factors: NDArray[np.float64]  # (texts,) one half for a bound such as <1
    kinds: Mapping[Kind, Mask]  # what was taken off, each (texts,)
    wrong: Mask  # (texts,) of another unit than most
    as_in_names: Mask  # (texts,) with a letter or a mark that names have as well, such as 10K or 5*

    is_pointed: bool = False  # whether money or a scale tells that a point stands before decimals

    @property
    def is_likely(self) -> Mask:
        """Return which may be taken for numbers unasked: 1.2K is one, 10K may be a name."""
        whole = self.texts.str.fullmatch(r"-?\d+").to_numpy(dtype=np.bool_)
        return ~(self.as_in_names & whole)


def bare(texts: Texts) -> Bare:
    """Take off what stands around numbers; in parentheses or before a trailing minus they are negative."""
    texts = plain(texts)
    are_bare = texts.str.fullmatch(BARE)
    if are_bare.all():
        return _with_nothing_around(texts)
    if texts.str.contains("[亿億억万萬만]", regex=True).any():
        texts = texts.str.replace(TWO_SCALES, _in_one_scale, regex=True)
    texts = texts.str.replace(NO_MONEY, r"\1 0", regex=True)
    parts = texts.mask(are_bare).str.extract(_pattern(scale_shape(texts)))
    opened = parts[["open", "opened"]].notna().sum(axis=1)
    parts = parts.where(parts["number"].notna() & (opened == parts["close"].notna()))
    if not are_bare.any():  # a letter behind all numbers is a unit
        parts = parts.where(parts["glued"].isna())
    has = parts.notna()
    signs = has[["close", "sign", "inner", "trailing"]].sum(axis=1)
    number = signs.mod(2).map({0: "", 1: "-"}) + parts["number"].str.rstrip(" ,")
    has_unit = has["before"] | has["behind"]
    units = parts["before"].where(has["before"], parts["behind"]).where(has_unit, "")
    is_percent = has["behind"] & (parts["behind"] == "%")
    kinds: dict[Kind, pd.Series[bool]] = {
        "negative": has["close"] | has["trailing"] | parts["sign"].isin([*"▲△"]),
        "money": has_unit & ~is_percent,
        "percent": is_percent,
        "scale": has["scale"],
        "flag": has["flag"] | has["glued"] | has["footnote"],
        "below": has["below"],
    }
    return Bare(
        number.fillna(texts),
        parts["scale"].map(lambda scale: f"e{power_of(scale)}", na_action="ignore").astype(object).fillna(""),
        np.where(has["below"], HALF, 1.0),
        {kind: mask.to_numpy(dtype=np.bool_) for kind, mask in kinds.items()},
        _of_other_units(units, parts["number"].fillna(texts)) | _scaled_twice(parts),
        (
            parts["scale"].isin(LETTERS)
            | has["glued"]
            | (has["footnote"] & (parts["footnote"].str[:1] != "["))
        ).to_numpy(np.bool_),
        bool(units.str.fullmatch(POINTED).any() or parts["scale"].str.fullmatch(EASTERN_SCALE).any()),
    )


@cache
def _pattern(scale: str) -> str:
    """Return the expression that takes a number apart from what stands around it."""
    return (
        rf"^(?P<open>\()?\s*(?:\+|(?P<sign>[{MINUS}]))?\s*(?P<before>{MONEY})?\s*(?P<opened>\()?"
        rf"(?P<inner>[{MINUS}])?\s*"
        r"(?P<below><)?\s*(?P<number>(?:\d[\d.,'\u2019 ]*|[.,]\d+)(?:[eE][+-]?\d+)?)"
        rf"\s*(?P<scale>{scale})?\s*(?P<behind>%|{MONEY})?\s*(?P<trailing>-)?\s*(?P<close>\))?"
        rf"(?:\s+(?P<flag>{FLAG})|(?<=[\d.,])(?P<glued>{GLUED})|\s?(?P<footnote>{FOOTNOTE}))?$"
    )


def _with_nothing_around(texts: Texts) -> Bare:
    none = np.zeros(len(texts), dtype=np.bool_)
    return Bare(texts, pd.Series("", texts.index, dtype=object), np.ones(len(texts)), {}, none, none)


def without_unit(texts: Texts) -> tuple[Texts, str]:
    """Return texts without the unit that stands behind all of them, and it; empty where none does."""
    parts = texts.str.extract(UNIT)
    units = parts[1].unique()
    if len(texts) < LEAST_UNITED or len(units) != 1 or pd.isna(units[0]):
        return texts, ""
    return parts[0], str(units[0])


def _in_one_scale(found: re.Match[str]) -> str:
    """Return 12000万 for 1億2000万; what is written another way stays."""
    high, of_high, low, of_low = found.groups()
    ratio = 10 ** (power_of(of_high) - power_of(of_low))
    return f"{int(high) * ratio + int(low)}{of_low}" if int(low) < ratio else found[0]


def _scaled_twice(parts: pd.DataFrame) -> Mask:
    """Return which numbers have a power of ten of their own before a word for another."""
    has_power = parts["number"].str.contains("e", case=False, na=False)
    mask: Mask = (parts["scale"].notna() & has_power).to_numpy(dtype=np.bool_)
    return mask


def _of_other_units(units: Texts, numbers: Texts) -> Mask:
    """Return which numbers have another unit than most; of percentages also those without, but for zeros."""
    named = units[units != ""].value_counts()
    if named.empty:
        return np.zeros(len(units), dtype=np.bool_)
    most = str(named.index[0])
    wrong = (units != "") & (units != most)
    if most == "%":
        without = units == ""
        few = ~without if without.sum() > named[most] else without
        wrong |= few & ~numbers.str.fullmatch(ZERO)
    mask: Mask = wrong.to_numpy(dtype=np.bool_)
    return mask
