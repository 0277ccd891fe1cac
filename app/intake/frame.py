"""What an intake hands on: a time axis, the series on it, and the profile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.intake.steps import DAY, SECOND, Ints, Step, step_of
from app.schemas.datasets import Profile

Kind = Literal["datetime", "integer", "year"]
KINDS: dict[str, Kind] = {"datetime": "datetime", "integer": "integer", "year": "year"}


@lru_cache(maxsize=256)
def _step(kind: Kind, frequency: str | int) -> Step:
    return step_of(frequency, years=kind == "year")


@dataclass(frozen=True)
class TimeAxis:
    """How the times of a dataset are counted, stepped and written.

    Times are int64 ordinals: microseconds since 1970-01-01 (UTC when `timezone` says so, else the clock
    time as it was written) for `datetime`; the number itself for `integer` and `year`.
    """

    kind: Kind
    frequency: str | int
    timezone: Literal["UTC"] | None = None

    def __post_init__(self) -> None:
        if (self.kind == "integer") != isinstance(self.frequency, int):
            raise ValueError(f"frequency of a {self.kind} axis cannot be {self.frequency!r}")
        if self.timezone is not None and self.kind != "datetime":
            raise ValueError(f"timezone must be None on a {self.kind} axis, got {self.timezone!r}")
        _step(self.kind, self.frequency)

    @property
    def step(self) -> Step:
        return _step(self.kind, self.frequency)

    @property
    def season_length(self) -> int:
        """Steps in one season; 1 where there is none."""
        return self.step.season_length

    def future(self, last: int, horizon: int) -> Ints:
        """The `horizon` ordinals, shape (horizon,), that follow `last`."""
        steps = np.arange(1, horizon + 1, dtype=np.int64)
        return self.step.shift(np.full(horizon, last, dtype=np.int64), steps)

    def phase(self, ordinals: Ints) -> Ints:
        """Position in the season, 0 to season_length - 1, same shape as `ordinals`."""
        if self.season_length == 1:
            return np.zeros(len(ordinals), dtype=np.int64)
        return self.step.phase(ordinals)

    def format(self, ordinals: Ints) -> list[str | int]:
        """The times as answers show them: ISO 8601 text, or plain numbers."""
        if self.kind != "datetime":
            return [int(ordinal) for ordinal in ordinals]
        dates_only = self.step.whole_days and not np.any(ordinals % DAY)
        unit: Literal["D", "s", "us"] = "D" if dates_only else "us" if np.any(ordinals % SECOND) else "s"
        suffix = "Z" if self.timezone and unit != "D" else ""
        return [f"{text}{suffix}" for text in np.datetime_as_string(ordinals.astype("M8[us]"), unit=unit)]

    def ordinals(self, times: Sequence[str | int]) -> Ints:
        """The ordinals of times that `format` wrote."""
        if self.kind != "datetime":
            return np.array(times, dtype=np.int64)
        return np.array([str(time).removesuffix("Z") for time in times], dtype="M8[us]").astype(np.int64)

    def to_dict(self) -> dict[str, str | int | None]:
        return {"kind": self.kind, "frequency": self.frequency, "timezone": self.timezone}

    @classmethod
    def from_dict(cls, stored: Mapping[str, str | int | None]) -> "TimeAxis":
        """The axis that `to_dict` wrote; ValueError or KeyError when it is not one."""
        frequency = stored["frequency"]
        if frequency is None:
            raise ValueError("frequency must not be null")
        timezone: Literal["UTC"] | None = "UTC" if stored["timezone"] == "UTC" else None
        return cls(KINDS[str(stored["kind"])], frequency, timezone)


def rows_of(offsets: Ints, series: Ints) -> tuple[Ints, Ints]:
    """The rows of some series end to end, and their offsets there."""
    lengths = np.diff(offsets)[series]
    ends = np.cumsum(lengths)
    rows = np.arange(lengths.sum()) + np.repeat(offsets[series] - ends + lengths, lengths)
    return rows, np.append(0, ends)


@dataclass(frozen=True)
class SeriesFrame:
    """Many series on one axis, end to end in flat arrays.

    Series i owns rows offsets[i] to offsets[i + 1] of `ds` and `y`. Each is one unbroken run of steps
    that begins and ends with a value; gaps inside are NaN. An intake sorts them by name.
    """

    axis: TimeAxis
    unique_ids: tuple[str, ...]  # (series,)
    offsets: Ints  # (series + 1,)
    ds: Ints  # (total,)
    y: NDArray[np.float64]  # (total,)

    def run(self, first: int, last: int) -> "SeriesFrame":
        """The series from `first` to before `last`."""
        begin, end = self.offsets[first], self.offsets[last]
        offsets = self.offsets[first : last + 1] - begin
        return SeriesFrame(
            self.axis, self.unique_ids[first:last], offsets, self.ds[begin:end], self.y[begin:end]
        )

    def take(self, series: Ints) -> "SeriesFrame":
        """Some of the series, in the order given."""
        rows, offsets = rows_of(self.offsets, series)
        names = tuple(self.unique_ids[i] for i in series)
        return SeriesFrame(self.axis, names, offsets, self.ds[rows], self.y[rows])

    def join(self, other: "SeriesFrame") -> "SeriesFrame":
        """These series and then others of the same axis."""
        return SeriesFrame(
            self.axis,
            self.unique_ids + other.unique_ids,
            np.append(self.offsets, other.offsets[1:] + self.offsets[-1]),
            np.append(self.ds, other.ds),
            np.append(self.y, other.y),
        )


@dataclass(frozen=True)
class Intake:
    """An upload, read: the series and what the person who sent them should know."""

    frame: SeriesFrame
    profile: Profile
