"""The result of reading an upload: series on their time axis, and the profile."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.intake.arrays import Ints
from app.intake.time.axis import TimeAxis
from app.schemas.datasets import Profile


def rows_of(offsets: Ints, series: Ints) -> tuple[Ints, Ints]:
    """Return the row numbers of some series end to end, and the offsets of these series among them."""
    lengths = np.diff(offsets)[series]
    ends = np.cumsum(lengths)
    rows = np.arange(lengths.sum()) + np.repeat(offsets[series] - ends + lengths, lengths)
    return rows, np.append(0, ends)


@dataclass(frozen=True)
class SeriesFrame:
    """Many series on one axis, end to end in flat arrays.

    Series i owns rows offsets[i] to offsets[i + 1] of `ds` and `y`. Each is an unbroken run of steps that
    begins and ends with a value; gaps inside are NaN. The reader sorts series by name.
    """

    axis: TimeAxis
    unique_ids: tuple[str, ...]  # (series,)
    offsets: Ints  # (series + 1,)
    ds: Ints  # (total,)
    y: NDArray[np.float64]  # (total,)

    def with_seasons(self, season_lengths: tuple[int, ...] | None) -> "SeriesFrame":
        """Return the series with seasons of these lengths; as they are for None."""
        return replace(self, axis=self.axis.with_seasons(season_lengths))

    def in_zone_of(self, axis: TimeAxis) -> "SeriesFrame":
        """Return the series with the zone of another axis, where both have one."""
        if not (self.axis.timezone and axis.timezone):
            return self
        ds = self.ds - self.axis.offset + axis.offset
        return replace(self, axis=replace(self.axis, timezone=axis.timezone), ds=ds)

    def run(self, first: int, last: int) -> "SeriesFrame":
        """Return the series from `first` to before `last`."""
        begin, end = self.offsets[first], self.offsets[last]
        offsets = self.offsets[first : last + 1] - begin
        return SeriesFrame(
            self.axis, self.unique_ids[first:last], offsets, self.ds[begin:end], self.y[begin:end]
        )

    def take(self, series: Ints) -> "SeriesFrame":
        """Return some of the series, in the given order."""
        rows, offsets = rows_of(self.offsets, series)
        names = tuple(self.unique_ids[i] for i in series)
        return SeriesFrame(self.axis, names, offsets, self.ds[rows], self.y[rows])

    def join(self, other: "SeriesFrame") -> "SeriesFrame":
        """Return these series followed by others of the same axis."""
        return SeriesFrame(
            self.axis,
            self.unique_ids + other.unique_ids,
            np.append(self.offsets, other.offsets[1:] + self.offsets[-1]),
            np.append(self.ds, other.ds),
            np.append(self.y, other.y),
        )


@dataclass(frozen=True)
class Intake:
    """An upload as it was read: its series, and the profile that the response shows."""

    frame: SeriesFrame
    profile: Profile
