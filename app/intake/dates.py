"""Dates in any common writing become microseconds since 1970.

ISO 8601 is read first. Otherwise the shape that most texts have picks the candidate formats, and the whole
column decides between day-first and month-first.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from app.errors import BadInput
from app.intake.frequency import reads_as_regular
from app.intake.steps import DAY, MINUTE, SECOND, Alias, Ints, Mask

Texts: TypeAlias = "pd.Series[str]"
Stamps: TypeAlias = "pd.Series[pd.Timestamp]"

ISO = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d{1,9})?)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?"
AWARE = r".*[T ]\d{2}.*(?:Z|[+-]\d{2}(?::?\d{2})?)"
CLOCK = r"^(?P<date>.*?)(?:[T ,]+(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:\s*[AaPp][Mm])?))?$"
CLOCK_PARTS = r"^(\d+):(\d+)(?::(\d+(?:\.\d+)?))?\s*([AaPp])?"
QUARTER = r"(?:(\d{4})[ :/-]?Q([1-4])|Q([1-4])[ :/-]?(\d{4}))"
QUARTER_FORMAT = "%YQ%q"
CLOCK_FORMAT = " %H:%M:%S"

# A shape and the formats it may be in. Where two formats read every text and disagree, the times decide.
SHAPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\d{4}-\d{1,2}-\d{1,2}", ("%Y-%m-%d",)),
    (r"\d{4}/\d{1,2}/\d{1,2}", ("%Y/%m/%d",)),
    (r"\d{4}\.\d{1,2}\.\d{1,2}", ("%Y.%m.%d",)),
    (r"\d{1,2}/\d{1,2}/\d{4}", ("%d/%m/%Y", "%m/%d/%Y")),
    (r"\d{1,2}-\d{1,2}-\d{4}", ("%d-%m-%Y", "%m-%d-%Y")),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", ("%d.%m.%Y",)),
    (r"\d{1,2}/\d{1,2}/\d{2}", ("%d/%m/%y", "%m/%d/%y")),
    (r"\d{1,2}-\d{1,2}-\d{2}", ("%d-%m-%y", "%m-%d-%y")),
    (r"\d{1,2}\.\d{1,2}\.\d{2}", ("%d.%m.%y",)),
    (r"\d{1,2} [A-Za-z]{3,9} \d{4}", ("%d %b %Y", "%d %B %Y")),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", ("%d-%b-%Y",)),
    (r"\d{1,2}-[A-Za-z]{3}-\d{2}", ("%d-%b-%y",)),
    (r"[A-Za-z]{3,9} \d{1,2}, \d{4}", ("%b %d, %Y", "%B %d, %Y")),
    (r"\d{4}-\d{1,2}", ("%Y-%m",)),
    (r"\d{4}/\d{1,2}", ("%Y/%m",)),
    (r"\d{4}M\d{1,2}", ("%YM%m",)),
    (r"\d{1,2}/\d{4}", ("%m/%Y",)),
    (r"\d{1,2}-\d{4}", ("%m-%Y",)),
    (r"[A-Za-z]{3,9} \d{4}", ("%b %Y", "%B %Y")),
    (r"[A-Za-z]{3}-\d{4}", ("%b-%Y",)),
    (r"[A-Za-z]{3}-\d{2}", ("%b-%y",)),
)


@dataclass(frozen=True)
class Dates:
    """Distinct dates, read in one way."""

    ordinals: Ints  # (texts,) microseconds; no meaning where not readable
    readable: Mask  # (texts,)
    date_format: str
    timezone: Literal["UTC"] | None = None
    note: str | None = None

    @property
    def months(self) -> int:
        """Months that each text covers: 3 for quarters, 1 for months, 0 where the day is given."""
        if self.date_format == QUARTER_FORMAT:
            return 3
        return 0 if "%d" in self.date_format or self.date_format == "ISO8601" else 1


def read_dates(texts: Texts, asked: Alias | None, usual: str | None = None) -> Dates:
    """The reading that fits most texts; `usual`, else `asked`, helps where day and month could be swapped."""
    iso = _tidy_zones(texts)
    if iso.str.fullmatch(ISO).mean() > 1 / 2:
        return _read_iso(iso)
    if texts.str.fullmatch(QUARTER).mean() > 1 / 2:
        return _read_quarters(texts)
    parts = texts.str.extract(CLOCK)
    dates: Texts = parts["date"].fillna("")
    formats = max(SHAPES, key=lambda shape: int(dates.str.fullmatch(shape[0]).sum()))[1]
    readings = [_read_format(dates, parts["clock"], date_format) for date_format in formats]
    most = max(int(reading.readable.sum()) for reading in readings)
    return _choose([reading for reading in readings if reading.readable.sum() == most], asked, usual)


def _tidy_zones(texts: Texts) -> Texts:
    tidy = texts.str.replace(r"\s*(?:UTC|GMT|z)$", "Z", regex=True)
    return tidy.str.replace(r"(:\d{2}(?:\.\d+)?)\s+(?=[+-]\d{2})", r"\1", regex=True)


def _read_iso(texts: Texts) -> Dates:
    shaped = texts.str.fullmatch(ISO).to_numpy(dtype=np.bool_)
    aware = shaped & texts.str.fullmatch(AWARE).to_numpy(dtype=np.bool_)
    zoned = bool(aware.sum() * 2 > shaped.sum())
    alike = texts.where(shaped & (aware == zoned))  # the others are unreadable beside them
    stamps = pd.to_datetime(alike, format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None)
    return Dates(*_ordinals(stamps), "ISO8601", "UTC" if zoned else None)


def _ordinals(stamps: Stamps) -> tuple[Ints, Mask]:
    return stamps.to_numpy().astype("M8[us]").astype(np.int64), stamps.notna().to_numpy(dtype=np.bool_)


def _read_quarters(texts: Texts) -> Dates:
    parts = texts.str.extract(f"^{QUARTER}$")
    readable = parts.notna().any(axis=1).to_numpy(dtype=np.bool_)
    years = parts[0].fillna(parts[3]).fillna("1970").to_numpy().astype(np.int64)
    quarters = parts[1].fillna(parts[2]).fillna("1").to_numpy().astype(np.int64)
    months = (years - 1970) * 12 + (quarters - 1) * 3
    return Dates(months.astype("M8[M]").astype("M8[us]").astype(np.int64), readable, QUARTER_FORMAT)


def _read_format(dates: Texts, clocks: Texts, date_format: str) -> Dates:
    stamps = pd.to_datetime(dates, format=date_format, errors="coerce")
    ordinals, readable = _ordinals(stamps)
    if clocks.notna().any():
        clock = _clock_time(clocks)
        return Dates(ordinals + clock, readable & (clock >= 0), date_format + CLOCK_FORMAT)
    return Dates(ordinals, readable, date_format)


def _clock_time(clocks: Texts) -> Ints:
    """Microseconds after midnight; 0 where no time of day is written, -1 where it is none."""
    parts = clocks.str.extract(CLOCK_PARTS)
    hours, minutes = (parts[i].fillna("0").to_numpy().astype(np.int64) for i in (0, 1))
    seconds = np.rint(parts[2].fillna("0").to_numpy().astype(np.float64) * SECOND).astype(np.int64)
    half = parts[3].str.lower()
    twelve = half.notna().to_numpy(dtype=np.bool_)
    hours_ok = np.where(twelve, (hours >= 1) & (hours <= 12), hours < 24)  # noqa: PLR2004 - a day's hours
    hours = np.where(twelve, hours % 12 + np.where(half == "p", 12, 0), hours)
    fine = hours_ok & (minutes * MINUTE < DAY // 24) & (seconds < MINUTE)
    return np.where(fine, (hours * 60 + minutes) * MINUTE + seconds, -1)


def _choose(readings: list[Dates], asked: Alias | None, usual: str | None) -> Dates:
    first = next((reading for reading in readings if _same_days(reading.date_format, usual)), None)
    if first is not None:
        return first
    first = readings[0]
    if all(_agree(first, other) for other in readings[1:]):
        return first
    regular = [reading for reading in readings if reads_as_regular(_distinct(reading), asked)]
    if len(regular) == 1:
        return _noted(regular[0])
    ways = " and ".join(_in_words(reading.date_format) for reading in readings)
    raise BadInput(
        f"The dates can be read as {ways}, and both make sense. Write them as ISO 8601 (2024-01-31)."
    )


def _same_days(date_format: str, usual: str | None) -> bool:
    return usual is not None and date_format.removesuffix(CLOCK_FORMAT) == usual.removesuffix(CLOCK_FORMAT)


def _agree(one: Dates, other: Dates) -> bool:
    return np.array_equal(one.ordinals[one.readable], other.ordinals[other.readable])


def _distinct(reading: Dates) -> Ints:
    return np.unique(reading.ordinals[reading.readable])


def _in_words(date_format: str) -> str:
    return f"{'day' if date_format.startswith('%d') else 'month'}-first ({date_format})"


def _noted(reading: Dates) -> Dates:
    note = f"Dates are read {_in_words(reading.date_format)}: only so do they follow a regular step."
    return Dates(reading.ordinals, reading.readable, reading.date_format, reading.timezone, note)
