"""Read dates in any common notation into microseconds since 1970.

ISO 8601 is read first. Otherwise the shape that most texts have picks the candidate formats, and the whole
column decides between day-first and month-first.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints, Mask, Texts
from app.intake.time.aliases import Alias
from app.intake.time.frequency import reads_as_regular
from app.intake.time.notations.calendars import common_year
from app.intake.time.notations.cells import Cells
from app.intake.time.notations.doubts import refuse_thirds
from app.intake.time.notations.fields import ordinals_of, read_clocks
from app.intake.time.notations.formats import (
    ANY_SHAPE,
    NAMED,
    SHAPES,
    Notation,
    months_covered,
    notation,
    of_shape,
)
from app.intake.time.notations.iso import ISO, iso_shaped, mostly_iso, read_iso
from app.intake.time.notations.phrases import double_years, without_words

ENOUGH = 10_000  # dates that show the notation of all
LONGEST = 100  # most characters of a date; the cost of the expressions grows with their square
CLOCK = r"^(?P<date>.*?)(?:[T ,]+(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:\s*[AaPp][Mm])?))?$"
FIRST = {"%d": "day", "%m": "month", "%y": "year"}
CLOCK_FORMAT = " %H:%M:%S"


@dataclass(frozen=True)
class Dates:
    """Distinct dates, all read in one format."""

    ordinals: Ints  # (texts,) microseconds; no meaning where not readable
    readable: Mask  # (texts,)
    date_format: str
    timezone: str | None = None  # as in `TimeAxis`
    notes: tuple[str, ...] = ()

    @property
    def months(self) -> int:
        """Return the months that each text covers: 3 for quarters, 1 for months, 0 where it names the day."""
        return months_covered(self.date_format)


@dataclass(frozen=True)
class Hints:
    """What decides how times are read where they leave it open."""

    frequency: Alias | int | None = None  # as it was asked for
    date_format: str | None = None  # as it was asked for
    previous: str | None = None  # the format of earlier rows
    in_utc: bool = False  # whether times with an offset stay in UTC, as earlier rows are

    @property
    def alias(self) -> Alias | None:
        return self.frequency if isinstance(self.frequency, Alias) else None


def read_dates(texts: Texts, hints: Hints) -> Dates:
    """Read dates in the format that was asked for, or that fits most texts.

    Where day and month could be swapped, earlier rows decide, else the frequency, else regular steps. Raises
    BadInput where none does.
    """
    texts = _none_longer(texts)
    if hints.date_format not in {None, ISO}:
        return _read_in_format(texts, str(hints.date_format))
    refuse_thirds(texts)
    texts, notes = without_words(texts)
    dates = _read(texts, hints)
    return replace(dates, notes=(*notes, *dates.notes))


def _read(texts: Texts, hints: Hints) -> Dates:
    if hints.date_format == ISO or iso_shaped(texts).mean() > 1 / 2:
        return Dates(*read_iso(texts, in_utc=hints.in_utc))
    parts = _split(texts)
    some = parts.dates.iloc[:: max(1, len(parts.dates) // ENOUGH)]
    shape = int(_count_shapes(some, np.zeros(len(some), dtype=np.int64), 1).argmax())
    readings = [_read_parts(parts, each) for each in of_shape(shape)]
    months = [each for each in readings if "%V" not in each.date_format]
    if any(each.readable.mean() > 1 / 2 for each in months):
        readings = months  # a 13th month is a mistake, and no week
    most = max(int(reading.readable.sum()) for reading in readings)
    return _choose([reading for reading in readings if reading.readable.sum() == most], hints)


def _read_in_format(texts: Texts, date_format: str) -> Dates:
    """Read dates in a format as the profile or strptime write it; raises BadInput if it is none."""
    name = date_format.strip().removesuffix(CLOCK_FORMAT).replace("%B", "%b")
    try:
        return _read_format(texts, NAMED.get(name) or notation(name))
    except ValueError as error:
        if re.search("%[Yy]", date_format) is None:
            raise _unknown_format(date_format, error) from error
    try:  # it has a directive that only strptime knows, such as %p
        stamps = pd.to_datetime(texts, format=date_format, errors="coerce", utc=True).dt.tz_localize(None)
    except (ValueError, AttributeError) as error:
        raise _unknown_format(date_format, error) from error
    ordinals = stamps.to_numpy().astype("M8[us]").astype(np.int64)
    zone = "UTC" if "%z" in date_format else None
    return Dates(ordinals, stamps.notna().to_numpy(dtype=np.bool_), date_format, zone)


def _unknown_format(date_format: str, error: Exception) -> BadInput:
    detail = f"date_format {date_format[:40]!r} is not known: {error}."
    return BadInput(detail, [FieldError("#/date_format", "write it as for strptime: %d.%m.%Y")])


def mostly_dates(cells: Cells) -> Mask:
    """Return the columns where most texts are dates, each read in the format that fits most of its texts."""
    texts = _none_longer(cells.texts).map(common_year)
    cells = replace(cells, texts=without_words(texts)[0])
    is_iso = cells.mostly(iso_shaped(cells.texts))
    rest = cells.only(~is_iso)
    years = cells.mostly(double_years(cells.texts)[1])
    return (is_iso & mostly_iso(cells)) | _mostly_shaped(rest) | years


def _mostly_shaped(cells: Cells) -> Mask:
    found = np.zeros(cells.columns, dtype=np.bool_)
    parts = _split(cells.texts)
    dates = parts.dates.iloc[parts.date_of[cells.text]]
    shapes = _count_shapes(dates, cells.column, cells.columns).argmax(axis=1)
    for shape in np.unique(shapes[cells.column]):
        alike = cells.only(shapes == shape)
        for each in of_shape(int(shape)):
            found |= alike.mostly(_read_format(alike.texts, each).readable)
    return found


def _none_longer(texts: Texts) -> Texts:
    return texts.where((texts.str.len() <= LONGEST).to_numpy(dtype=np.bool_), "")


@dataclass(frozen=True)
class _Parts:
    """Texts as a date and a time of day, each distinct one once."""

    dates: Texts  # distinct
    date_of: Ints  # (texts,) codes into `dates`
    clocks: Ints  # (texts,) microseconds after midnight, -1 for an invalid time of day
    has_clock: bool


def _split(texts: Texts) -> _Parts:
    """Split dates from times of day; a text without one has none."""
    parts = texts.str.extract(CLOCK)
    date_of, dates = pd.factorize(parts["date"].fillna(""))
    clock_of, clocks = pd.factorize(parts["clock"])
    ordinals = np.append(read_clocks(pd.Series(clocks, dtype="object")), 0)
    return _Parts(pd.Series(dates, dtype="object"), date_of, ordinals[clock_of], len(clocks) > 0)


def _count_shapes(dates: Texts, column: Ints, columns: int) -> Ints:
    """Return how many dates of each column have each shape; shape (columns, shapes)."""
    found = (ANY_SHAPE.fullmatch(date) for date in dates)
    shape = np.array([(match.lastindex or 0) - 1 if match else -1 for match in found], dtype=np.int64)
    at = (column * len(SHAPES) + shape)[shape >= 0]
    counts = np.bincount(at, minlength=columns * len(SHAPES)).astype(np.int64)
    return counts.reshape(columns, len(SHAPES))


def _read_format(texts: Texts, each: Notation) -> Dates:
    if "%H" not in each.date_format:
        return _read_parts(_split(texts), each)
    ordinals, readable = ordinals_of(each.fields(texts))
    return Dates(ordinals, readable, each.date_format)


def _read_parts(parts: _Parts, each: Notation) -> Dates:
    ordinals, readable = ordinals_of(each.fields(parts.dates))
    notes = _century_notes(each, ordinals[readable])
    fits = readable[parts.date_of] & (parts.clocks >= 0)
    whole = each.date_format + CLOCK_FORMAT if parts.has_clock else each.date_format
    return Dates(ordinals[parts.date_of] + parts.clocks, fits, whole, None, notes)


def _century_notes(each: Notation, ordinals: Ints) -> tuple[str, ...]:
    if "%y" not in each.date_format or not len(ordinals):
        return ()
    first, last = (str(end.astype("M8[us]").astype("M8[Y]")) for end in (ordinals.min(), ordinals.max()))
    fiscal = " A fiscal year (FY) is taken for the calendar year." if "FY" in each.date_format else ""
    return (f"Two-digit years are read as {first} to {last}.{fiscal}",)


def _choose(readings: list[Dates], hints: Hints) -> Dates:
    first = next((each for each in readings if _same_days(each.date_format, hints.previous)), None)
    if first is not None:
        return first
    first = readings[0]
    if all(_agree(first, other) for other in readings[1:]):
        return first
    regular = [reading for reading in readings if reads_as_regular(_distinct(reading), hints.alias)]
    if len(regular) == 1:
        return _noted(regular[0])
    if len(readings) == 2 and first in regular and _is_shorter(first, readings[1]):  # noqa: PLR2004 - %y/%m/%d
        return first
    ways = " or ".join(_in_words(reading.date_format) for reading in readings)
    raise BadInput(
        f"The dates can be read as {ways}, and each makes sense. Say which with date_format, or write them as"
        " ISO 8601 (2024-01-31).",
        [FieldError("#/date_format", " or ".join(reading.date_format for reading in readings))],
    )


def _is_shorter(one: Dates, other: Dates) -> bool:
    """Return whether only the other reading may be with the year first, and makes years of days."""
    return other.date_format.startswith("%y") and bool(np.ptp(_distinct(one)) < np.ptp(_distinct(other)))


def _same_days(date_format: str, previous: str | None) -> bool:
    return previous is not None and date_format.removesuffix(CLOCK_FORMAT) == previous.removesuffix(
        CLOCK_FORMAT
    )


def _agree(one: Dates, other: Dates) -> bool:
    return np.array_equal(one.ordinals[one.readable], other.ordinals[other.readable])


def _distinct(reading: Dates) -> Ints:
    return np.unique(reading.ordinals[reading.readable])


def _in_words(date_format: str) -> str:
    return f"{FIRST[date_format[:2]]}-first ({date_format})"


def _noted(reading: Dates) -> Dates:
    note = f"Dates are read {_in_words(reading.date_format)}: only so do they follow a regular step."
    return replace(reading, notes=(*reading.notes, note))
