"""Merge new rows into the stored series of a dataset."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.auth import Principal
from app.db.engine import Database, DatasetRef, Session
from app.db.queries import datasets as queries
from app.db.queries.datasets import Entry
from app.db.queries.scope import CHUNK
from app.db.tables import DatasetVersion
from app.intake.additions.addition import Addition
from app.intake.additions.far import Known
from app.intake.arrays import Ints, Mask
from app.intake.beside.laying import early_notes, summaries
from app.intake.covariates import Covariate
from app.intake.frame import SeriesFrame
from app.intake.grid.filling import grid_frame, with_zeros
from app.intake.grid.merging import merge
from app.intake.grid.points import Points
from app.intake.repairs import add_gaps
from app.schemas.datasets import Detected
from app.services.datasets import catalog, drafts, panels, staging
from app.services.datasets import series_store as store
from app.services.datasets.series_blob import SeriesBlob
from app.services.datasets.staging import Staging, pack

LARGE = 500_000  # most cells of the series to merge into without a draft


@dataclass(frozen=True)
class ObservationsUpload:
    """Rows for a dataset as they were read, before they are merged."""

    addition: Addition
    source_sha256: str


class StagedObservations:
    """Rows that are merged and packed, for `observations.append` to publish.

    A small merge holds no lock, and is repeated if another call publishes first. A large one begins a draft,
    which keeps other calls from publishing.
    """

    def __init__(
        self, database: Database, process_id: str, ref: DatasetRef, upload: ObservationsUpload
    ) -> None:
        self.ref, self.upload = ref, upload
        self.merge = Merge(upload.addition)
        self._database, self._process_id = database, process_id
        self._base = 0  # the version that `merge` started from
        self._packed: list[SeriesBlob] = []
        self._staging: Staging | None = None

    def prepare(self) -> bool:
        """Merge and pack the next portion; return False if it is the last one.

        Raises NotFound for an unknown dataset, and Busy while another call's draft exists. Raises BadInput
        for a time between the steps of its series, and for a series that would have no value.
        """
        if self._staging is not None:
            return self._staging.prepare()
        with self._database.read() as session:
            drafts.refuse_busy(session, self.ref)
            _, version = self.find(session)
            if self.merge.is_large(session, version):
                return True
            self._merge_all(session, version)
        return False

    def store(self) -> None:
        """Begin the draft, or store the portion that was prepared."""
        if self._staging is not None:
            self._staging.store()
            return
        with self._database.write() as session:
            queries.lock(session, *self.ref)
            drafts.refuse_busy(session, self.ref)
            _, version = self.find(session)
            draft_id = drafts.begin(session, self.ref, self._process_id)
        self._base = version.version
        blobs = pack(self._frames(version))
        self._staging = Staging(self._database, self.ref, version.version + 1, blobs, draft_id)

    def finish(self, session: Session, version: DatasetVersion) -> list[Entry]:
        """Store the remaining series under the number after `version`, the newest; return all new entries."""
        if self._staging is not None:
            assert self._staging.draft_id is not None  # noqa: S101  # `store` began it
            drafts.finish(session, self.ref, self._staging.draft_id)
            packed, stored = self._staging.portion, self._staging.entries
        else:
            drafts.refuse_busy(session, self.ref)
            if version.version != self._base:
                self._merge_all(session, version)
            packed, stored = self._packed, []
        return stored + store.write(session, self.ref, version.version + 1, packed)

    def find(self, session: Session) -> queries.Pair:
        """Return the dataset and its newest version; raises NotFound."""
        return catalog.find(session, Principal(workspace_id=self.ref.workspace_id), self.ref.dataset_id)

    def discard(self) -> None:
        """Remove the portions that were stored, if they were not published."""
        if self._staging is not None:
            self._staging.discard()

    def _merge_all(self, session: Session, version: DatasetVersion) -> None:
        self._base, self.merge = version.version, Merge(self.upload.addition)
        self._packed = list(pack(self.merge.all_merged(session, version)))

    def _frames(self, version: DatasetVersion) -> Iterator[SeriesFrame]:
        """Merge the series chunk by chunk, without an open session in between."""
        points = self.merge.addition.points  # on their steps since `is_large`
        for first in range(0, len(points.unique_ids), CHUNK):
            last = min(first + CHUNK, len(points.unique_ids))
            with self._database.read() as session:
                frames = self.merge.merged(session, version, points.take(np.arange(first, last)))
            yield from frames


class Merge:
    """One merge of rows into a version: it counts what the rows change."""

    def __init__(self, addition: Addition) -> None:
        self.addition = addition
        self.repairs = addition.repairs.copy()
        self.before: list[Entry] = []  # the series that were there
        self.appended = self.corrected = self.lost = 0
        self.intermittent = 0  # more series than before
        self.cells: Counter[tuple[str, str]] = Counter()  # more than before, by column: values and missing

    @property
    def new_series(self) -> int:
        return len(self.addition.points.unique_ids) - len(self.before)

    @property
    def detected(self) -> Detected:
        """How the rows were read, with a note on those that have no place."""
        found = self.addition.detected
        return found.model_copy(update={"notes": [*found.notes, *early_notes(self.lost)]})

    @property
    def unchanged(self) -> int:
        return len(self.addition.points.y) - self.appended - self.corrected

    def is_large(self, session: Session, version: DatasetVersion) -> bool:
        """Check the rows, and return whether merging them needs more than one portion.

        Raises BadInput as `Addition.on_steps` does.
        """
        entries = self._put_on_steps(session, version)
        many = len(self.addition.points.unique_ids) > staging.PORTION_SERIES
        rows = sum(entry.length + entry.ahead for entry in entries)
        return many or rows * (1 + len(store.columns_of(version))) > LARGE

    def all_merged(self, session: Session, version: DatasetVersion) -> list[SeriesFrame]:
        """Check the rows, and return all that they change, as `merged` does; raises as `is_large` does."""
        self._put_on_steps(session, version)
        return self.merged(session, version, self.addition.points)

    def merged(self, session: Session, version: DatasetVersion, points: Points) -> list[SeriesFrame]:
        """Return the series that points change, blob by blob, and then the new series."""
        entries = queries.entries_named(session, version, points.unique_ids)
        positions, is_new = _match(points, entries)
        self.before += entries
        frames = [
            frame
            for _, members in store.by_blob(entries)
            for frame in self._changed(
                session, version, [entries[i] for i in members], points.take(positions[members])
            )
        ]
        columns = store.columns_of(version)
        new = [self._new(points.take(some), columns) for some in _by_size(points, np.flatnonzero(is_new))]
        return frames + new

    def _put_on_steps(self, session: Session, version: DatasetVersion) -> Sequence[Entry]:
        points, axis = self.addition.points, self.addition.axis
        entries = queries.entries_named(session, version, points.unique_ids)
        positions, is_new = _match(points, entries)
        begins, reaches = points.begins.copy(), np.zeros(len(points.unique_ids), dtype=np.int64)
        begins[positions] = [entry.start for entry in entries]
        reaches[positions] = [entry.length + entry.ahead for entry in entries]
        span = axis.ordinals([version.profile["start"], version.profile["end"]])
        known = Known(begins, reaches, *(int(time) for time in span))
        self.addition = self.addition.on_steps(known, is_new, self.repairs)
        return entries

    def _changed(
        self, session: Session, version: DatasetVersion, entries: Sequence[Entry], points: Points
    ) -> list[SeriesFrame]:
        old = store.read_frame(session, version, entries)
        merged = merge(old, points)
        self.appended += merged.appended
        self.corrected += merged.corrected
        self.lost += merged.lost
        if self.addition.missing == "zero":
            merged.frame.y[merged.gaps] = 0.0
        else:
            add_gaps(self.repairs, merged.frame, merged.gaps)
        self.intermittent += panels.intermittent(merged.frame) - panels.intermittent(old)
        self._count(old, -1)
        self._count(merged.frame, 1)
        return [merged.frame.take(np.flatnonzero(merged.changed))] if merged.changed.any() else []

    def _new(self, points: Points, columns: tuple[Covariate, ...]) -> SeriesFrame:
        frame = grid_frame(self.addition.axis, points, columns)
        is_kept = points.ds >= frame.begins[points.series]  # cells before the first value are not
        self.appended += int(np.count_nonzero(points.says_something & is_kept))
        self.lost += int(np.count_nonzero(points.says_something & ~is_kept))
        if self.addition.missing == "zero":
            frame = with_zeros(frame)
        else:
            add_gaps(self.repairs, frame)
        self.intermittent += panels.intermittent(frame)
        self._count(frame, 1)
        return frame

    def _count(self, frame: SeriesFrame, sign: int) -> None:
        """Count the cells of columns in series that come, or with -1 of those that go."""
        for column in summaries(frame):
            self.cells[column.name, "values"] += sign * column.values
            self.cells[column.name, "missing"] += sign * column.missing


def _match(points: Points, entries: Sequence[Entry]) -> tuple[Ints, Mask]:
    """Return the position of each entry among the points' series, and which of these series are new."""
    positions = np.searchsorted(
        np.array(points.unique_ids, dtype=object), [entry.unique_id for entry in entries]
    ).astype(np.int64)
    is_new = np.ones(len(points.unique_ids), dtype=np.bool_)
    is_new[positions] = False
    return positions, is_new


def _by_size(points: Points, series: Ints) -> list[Ints]:
    """Cut series into runs of about as many rows as a blob holds."""
    if not len(series):
        return []
    filled = np.cumsum(np.diff(points.offsets)[series]) // staging.ROWS_PER_BLOB
    return np.split(series, np.flatnonzero(np.diff(filled)) + 1)
