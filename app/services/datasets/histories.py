"""Whole stored series as the core takes them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.db.engine import Session
from app.db.queries import datasets as queries
from app.db.tables import DatasetVersion
from app.intake.time.axis import TimeAxis
from app.services.datasets import series_store as store
from app.services.datasets.panels import panel_of
from models.panel import Panel


@dataclass(frozen=True, eq=False)
class Histories:
    """Every series of one version of a dataset: in `panel` by number, with its name and when it begins."""

    version: int
    axis: TimeAxis
    unique_ids: NDArray[np.object_]  # (series,)
    starts: NDArray[np.int64]  # (series,) ordinals
    panel: Panel

    @property
    def last(self) -> int:
        """The ordinal of the last time of all."""
        return int(self.axis.step.shift(self.starts, self.panel.lengths - 1).max())


def read(session: Session, version: DatasetVersion) -> Histories:
    """Read a version, every series whole, by name."""
    entries = queries.entries(session, version)
    axis = TimeAxis.from_dict(version.axis)
    starts = np.array([entry.start for entry in entries], dtype=np.int64)
    lengths = np.array([0, *(entry.length for entry in entries)], dtype=np.int64)
    return Histories(
        version=version.version,
        axis=axis,
        unique_ids=np.array([entry.unique_id for entry in entries], dtype=object),
        starts=starts,
        panel=panel_of(axis, store.read_values(session, version, entries), np.cumsum(lengths), starts),
    )
