"""Read dates in any common notation into microseconds since 1970.

ISO 8601 is read first. Otherwise the shape that most texts have picks the candidate formats, and the whole
column decides between day-first and month-first.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from app.errors import BadInput
from app.intake.arrays import Ints, Mask
from app.intake.cells import Cells
from app.intake.time.aliases import Alias
from app.intake.time.frequency import reads_as_regular
from app.intake.time.steps import DAY, MINUTE, SECOND

Texts: TypeAlias = "pd.Series[str]"
Stamps: TypeAlias = "pd.Series[pd.Timestamp]"

LONGEST = 100  # most characters of a date; the cost of the expressions grows with their square

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
ANY_SHAPE = re.compile("|".join(f"({shape})" for shape, _ in SHAPES))  # a text has one of them at most


@dataclass(frozen=True)
class Dates:
    """Distinct dates, all read in one format."""

    ordinals: Ints  # (texts,) microseconds; no meaning where not readable
    readable: Mask  # (texts,)
    date_format: str
    timezone: Literal["UTC"] | None = None
    note: str | None = None

    @property
    def months(self) -> int:
        """Return the months that each text covers: 3 for quarters, 1 for months, 0 where it names the day."""
        if self.date_format == QUARTER_FORMAT:
            return 3
        return 0 if "%d" in self.date_format or self.date_format == "ISO8601" else 1


def read_dates(texts: Texts, requested: Alias | None, previous: str | None = None) -> Dates:
    """Read dates in the format that fits most texts.

    Where day and month could be swapped, `previous` decides, else `requested`.
    """
    texts = _none_longer(texts)
    iso = _tidy_zones(texts)
    if _match(iso, ISO).mean() > 1 / 2:
        return _read_iso(iso)
    if _match(texts, QUARTER).mean() > 1 / 2:
        return _read_quarters(texts)
    dates, clocks = _split(texts)
    shape = int(_count_shapes(dates, np.zeros(len(dates), dtype=np.int64), 1).argmax())
    readings = [_read_format(dates, clocks, date_format) for date_format in SHAPES[shape][1]]
    most = max(int(reading.readable.sum()) for reading in readings)
    return _choose([reading for reading in readings if reading.readable.sum() == most], requested, previous)


def mostly_dates(cells: Cells) -> Mask:
    """Return the columns where most texts are dates, each read in the format that fits most of its texts."""
    cells = replace(cells, texts=_none_longer(cells.texts))
    iso = _tidy_zones(cells.texts)
    is_iso = cells.mostly(_match(iso, ISO))
    is_quarters = ~is_iso & cells.mostly(_match(cells.texts, QUARTER))
    rest = cells.only(~is_iso & ~is_quarters)
    return (is_iso & _mostly_iso(iso, cells)) | is_quarters | _mostly_shaped(rest)


def _mostly_iso(iso: Texts, cells: Cells) -> Mask:
    shaped = _match(iso, ISO)
    aware = shaped & _match(iso, AWARE)
    zoned = cells.count(aware) * 2 > cells.count(shaped)
    read = _iso_stamps(iso.where(shaped)).notna().to_numpy(dtype=np.bool_)
    fit = read[cells.text] & (aware[cells.text] == zoned[cells.column])
    most: Mask = np.bincount(cells.column[fit], minlength=cells.columns) * 2 > cells.count()
    return most


def _mostly_shaped(cells: Cells) -> Mask:
    found = np.zeros(cells.columns, dtype=np.bool_)
    dates, _ = _split(cells.texts)
    shapes = _count_shapes(dates.iloc[cells.text], cells.column, cells.columns).argmax(axis=1)
    for shape in np.unique(shapes[cells.column]):
        alike = cells.only(shapes == shape)
        parts = _split(alike.texts)
        for date_format in SHAPES[shape][1]:
            found |= alike.mostly(_read_format(*parts, date_format).readable)
    return found


def _none_longer(texts: Texts) -> Texts:
    """Return the texts, with those too long for a date emptied."""
    return texts.where(texts.str.len() <= LONGEST, "")


def _match(texts: Texts, shape: str) -> Mask:
    return texts.str.fullmatch(shape).to_numpy(dtype=np.bool_)


def _split(texts: Texts) -> tuple[Texts, Texts]:
    """Return the dates, and the times of day that follow them."""
    parts = texts.str.extract(CLOCK)
    return parts["date"].fillna(""), parts["clock"]


def _count_shapes(dates: Texts, column: Ints, columns: int) -> Ints:
    """Return how many dates of each column have each shape; shape (columns, shapes)."""
    found = (ANY_SHAPE.fullmatch(date) for date in dates)
    shape = np.array([(match.lastindex or 0) - 1 if match else -1 for match in found], dtype=np.int64)
    at = (column * len(SHAPES) + shape)[shape >= 0]
    counts = np.bincount(at, minlength=columns * len(SHAPES)).astype(np.int64)
    return counts.reshape(columns, len(SHAPES))


def _tidy_zones(texts: Texts) -> Texts:
    tidy = texts.str.replace(r"\s*(?:UTC|GMT|z)$", "Z", regex=True)
    return tidy.str.replace(r"(:\d{2}(?:\.\d+)?)\s+(?=[+-]\d{2})", r"\1", regex=True)


def _read_iso(texts: Texts) -> Dates:
    shaped = _match(texts, ISO)
    aware = shaped & _match(texts, AWARE)
    zoned = bool(aware.sum() * 2 > shaped.sum())
    alike = texts.where(shaped & (aware == zoned))  # the others are unreadable beside them
    return Dates(*_ordinals(_iso_stamps(alike)), "ISO8601", "UTC" if zoned else None)


def _iso_stamps(texts: Texts) -> Stamps:
    return pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None)


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
    """Return microseconds after midnight; 0 without a time of day, -1 for an invalid one."""
    parts = clocks.str.extract(CLOCK_PARTS)
    hours, minutes = (parts[i].fillna("0").to_numpy().astype(np.int64) for i in (0, 1))
    seconds = np.rint(parts[2].fillna("0").to_numpy().astype(np.float64) * SECOND).astype(np.int64)
    half = parts[3].str.lower()
    twelve = half.notna().to_numpy(dtype=np.bool_)
    hours_ok = np.where(twelve, (hours >= 1) & (hours <= 12), hours < 24)  # noqa: PLR2004 - a day's hours
    hours = np.where(twelve, hours % 12 + np.where(half == "p", 12, 0), hours)
    fine = hours_ok & (minutes * MINUTE < DAY // 24) & (seconds < MINUTE)
    return np.where(fine, (hours * 60 + minutes) * MINUTE + seconds, -1)


def _choose(readings: list[Dates], requested: Alias | None, previous: str | None) -> Dates:
    first = next((reading for reading in readings if _same_days(reading.date_format, previous)), None)
    if first is not None:
        return first
    first = readings[0]
    if all(_agree(first, other) for other in readings[1:]):
        return first
    regular = [reading for reading in readings if reads_as_regular(_distinct(reading), requested)]
    if len(regular) == 1:
        return _noted(regular[0])
    ways = " and ".join(_in_words(reading.date_format) for reading in readings)
    raise BadInput(
        f"The dates can be read as {ways}, and both make sense. Write them as ISO 8601 (2024-01-31)."
    )


def _same_days(date_format: str, previous: str | None) -> bool:
    return previous is not None and date_format.removesuffix(CLOCK_FORMAT) == previous.removesuffix(
        CLOCK_FORMAT
    )


def _agree(one: Dates, other: Dates) -> bool:
    return np.array_equal(one.ordinals[one.readable], other.ordinals[other.readable])


def _distinct(reading: Dates) -> Ints:
    return np.unique(reading.ordinals[reading.readable])


def _in_words(date_format: str) -> str:
    return f"{'day' if date_format.startswith('%d') else 'month'}-first ({date_format})"


def _noted(reading: Dates) -> Dates:
    note = f"Dates are read {_in_words(reading.date_format)}: only so do they follow a regular step."
    return Dates(reading.ordinals, reading.readable, reading.date_format, reading.timezone, note)
