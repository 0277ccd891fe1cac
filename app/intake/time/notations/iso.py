"""Read ISO 8601, with or without an offset from UTC; local midnights of changing offsets are days."""

import re

import numpy as np
import pandas as pd

from app.intake.arrays import Ints, Mask, Texts
from app.intake.time.notations.cells import Cells
from app.intake.time.steps import DAY, HOUR, MINUTE
from app.intake.time.zones import offset_texts

ISO = "ISO8601"
SHAPE = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d{1,9})?)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?"
AWARE = r".*[T ]\d{2}.*(?:Z|[+-]\d{2}(?::?\d{2})?)"
OFFSET = r"(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?$"
OFFSETS = {"CET": "+01:00", "MEZ": "+01:00", "CEST": "+02:00", "MESZ": "+02:00"}  # others have two meanings
ABBREVIATED = re.compile(rf"(?<=:\d{{2}})\s({'|'.join(OFFSETS)})$")
MIDNIGHT = r"(?<=[T ])24(?=(?::?00){1,2}(?:\.0+)?(?:Z|[+-]\d{2}(?::?\d{2})?)?$)"


def iso_shaped(texts: Texts) -> Mask:
    """Return which texts look like ISO 8601."""
    return _match(_tidy(texts), SHAPE)


def read_iso(texts: Texts, *, in_utc: bool = False) -> tuple[Ints, Mask, str, str | None, tuple[str, ...]]:
    """Return ordinals, which texts are read, the format, the zone and notes.

    The zone is the only offset, or UTC where there are several. Times that are all midnight by their own
    clock are days, without a zone. With `in_utc` it is UTC wherever there are offsets.
    """
    texts = _tidy(texts)
    shaped = _match(texts, SHAPE)
    aware = shaped & _match(texts, AWARE)
    zoned = bool(aware.sum() * 2 > shaped.sum())
    alike = texts.where(shaped & (aware == zoned))  # the others are unreadable beside them
    ends = alike.str.contains(MIDNIGHT, na=False).to_numpy(dtype=np.bool_)
    stamps = _stamps(alike.str.replace(MIDNIGHT, "00", regex=True) if ends.any() else alike)
    readable = stamps.notna().to_numpy(dtype=np.bool_)
    ordinals = stamps.to_numpy().astype("M8[us]").astype(np.int64) + ends * DAY
    if not zoned:
        return ordinals, readable, ISO, None, ()
    offsets = _offsets(alike)
    local, found = ordinals + offsets, np.unique(offsets[readable])
    if in_utc or not found.any():
        return ordinals, readable, ISO, "UTC", ()
    if not np.any(local[readable] % DAY):
        note = "Times are midnight by their own offset from UTC, and are read as days."
        return local, readable, ISO, None, (note,)
    if len(found) == 1:
        return local, readable, ISO, offset_texts(found)[0], ()
    note = (
        "Times with several offsets from UTC are kept in UTC, where no hour is missing or repeated; say"
        " time_zone, such as Europe/Berlin, to keep them in local time."
    )
    return ordinals, readable, ISO, "UTC", (note,)


def mostly_iso(cells: Cells) -> Mask:
    """Return the columns where most texts are ISO 8601, all with or all without an offset."""
    iso = _tidy(cells.texts)
    shaped = _match(iso, SHAPE)
    aware = shaped & _match(iso, AWARE)
    zoned = cells.count(aware) * 2 > cells.count(shaped)
    read = _stamps(iso.where(shaped).str.replace(MIDNIGHT, "00", regex=True)).notna().to_numpy()
    fit = read[cells.text] & (aware[cells.text] == zoned[cells.column])
    most: Mask = np.bincount(cells.column[fit], minlength=cells.columns) * 2 > cells.count()
    return most


def _match(texts: Texts, pattern: str) -> Mask:
    return texts.str.fullmatch(pattern).to_numpy(dtype=np.bool_)


def _tidy(texts: Texts) -> Texts:
    tidy = texts.str.replace(r"\s*(?:UTC|GMT|z)$", "Z", regex=True)
    tidy = tidy.str.replace(ABBREVIATED, lambda found: OFFSETS[found[1]], regex=True)
    return tidy.str.replace(r"(:\d{2}(?:\.\d+)?)\s+(?=[+-]\d{2})", r"\1", regex=True)


def _stamps(texts: Texts) -> "pd.Series[pd.Timestamp]":
    return pd.to_datetime(texts, format=ISO, utc=True, errors="coerce").dt.tz_localize(None)


def _offsets(texts: Texts) -> Ints:
    """Return the offset from UTC of each text, 0 for `Z`; a date's own hyphens stand before a clock."""
    parts = texts.str.extract(r"[T ].*?" + OFFSET, flags=re.ASCII)
    hours, minutes = (parts[name].fillna("0").to_numpy().astype(np.int64) for name in ("hours", "minutes"))
    sign = np.where((parts["sign"] == "-").to_numpy(dtype=np.bool_), -1, 1)
    offsets: Ints = sign * (hours * HOUR + minutes * MINUTE)
    return offsets
