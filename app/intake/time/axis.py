"""The time axis of a dataset: how its times are counted, stepped and written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import lcm
from typing import Any, Literal

import numpy as np

from app.intake.arrays import Ints
from app.intake.time.aliases import step_of
from app.intake.time.steps import DAY, SECOND, Step, steps_between
from app.intake.time.zones import Zone, offset_texts, steps_by_clock, zone_of
from app.schemas.choices import Seasons

Kind = Literal["datetime", "integer", "year"]
KINDS: dict[str, Kind] = {"datetime": "datetime", "integer": "integer", "year": "year"}

UNNAMED = "step"
NAMES = {"D": "day", "B": "business day", "W": "week", "h": "hour", "min": "minute", "s": "second"} | {
    alias: name
    for family, name in (("M", "month"), ("Q", "quarter"), ("Y", "year"))
    for alias in (f"{family}S", f"{family}E", f"B{family}S", f"B{family}E")
}

PERIOD = re.compile(
    r"(?P<local>[0-9]{4}(-[0-9]{2}(-[0-9]{2}([T ][0-9]{2}(:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?)?)?)?)?)"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?"
)
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
ENDING = re.compile(r"(?P<local>.*[T ].*?)(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?")
LONGEST_CYCLE = 1_000  # steps; a longer one has too few cycles to tell a closed time by


@lru_cache(maxsize=256)
def _step(kind: Kind, frequency: str | int) -> Step:
    return step_of(frequency, years=kind == "year")


@dataclass(frozen=True)
class TimeAxis:
    """How the times of a dataset are counted, stepped and written.

    Times are int64 ordinals. For `integer` and `year` they are the numbers themselves. For `datetime` they
    are microseconds since 1970-01-01 in the local time of the data: in UTC if `timezone` is "UTC", at a fixed
    offset from it if that is one, such as "+05:30". In a zone such as "Europe/Berlin" steps of an hour or
    less are counted in UTC, where no hour is missing or repeated, and longer ones by the clock on the wall.
    """

    kind: Kind
    frequency: str | int
    timezone: str | None = None
    season_lengths: tuple[int, ...] | None = None  # as given or found; None: those of the step
    by_period: bool = False  # a row on any day or at any time of a step counts for its beginning

    def __post_init__(self) -> None:
        if (self.kind == "integer") != isinstance(self.frequency, int):
            raise ValueError(f"frequency of a {self.kind} axis cannot be {self.frequency!r}")
        if self.timezone is not None and self.kind != "datetime":
            raise ValueError(f"timezone must be None on a {self.kind} axis, got {self.timezone!r}")
        _ = self.zone  # which checks its name
        _step(self.kind, self.frequency)
        _ = self.seasons  # which checks the lengths

    @property
    def step(self) -> Step:
        return _step(self.kind, self.frequency)

    @property
    def step_name(self) -> str:
        """What a step is called, such as `month`; `step` where no word says it, as for `15min`."""
        name, *anchors = str(self.frequency).split("-")
        return NAMES.get(name, UNNAMED) if len(anchors) <= 1 else UNNAMED

    @property
    def seasons(self) -> Seasons:
        """The seasons that the series may have."""
        given = self.season_lengths
        return Seasons(self.step.season_lengths if given is None else given, self.step.calendar)

    @property
    def zone(self) -> Zone | None:
        """The zone of its times; None where none is known. Raises ValueError for an unknown one."""
        return None if self.timezone is None else zone_of(str(self.timezone))

    @property
    def counts_instants(self) -> bool:
        """Whether ordinals are times of UTC that are written as local ones."""
        return self.zone is not None and not self.zone.is_fixed and not steps_by_clock(self.step)

    def of_instants(self, instants: Ints) -> Ints:
        """Return the ordinals of times of UTC, which they are where no zone is known."""
        return instants if self.zone is None or self.counts_instants else self.zone.local(instants)

    def instants(self, ordinals: Ints) -> Ints:
        """Return the times of UTC of ordinals."""
        return ordinals if self.zone is None or self.counts_instants else self.zone.instants(ordinals)

    def local(self, ordinals: Ints) -> Ints:
        """Return the times on the clock of the data."""
        return self.zone.local(ordinals) if self.zone and self.counts_instants else ordinals

    @property
    def is_without_candidates(self) -> bool:
        """Whether seasons have to be looked for: none are given, found before or suggested by the step."""
        return self.season_lengths is None and not self.step.season_lengths

    @property
    def season_length(self) -> int:
        """The steps in the shortest season; 1 if there is none."""
        return self.seasons.shortest

    @property
    def cycles(self) -> tuple[int, ...]:
        """The lengths in steps of whatever may have closed times: regular seasons of at most 1,000 steps."""
        of_step = Seasons(self.step.season_lengths, self.step.calendar)
        lengths = {*of_step.regular, *self.seasons.regular}
        return tuple(sorted(length for length in lengths if length <= LONGEST_CYCLE))

    def future(self, last: int, horizon: int) -> Ints:
        """Return the ordinals that follow `last`, shape (horizon,)."""
        steps = np.arange(1, horizon + 1, dtype=np.int64)
        return self.step.shift(np.full(horizon, last, dtype=np.int64), steps)

    def phase(self, ordinals: Ints) -> Ints:
        """Return positions: the steps since a fixed time, in the shape of `ordinals`; 0 without a season.

        A position modulo the length of a regular season is the place in it; by the clock of winter, since
        positions rise by 1 with each step.
        """
        if not self.seasons.lengths:
            return np.zeros(len(ordinals), dtype=np.int64)
        ahead = self.zone.standard if self.zone and self.counts_instants else 0
        phase = self.step.phase(ordinals + ahead)
        # Numbers may be negative, and have no time that all of them follow.
        return phase if self.kind == "datetime" else phase % lcm(*self.seasons.lengths)

    def with_seasons(self, season_lengths: tuple[int, ...] | None) -> "TimeAxis":
        """Return the axis with seasons of these lengths; the axis itself for None."""
        return self if season_lengths is None else replace(self, season_lengths=season_lengths)

    def format(self, ordinals: Ints) -> list[str | int]:
        """Return the times as responses show them: ISO 8601 text, or numbers."""
        if self.kind != "datetime":
            return [int(ordinal) for ordinal in ordinals]
        local = self.local(ordinals)
        dates_only = self.step.whole_days and not np.any(local % DAY)
        unit: Literal["D", "s", "us"] = "D" if dates_only else "us" if np.any(local % SECOND) else "s"
        texts = np.datetime_as_string(local.astype("M8[us]"), unit=unit)
        if dates_only or self.zone is None:
            return [str(text) for text in texts]
        if self.zone.is_fixed:
            suffix = "Z" if self.timezone == "UTC" else self.timezone
            return [f"{text}{suffix}" for text in texts]
        ahead = offset_texts(local - self.instants(ordinals))
        return [f"{text}{offset}" for text, offset in zip(texts, ahead, strict=True)]

    def ordinals(self, times: Sequence[str | int]) -> Ints:
        """Return the ordinals of times that `format` returned."""
        if self.kind != "datetime":
            return np.array(times, dtype=np.int64)
        parts = [ENDING.fullmatch(str(time)) for time in times]
        bare = [found["local"] if found else time for found, time in zip(parts, times, strict=True)]
        local = np.array(bare, dtype="M8[us]").astype(np.int64)
        if not self.counts_instants:
            return local
        zones = [zone_of(found["zone"] if found and found["zone"] else "UTC") for found in parts]
        return local - np.array([zone.standard for zone in zones], dtype=np.int64)

    def last_of(self, period: str) -> int:
        """Return the ordinal of the last moment of a year, month, day or time (ISO 8601), or of a number.

        Raises ValueError for a text that is none.
        """
        if self.kind != "datetime":
            if not WHOLE_NUMBER.fullmatch(period):
                raise ValueError("Times of this dataset are whole numbers: give one.")
            return int(period)
        found = PERIOD.fullmatch(period)
        if found is None:
            raise ValueError("Give a year, a month, a day or a time in ISO 8601, such as 2025-12.")
        following = np.datetime64(found["local"]) + 1  # raises ValueError for a month 13
        last = following.astype("M8[us]").astype(np.int64).reshape(1) - 1
        if found["zone"]:
            zone = zone_of(found["zone"].replace("Z", "UTC"))
            return int(self.of_instants(zone.instants(last))[0])
        return int((self.zone.instants(last) if self.zone and self.counts_instants else last)[0])

    def steps_until(self, ends: Ints, last: int) -> Ints:
        """Return how many steps follow each of `ends` up to and with the ordinal `last`; none below 0."""
        steps = steps_between(self.step, ends, np.full(len(ends), last, dtype=np.int64))
        return np.maximum(steps - (self.step.shift(ends, steps) > last), 0)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "TimeAxis":
        """Return the axis with these stored fields; raises ValueError or KeyError if they make none."""
        frequency = stored["frequency"]
        if frequency is None:
            raise ValueError("frequency must not be null")
        timezone = stored["timezone"]
        given = stored.get("season_lengths")  # older axes lack it, and `by_period`
        lengths = None if given is None else tuple(given)
        return cls(KINDS[str(stored["kind"])], frequency, timezone, lengths, bool(stored.get("by_period")))
