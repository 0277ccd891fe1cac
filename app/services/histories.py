"""Whole stored series as the core takes them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.db.engine import Session
from app.db.queries import datasets as queries
from app.db.tables import DatasetVersion
from app.intake.frame import TimeAxis
from app.services import series as store
from models.windows import Panel

ALL = 2**31 - 1


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
    """Read a version, every series whole."""
    rows = queries.series_page(session, version, limit=ALL, after=None)
    rows.sort(key=lambda row: (row.blob, row.first_row))
    axis = TimeAxis.from_dict(version.axis)
    starts = np.array([row.start for row in rows], dtype=np.int64)
    lengths = np.array([0, *(row.length for row in rows)], dtype=np.int64)
    return Histories(
        version=version.version,
        axis=axis,
        unique_ids=np.array([row.unique_id for row in rows], dtype=object),
        starts=starts,
        panel=Panel(
            values=store.read_all(session, version), offsets=np.cumsum(lengths), phases=axis.phase(starts)
        ),
    )
