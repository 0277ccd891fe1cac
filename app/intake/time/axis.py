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
from app.intake.time.steps import DAY, HOUR, MINUTE, SECOND, Step
from app.schemas.choices import Seasons

Kind = Literal["datetime", "integer", "year"]
KINDS: dict[str, Kind] = {"datetime": "datetime", "integer": "integer", "year": "year"}

OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2})")
LONGEST_CYCLE = 1_000  # steps; a longer one has too few cycles to tell a closed time by


@lru_cache(maxsize=256)
def _step(kind: Kind, frequency: str | int) -> Step:
    return step_of(frequency, years=kind == "year")


def offset_of(timezone: str | None) -> int:
    """Return the microseconds that a zone is ahead of UTC.

    Raises ValueError unless it is None, "UTC" or an offset such as "+05:30".
    """
    if timezone in {None, "UTC"}:
        return 0
    found = OFFSET.fullmatch(str(timezone))
    if found is None:
        raise ValueError(f"timezone must be None, 'UTC' or an offset such as '+05:30', got {timezone!r}")
    ahead = int(found["hours"]) * HOUR + int(found["minutes"]) * MINUTE
    return -ahead if found["sign"] == "-" else ahead


@dataclass(frozen=True)
class TimeAxis:
    """How the times of a dataset are counted, stepped and written.

    Times are int64 ordinals. For `integer` and `year` they are the numbers themselves. For `datetime` they
    are microseconds since 1970-01-01 in the local time of the data: in UTC if `timezone` is "UTC", at a fixed
    offset from it if that is one, such as "+05:30".
    """

    kind: Kind
    frequency: str | int
    timezone: str | None = None
    season_lengths: tuple[int, ...] | None = None  # as given or found; None: those of the step

    def __post_init__(self) -> None:
        if (self.kind == "integer") != isinstance(self.frequency, int):
            raise ValueError(f"frequency of a {self.kind} axis cannot be {self.frequency!r}")
        if self.timezone is not None and self.kind != "datetime":
            raise ValueError(f"timezone must be None on a {self.kind} axis, got {self.timezone!r}")
        _ = self.offset  # which checks the zone
        _step(self.kind, self.frequency)
        _ = self.seasons  # which checks the lengths

    @property
    def step(self) -> Step:
        return _step(self.kind, self.frequency)

    @property
    def seasons(self) -> Seasons:
        """The seasons that the series may have."""
        given = self.season_lengths
        return Seasons(self.step.season_lengths if given is None else given, self.step.calendar)

    @property
    def offset(self) -> int:
        """The microseconds that its times are ahead of UTC; 0 for UTC and where no zone is known."""
        return offset_of(self.timezone)

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

        A position modulo the length of a regular season is the place in it.
        """
        if not self.seasons.lengths:
            return np.zeros(len(ordinals), dtype=np.int64)
        phase = self.step.phase(ordinals)
        # Numbers may be negative, and have no time that all of them follow.
        return phase if self.kind == "datetime" else phase % lcm(*self.seasons.lengths)

    def with_seasons(self, season_lengths: tuple[int, ...] | None) -> "TimeAxis":
        """Return the axis with seasons of these lengths; the axis itself for None."""
        return self if season_lengths is None else replace(self, season_lengths=season_lengths)

    def format(self, ordinals: Ints) -> list[str | int]:
        """Return the times as responses show them: ISO 8601 text, or numbers."""
        if self.kind != "datetime":
            return [int(ordinal) for ordinal in ordinals]
        dates_only = self.step.whole_days and not np.any(ordinals % DAY)
        unit: Literal["D", "s", "us"] = "D" if dates_only else "us" if np.any(ordinals % SECOND) else "s"
        suffix = {None: "", "UTC": "Z"}.get(self.timezone, self.timezone) if unit != "D" else ""
        return [f"{text}{suffix}" for text in np.datetime_as_string(ordinals.astype("M8[us]"), unit=unit)]

    def ordinals(self, times: Sequence[str | int]) -> Ints:
        """Return the ordinals of times that `format` returned."""
        if self.kind != "datetime":
            return np.array(times, dtype=np.int64)
        bare = [str(time).removesuffix("Z").removesuffix(self.timezone or "Z") for time in times]
        return np.array(bare, dtype="M8[us]").astype(np.int64)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "TimeAxis":
        """Return the axis with these stored fields; raises ValueError or KeyError if they make none."""
        frequency = stored["frequency"]
        if frequency is None:
            raise ValueError("frequency must not be null")
        timezone = stored["timezone"]
        given = stored.get("season_lengths")  # axes of before it could be given lack it
        return cls(KINDS[str(stored["kind"])], frequency, timezone, None if given is None else tuple(given))
