"""Zones and their changes of the clock: local times as instants, and back.

Times are int64 microseconds since 1970, of the clock on the wall (local) or of UTC (instants).
"""

import difflib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints, Mask
from app.intake.time.steps import HOUR, MINUTE, SECOND, FixedStep, Step

OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2})")
FIRST, AFTER = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
WEEK = timedelta(weeks=1)
CLOSE = 3  # names that an error suggests
MOST = 400  # repeated times: a century of quarters of an hour
# One zone for each way in which clocks are put back.
USUAL = (
    *("Europe/Berlin", "America/New_York", "Europe/London", "Europe/Athens", "Australia/Sydney"),
    *("Pacific/Auckland", "America/Santiago", "America/Sao_Paulo", "Asia/Jerusalem", "Africa/Cairo"),
    *("Asia/Tehran", "Europe/Moscow", "America/Mexico_City", "America/Havana", "Australia/Lord_Howe"),
)


@dataclass(frozen=True)
class Zone:
    """UTC, a fixed offset from it, or a zone of the world; offsets are in whole minutes."""

    name: str
    changes: Ints  # (changes,) instants
    offsets: Ints  # (changes + 1,) microseconds that the clock is ahead of UTC, before and after each
    is_fixed: bool = False

    @property
    def standard(self) -> int:
        """The microseconds that its clock is ahead of UTC in the winter of 2024."""
        halves = np.array(["2024-01-01", "2024-07-01"], dtype="M8[us]").astype(np.int64)
        return int((self.local(halves) - halves).min())

    def local(self, instants: Ints) -> Ints:
        return instants + self.offsets[np.searchsorted(self.changes, instants, side="right")]

    def instants(self, local: Ints) -> Ints:
        """Return the instants of local times: the first where a time comes twice."""
        return local - self.offsets[np.searchsorted(self._begins[0], local, side="right")]

    def second(self, local: Ints) -> Ints:
        """Return the same, but the second where a time comes twice."""
        return local - self.offsets[np.searchsorted(self._begins[1], local, side="right")]

    @cached_property
    def _begins(self) -> tuple[Ints, Ints]:
        """The local times at which each offset begins, where first or second times are meant (PEP 495)."""
        before, after = self.changes + self.offsets[:-1], self.changes + self.offsets[1:]
        return np.maximum(before, after), np.minimum(before, after)


def steps_by_clock(step: Step) -> bool:
    """Return whether a step is longer than an hour, so that in a zone it follows the clock on the wall."""
    return not isinstance(step, FixedStep) or step.size > HOUR


@lru_cache(maxsize=64)
def zone_of(name: str) -> Zone:
    """Return the zone "UTC", of an offset such as "+05:30", or of a name such as "Europe/Berlin".

    Raises ValueError where there is none.
    """
    none = np.empty(0, dtype=np.int64)
    if name == "UTC":
        return Zone(name, none, np.zeros(1, dtype=np.int64), is_fixed=True)
    if found := OFFSET.fullmatch(name):
        ahead = int(found["hours"]) * HOUR + int(found["minutes"]) * MINUTE
        return Zone(name, none, np.array([-ahead if found["sign"] == "-" else ahead]), is_fixed=True)
    if name not in _names():
        raise ValueError(
            f"timezone must be None, 'UTC', an offset such as '+05:30' or a zone's name, got {name!r}"
        )
    changes, offsets = _changes(ZoneInfo(name))
    return Zone(name, np.array(changes, dtype=np.int64), np.array(offsets, dtype=np.int64))


def parse_zone(name: str | None) -> Zone | None:
    """Return the zone that a caller names, in any case; raises BadInput with close names for an unknown."""
    if name is None or not name.strip():
        return None
    known = {each.lower(): each for each in _names()}
    wanted = name.strip().lower().replace(" ", "_")
    if wanted in known:
        return zone_of("UTC" if wanted in {"utc", "etc/utc"} else known[wanted])
    cities = {each.rsplit("/", 1)[-1]: each for each in known}
    city = wanted.rsplit("/", 1)[-1]
    alike = [city] if city in cities else difflib.get_close_matches(city, cities, CLOSE)
    close = [known[cities[each]] for each in alike]
    meant = f" Did you mean {' or '.join(close)}?" if close else ""
    raise BadInput(
        f"time_zone {name[:40]!r} is none of the names of the tz database, such as Europe/Berlin.{meant}",
        [FieldError("#/time_zone", " or ".join(close) or "write it as Europe/Berlin")],
    )


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def _changes(zone: ZoneInfo) -> tuple[list[int], list[int]]:
    """Return when the offset of a zone changes, and each offset in whole minutes; none lasts under a week."""
    moment, offset = FIRST, _offset(zone, FIRST)
    changes, offsets = [], [offset]
    while moment < AFTER:
        following = moment + WEEK
        if (other := _offset(zone, following)) != offset:
            changes.append(_change(zone, moment, following))
            offsets.append(other)
            offset = other
        moment = following
    return changes, offsets


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> int:
    """Return the second between two times at which the offset has become the later one's."""
    low, high = int(before.timestamp()), int(after.timestamp())
    offset = _offset(zone, after)
    while high - low > 1:
        middle = (low + high) // 2
        same = _offset(zone, datetime.fromtimestamp(middle, UTC)) == offset
        low, high = (low, middle) if same else (middle, high)
    return high * SECOND


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    ahead = moment.astimezone(zone).utcoffset() or timedelta()
    return round(ahead / timedelta(minutes=1)) * MINUTE


def repeated(zone: Zone, local: Ints) -> Mask:
    """Return which local times come twice, since clocks are put back over them."""
    twice: Mask = zone.second(local) > zone.instants(local)
    return twice


def skipped(zone: Zone, local: Ints) -> Mask:
    """Return which local times never come, since clocks are put forward over them."""
    never: Mask = zone.second(local) < zone.instants(local)
    return never


def zone_of_repeated(local: Ints) -> str | None:
    """Return a zone in which clocks were put back over all of these local times, or None."""
    if not 0 < len(times := np.unique(local)) <= MOST:
        return None
    return next((name for name in USUAL if repeated(zone_of(name), times).all()), None)


def follows_clock(zone: Zone, local: Ints, step: Step | None) -> bool:
    """Return whether times in a zone are counted by its clock: if their step is longer than an hour.

    Where none is named, it is the most common difference of the local times.
    """
    apart, counts = np.unique(np.diff(np.unique(local)), return_counts=True)
    usual = FixedStep(int(apart[counts.argmax()]) if len(apart) else 0)
    return zone.is_fixed or steps_by_clock(step or usual)


def second_times(zone: Zone, local: Ints, series: Ints) -> Mask:
    """Return which rows, in the order of a file, stand for the second coming of their local time.

    It is the second row of a series at such a time; the first one where the file goes back in time.
    """
    order = np.flatnonzero(repeated(zone, local))
    if len(order) and local[0] > local[-1]:
        order = order[::-1]
    _, code = np.unique(local[order], return_inverse=True)
    _, first = np.unique(series[order] * (len(order) + 1) + code, return_index=True)
    second = np.zeros(len(local), dtype=np.bool_)
    second[np.delete(order, first)] = True
    return second


def offset_texts(ahead: Ints) -> list[str]:
    """Return offsets from UTC in microseconds as texts such as +02:00."""
    minutes = (np.abs(ahead) // MINUTE).tolist()
    signs = np.where(ahead < 0, "-", "+").tolist()
    return [f"{sign}{each // 60:02}:{each % 60:02}" for sign, each in zip(signs, minutes, strict=True)]
