"""The result of reading an upload: series on their time axis, and the profile."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.intake.arrays import Ints, rows_of
from app.intake.covariates import Covariate, Covariates
from app.intake.time.axis import TimeAxis
from app.schemas.datasets import Profile


@dataclass(frozen=True)
class SeriesFrame:
    """Many series on one axis, end to end in flat arrays.

    Series i owns rows offsets[i] to offsets[i + 1] of `ds` and `y`. Each is an unbroken run of steps that
    begins and ends with a value; gaps inside are NaN. The reader sorts series by name. Columns beside the
    target may go on after its end.
    """

    axis: TimeAxis
    unique_ids: tuple[str, ...]  # (series,)
    offsets: Ints  # (series + 1,)
    ds: Ints  # (total,)
    y: NDArray[np.float64]  # (total,)
    covariates: Covariates | None = None  # None where there is no column beside the target

    @property
    def columns(self) -> tuple[Covariate, ...]:
        """The columns beside the target."""
        return self.covariates.columns if self.covariates else ()

    @property
    def begins(self) -> Ints:
        """(series,) the first time of each."""
        return self.ds[self.offsets[:-1]]

    @property
    def row_offsets(self) -> Ints:
        """(series + 1,) offsets of the rows of columns: one for each step and each step ahead."""
        return self.covariates.offsets if self.covariates else self.offsets

    @property
    def row_ds(self) -> Ints:
        """(rows,) the times of these rows."""
        offsets = self.row_offsets
        lengths = np.diff(offsets)
        since = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        return self.axis.step.shift(np.repeat(self.begins, lengths), since)

    @property
    def ahead(self) -> Ints:
        """(series,) steps after the last value for which a column is known."""
        return np.diff(self.row_offsets) - np.diff(self.offsets)

    def with_seasons(self, season_lengths: tuple[int, ...] | None) -> "SeriesFrame":
        """Return the series with seasons of these lengths; as they are for None."""
        return replace(self, axis=self.axis.with_seasons(season_lengths))

    def in_zone_of(self, axis: TimeAxis) -> "SeriesFrame":
        """Return the series with the zone of another axis, where both have one."""
        if not (self.axis.timezone and axis.timezone) or self.axis.timezone == axis.timezone:
            return self
        there = replace(self.axis, timezone=axis.timezone)
        return replace(self, axis=there, ds=there.of_instants(self.axis.instants(self.ds)))

    def run(self, first: int, last: int) -> "SeriesFrame":
        """Return the series from `first` to before `last`."""
        begin, end = self.offsets[first], self.offsets[last]
        offsets = self.offsets[first : last + 1] - begin
        names, beside = self.unique_ids[first:last], self.covariates and self.covariates.run(first, last)
        return SeriesFrame(self.axis, names, offsets, self.ds[begin:end], self.y[begin:end], beside)

    def take(self, series: Ints) -> "SeriesFrame":
        """Return some of the series, in the given order."""
        rows, offsets = rows_of(self.offsets, series)
        names = tuple(self.unique_ids[i] for i in series)
        beside = self.covariates and self.covariates.take(series)
        return SeriesFrame(self.axis, names, offsets, self.ds[rows], self.y[rows], beside)

    def join(self, other: "SeriesFrame") -> "SeriesFrame":
        """Return these series followed by others of the same axis and columns."""
        beside = self.covariates and other.covariates and self.covariates.join(other.covariates)
        return SeriesFrame(
            self.axis,
            self.unique_ids + other.unique_ids,
            np.append(self.offsets, other.offsets[1:] + self.offsets[-1]),
            np.append(self.ds, other.ds),
            np.append(self.y, other.y),
            beside,
        )


@dataclass(frozen=True)
class Intake:
    """An upload as it was read: its series, and the profile that the response shows."""

    frame: SeriesFrame
    profile: Profile
