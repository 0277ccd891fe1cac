"""Stage a version of a dataset: pack its series into blobs, and store all but the last portion beforehand.

Packing needs no transaction. The transaction that publishes a version stores its last portion. Earlier
portions, if any, are each stored before in a short transaction, under a draft that no query shows.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from app.auth import Principal
from app.db.engine import Database, DatasetRef, Session
from app.db.queries import datasets as dataset_queries
from app.db.queries.datasets import Entry
from app.db.tables import Dataset, new_id
from app.intake.frame import Intake, SeriesFrame
from app.services.datasets import drafts, panels, seasons
from app.services.datasets import series_store as store
from app.services.datasets.series_blob import SeriesBlob
from models.choices import NO_LIMITS, Limits

ROWS_PER_BLOB = 20_000
PORTION_SERIES, PORTION_BYTES = 2_000, 4 * 1024 * 1024  # in one transaction


@dataclass(frozen=True)
class Upload:
    """A new dataset as it was read, before it is stored."""

    name: str
    intake: Intake
    source_sha256: str
    limits: Limits = NO_LIMITS


class Staged(Protocol):
    """A version of a dataset that is stored in portions."""

    def prepare(self) -> bool:
        """Prepare the next portion, without a write transaction; return False if it is the last one."""

    def store(self) -> None:
        """Store the portion that was prepared."""

    def discard(self) -> None:
        """Remove the portions that were stored, if they were not published."""


class Staging:
    """Packs and stores the series of one version, portion by portion.

    The transaction that publishes stores the last `portion`; `entries` are those of the portions before it.
    `draft` is the id of a draft, or begins one in the first transaction that stores.
    """

    def __init__(
        self,
        database: Database,
        ref: DatasetRef,
        version: int,
        blobs: Iterable[SeriesBlob],
        draft: str | Callable[[Session], str],
    ) -> None:
        self.ref, self.version = ref, version
        self.draft_id = draft if isinstance(draft, str) else None
        self.portion: list[SeriesBlob] = []
        self.entries: list[Entry] = []
        self._database, self._draft = database, draft
        self._portions = _portions(blobs)
        self._following: list[SeriesBlob] | None = None
        self._is_begun = False

    def prepare(self) -> bool:
        """Pack the next portion; return False if it is the last one."""
        if not self._is_begun:
            self._following, self._is_begun = next(self._portions, []), True
        self.portion, self._following = self._following or [], next(self._portions, None)
        return self._following is not None

    def store(self) -> None:
        """Store the portion that was packed.

        Raises Unavailable if the draft was taken away.
        """
        with self._database.write() as session:
            draft_id = self._draft if isinstance(self._draft, str) else self._draft(session)
            drafts.touch(session, self.ref, draft_id)
            entries = store.write(session, self.ref, self.version, self.portion)
        self.draft_id = self._draft = draft_id
        self.entries += entries

    def discard(self) -> None:
        """Remove the portions that were stored, if they were not published."""
        if self.draft_id is not None:
            drafts.clear(self._database, self.ref, self.draft_id)


class StagedDataset(Staging):
    """A new dataset; `catalog.create` publishes it."""

    def __init__(self, database: Database, process_id: str, principal: Principal, upload: Upload) -> None:
        ref = DatasetRef(principal.workspace_id, new_id("ds"))
        self.upload, self._process_id = upload, process_id
        self.profile = upload.intake.profile
        super().__init__(database, ref, 1, self._packed(), self._begin)

    def _packed(self) -> Iterator[SeriesBlob]:
        # Begun after the seasons are decided: those say how much each index row keeps.
        yield from pack([self.upload.intake.frame])

    def prepare(self) -> bool:
        """Pack the next portion; before the first, decide the seasons and count what takes long."""
        if self.profile.intermittent is None:
            intake = seasons.of_upload(self.upload.intake)
            counted = {"intermittent": panels.intermittent(intake.frame)}
            self.upload = replace(self.upload, intake=intake)
            self.profile = intake.profile.model_copy(update=counted)
        return super().prepare()

    def dataset(self, version: int) -> Dataset:
        """Return the row of the dataset, which shows a version; 0 hides it."""
        ref, limits = self.ref, self.upload.limits
        return Dataset(
            workspace_id=ref.workspace_id,
            id=ref.dataset_id,
            name=self.upload.name,
            version=version,
            lower=limits.lower,
            upper=limits.upper,
            integer=limits.integer,
        )

    def _begin(self, session: Session) -> str:
        dataset_queries.add(session, self.dataset(version=0))
        return drafts.begin(session, self.ref, self._process_id)


@contextmanager
def stored(staged: Staged) -> Iterator[None]:
    """Store all but the last portion, and remove them again unless the block publishes."""
    try:
        while staged.prepare():
            staged.store()
        yield
    except BaseException:
        staged.discard()
        raise


def pack(frames: Iterable[SeriesFrame]) -> Iterator[SeriesBlob]:
    """Write series as they come into Parquet files of about ROWS_PER_BLOB rows; no series is split."""
    for frame in _regroup(frames):
        yield SeriesBlob.of(frame)


def _portions(blobs: Iterable[SeriesBlob]) -> Iterator[list[SeriesBlob]]:
    portion: list[SeriesBlob] = []
    series = size = 0
    for blob in blobs:
        portion.append(blob)
        series += len(blob.rows)
        size += len(blob.data) + sum(len(row["tail"]) for row in blob.rows)
        if series >= PORTION_SERIES or size >= PORTION_BYTES:
            yield portion
            portion, series, size = [], 0, 0
    if portion:
        yield portion


def _regroup(frames: Iterable[SeriesFrame]) -> Iterator[SeriesFrame]:
    """Join and cut frames so that each makes one blob."""
    rest: SeriesFrame | None = None
    for frame in frames:
        *full, rest = _split(frame if rest is None else rest.join(frame))
        yield from full
    if rest is not None:
        yield rest


def _split(frame: SeriesFrame) -> list[SeriesFrame]:
    """Cut a frame into runs of series of at least ROWS_PER_BLOB rows each, and a rest."""
    runs, first, count = [], 0, len(frame.unique_ids)
    while first < count:
        full = int(np.searchsorted(frame.row_offsets, frame.row_offsets[first] + ROWS_PER_BLOB))
        last = min(max(full, first + 1), count)
        runs.append(frame.run(first, last))
        first = last
    return runs
