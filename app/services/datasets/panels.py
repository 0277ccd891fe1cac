"""Build panels: the one place that turns stored steps into positions in a season, as the core takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.db.engine import Session
from app.db.queries import datasets as queries
from app.db.queries.datasets import LastWindow
from app.db.tables import DatasetVersion
from app.intake.arrays import Ints
from app.intake.frame import SeriesFrame
from app.intake.time.axis import TimeAxis
from app.services.datasets import series_store as store
from models.config import history_limit
from models.inputs.intermittence import demands
from models.panel import Panel


@dataclass(frozen=True, eq=False)
class DatasetPanel:
    """All series of one version of a dataset: their panel, and for each its name and first time."""

    version: int
    axis: TimeAxis
    unique_ids: NDArray[np.object_]  # (series,)
    starts: NDArray[np.int64]  # (series,) ordinals
    panel: Panel

    @property
    def last(self) -> int:
        """The latest ordinal of any series."""
        return int(self.axis.step.shift(self.starts, self.panel.lengths - 1).max())


def read(
    session: Session, version: DatasetVersion, season_lengths: tuple[int, ...] | None = None
) -> DatasetPanel:
    """Read all series of a version, each in full, sorted by name; with other seasons where they are given.

    Raises BlobDamaged if stored bytes are missing or damaged.
    """
    entries = queries.entries(session, version)
    axis = TimeAxis.from_dict(version.axis).with_seasons(season_lengths)
    starts = np.array([entry.start for entry in entries], dtype=np.int64)
    offsets = np.cumsum([0, *(entry.length for entry in entries)], dtype=np.int64)
    return DatasetPanel(
        version=version.version,
        axis=axis,
        unique_ids=np.array([entry.unique_id for entry in entries], dtype=object),
        starts=starts,
        panel=_panel(axis, store.read_values(session, version, entries), offsets, starts),
    )


def of_frame(frame: SeriesFrame) -> Panel:
    """Return the panel of the series in a frame."""
    return _panel(frame.axis, frame.y, frame.offsets, frame.ds[frame.offsets[:-1]])


def intermittent(frame: SeriesFrame) -> int:
    """Return the number of series in a frame with intermittent demand."""
    recent = of_frame(frame).tail(history_limit(frame.axis.seasons.lengths))
    return sum(demand.is_intermittent for demand in demands(recent, frame.axis.season_length).values())


def of_last_windows(axis: TimeAxis, rows: Sequence[LastWindow]) -> Panel:
    """Return the panel of the last values of series: those that their index rows hold."""
    tails = [store.tail(row) for row in rows]
    ends = np.array([row.end for row in rows], dtype=np.int64)
    lengths = np.array([len(tail) for tail in tails], dtype=np.int64)
    offsets = np.append(0, np.cumsum(lengths))
    return _panel(axis, np.concatenate(tails), offsets, axis.step.shift(ends, 1 - lengths))


def _panel(axis: TimeAxis, values: NDArray[np.float64], offsets: Ints, starts: Ints) -> Panel:
    """Join series end to end; `starts` (series,) are the ordinals of their first values.

    A time has the same phase whether a series is taken in full or in part.
    """
    return Panel(values=values, offsets=offsets, phases=axis.phase(starts))
