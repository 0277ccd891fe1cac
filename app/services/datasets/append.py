"""Observations: rows are laid into the series of a dataset, which makes its next version."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.auth import Principal
from app.db.engine import Database, DatasetRef, Session
from app.db.queries import changes
from app.db.queries import datasets as queries
from app.db.queries.datasets import Entry, Extent
from app.db.queries.scope import CHUNK
from app.db.tables import Dataset, DatasetVersion
from app.digest import sha256
from app.intake.additions import Addition, Known
from app.intake.arrays import Ints, Mask
from app.intake.frame import SeriesFrame
from app.intake.grid import Points, lay_out, merge
from app.intake.repairs import Repairs, add_gaps
from app.intake.time.axis import TimeAxis
from app.schemas.datasets import ObservationsOut, Profile
from app.services.datasets import catalog, compaction, drafts
from app.services.datasets import series_store as store
from app.services.datasets.drafts import Staging
from app.services.datasets.series_store import Packed

LONG = 500_000  # observations of series that rows are laid into in one go


def known(session: Session, principal: Principal, dataset_id: str) -> Known:
    """Return what has to be known of a dataset to read rows that are to be added to it.

    Raises NotFound as `datasets.find` does.
    """
    _, version = catalog.find(session, principal, dataset_id)
    profile = Profile.model_validate(version.profile)
    only = queries.series_page(session, version, 1, None)[0].unique_id if profile.series == 1 else None
    return Known(TimeAxis.from_dict(version.axis), profile.end, profile.detected, only)


@dataclass(frozen=True)
class Sent:
    """Rows for a dataset, read and not laid in yet."""

    addition: Addition
    source_sha256: str


class Laying:
    """Rows on their way into a dataset: laid in and packed, and to be published by `append`.

    What fits a portion is laid in while others read and write, and once more should somebody else publish
    before `append` does. Of more a draft is begun first, which keeps others from publishing.
    """

    def __init__(self, database: Database, process_id: str, ref: DatasetRef, sent: Sent) -> None:
        self.ref, self.sent = ref, sent
        self.work = _Work(sent.addition)
        self._database, self._process_id = database, process_id
        self._base = 0  # the version that `work` was done on
        self._packed: list[Packed] = []
        self._staging: Staging | None = None

    def prepare(self) -> bool:
        """Lay in and pack the next portion; False for the last one.

        Raises NotFound for an unknown dataset; BadInput where a time is on no step of its series, and where
        a series would have less than two values; Busy while somebody else's draft is there.
        """
        if self._staging is not None:
            return self._staging.prepare()
        with self._database.read() as session:
            drafts.refuse_busy(session, self.ref)
            _, version = self.find(session)
            if self.work.is_large(session, version):
                return True
            self._lay_in(session, version)
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
        runs = store.pack(self._frames(version))
        self._base = version.version
        self._staging = Staging(self._database, self.ref, version.version + 1, runs, draft_id)

    def finish(self, session: Session, version: DatasetVersion) -> list[Entry]:
        """Store what is not stored yet, under the number after that of the newest version."""
        if self._staging is not None:
            return self._staging.finish(session)
        drafts.refuse_busy(session, self.ref)
        if version.version != self._base:
            self._lay_in(session, version)
        return store.write(session, self.ref, version.version + 1, self._packed)

    def find(self, session: Session) -> queries.Pair:
        """Return the dataset and its newest version; raises NotFound as `datasets.find` does."""
        return catalog.find(session, Principal(workspace_id=self.ref.workspace_id), self.ref.dataset_id)

    def discard(self) -> None:
        """Remove what was stored, if it was not published."""
        if self._staging is not None:
            self._staging.discard()

    def _lay_in(self, session: Session, version: DatasetVersion) -> None:
        self._base, self.work = version.version, _Work(self.sent.addition)
        self._packed = list(store.pack(self.work.laid(session, version, self.sent.addition.points)))

    def _frames(self, version: DatasetVersion) -> Iterator[SeriesFrame]:
        """Lay in all series, some at a time; no session is open in between."""
        points = self.sent.addition.points
        for first in range(0, len(points.unique_ids), CHUNK):
            last = min(first + CHUNK, len(points.unique_ids))
            with self._database.read() as session:
                frames = self.work.laid(session, version, points.take(np.arange(first, last)))
            yield from frames


def append(session: Session, laying: Laying, keep_versions: int) -> ObservationsOut:
    """Publish rows that were laid in, as the dataset's next version if they change anything.

    Old versions go, as far as that is soon done. Raises as `Laying.prepare` does.
    """
    # Locked, so that of two who append at once the second builds on what the first has published.
    queries.lock(session, *laying.ref)
    dataset, version = laying.find(session)
    if after := laying.finish(session, version):
        version = _publish(session, version, laying, after)
        dataset = queries.show(session, laying.ref, version.version)
        compaction.thin(session, laying.ref, keep_versions, compaction.AT_ONCE)
        changes.record(session, *laying.ref)
    return _out(dataset, version, laying.work)


class _Work:
    """What is done to lay rows in: how many of them did what, and which series were there before."""

    def __init__(self, addition: Addition) -> None:
        self.addition = addition
        self.repairs = addition.repairs.copy()
        self.before: list[Entry] = []
        self.appended = self.corrected = 0

    @property
    def new_series(self) -> int:
        return len(self.addition.points.unique_ids) - len(self.before)

    @property
    def unchanged(self) -> int:
        return len(self.addition.points.y) - self.appended - self.corrected

    def is_large(self, session: Session, version: DatasetVersion) -> bool:
        """Check the rows, and tell whether laying them in takes more than a moment."""
        entries = queries.entries_named(session, version, self.addition.points.unique_ids)
        self._check(entries)
        many = len(self.addition.points.unique_ids) > drafts.PORTION_SERIES
        return many or sum(entry.length for entry in entries) > LONG

    def laid(self, session: Session, version: DatasetVersion, points: Points) -> list[SeriesFrame]:
        """Lay points in, and return what changes by it: blob by blob, and then the new series."""
        entries = queries.entries_named(session, version, points.unique_ids)
        there, is_new = _places(points, entries)
        if len(points.unique_ids) == len(self.addition.points.unique_ids):
            self._check(entries)
        self.before += entries
        frames = [
            frame
            for _, members in store.by_blob(entries)
            for frame in self._merged(
                session, version, [entries[i] for i in members], points.take(there[members])
            )
        ]
        new = [self._laid_out(points.take(some)) for some in _portions(points, np.flatnonzero(is_new))]
        return frames + new

    def _check(self, entries: Sequence[Entry]) -> None:
        points = self.addition.points
        there, is_new = _places(points, entries)
        begins = points.begins.copy()
        begins[there] = [entry.start for entry in entries]
        self.addition.check(begins, is_new)

    def _merged(
        self, session: Session, version: DatasetVersion, entries: Sequence[Entry], points: Points
    ) -> list[SeriesFrame]:
        merged = merge(store.read_frame(session, version, entries), points)
        self.appended += merged.appended
        self.corrected += merged.corrected
        add_gaps(self.repairs, merged.frame, merged.gaps)
        return [merged.frame.take(np.flatnonzero(merged.changed))] if merged.changed.any() else []

    def _laid_out(self, points: Points) -> SeriesFrame:
        frame = lay_out(self.addition.axis, points)
        self.appended += int(points.values().sum())
        add_gaps(self.repairs, frame)
        return frame


def _places(points: Points, entries: Sequence[Entry]) -> tuple[Ints, Mask]:
    """Return where among the points' series those that are there stand, and which are new."""
    there = np.searchsorted(
        np.array(points.unique_ids, dtype=object), [entry.unique_id for entry in entries]
    ).astype(np.int64)
    is_new = np.ones(len(points.unique_ids), dtype=np.bool_)
    is_new[there] = False
    return there, is_new


def _portions(points: Points, series: Ints) -> list[Ints]:
    """Cut these series into runs of about as many rows as a blob takes."""
    if not len(series):
        return []
    filled = np.cumsum(np.diff(points.offsets)[series]) // store.ROWS_PER_BLOB
    return np.split(series, np.flatnonzero(np.diff(filled)) + 1)


def _publish(session: Session, old: DatasetVersion, laying: Laying, after: Sequence[Entry]) -> DatasetVersion:
    """Add the version that series were stored under; all others stay where they are."""
    new = DatasetVersion(
        workspace_id=old.workspace_id,
        dataset_id=old.dataset_id,
        version=old.version + 1,
        axis=old.axis,
        profile=old.profile,
        # Of all the bytes it was made of; those of the last rows alone would stand for another dataset.
        source_sha256=sha256(f"{old.source_sha256} {laying.sent.source_sha256}".encode()),
    )
    queries.add_version(session, new)
    names = {entry.unique_id for entry in after}
    before = [entry for entry in laying.work.before if entry.unique_id in names]
    profile = _Change(before, after).profile(session, new, laying.work.repairs)
    new.profile = profile.model_dump(mode="json")
    session.flush()
    return new


@dataclass(frozen=True)
class _Change:
    """The series that a version changes, as they were and as they are."""

    before: Sequence[Entry]  # without those that are new
    after: Sequence[Entry]

    def profile(self, session: Session, version: DatasetVersion, repairs: Repairs) -> Profile:
        """Return what is in a version, made of what was in the one before."""
        old, axis = Profile.model_validate(version.profile), TimeAxis.from_dict(version.axis)
        steps = old.observations + old.gaps + self._more("length")
        observations = old.observations + self._more("observations")
        extent = self._extent(Extent(old.shortest, old.longest, *axis.ordinals([old.start, old.end])))
        shortest, longest, *span = extent or queries.extent(session, version)
        start, end = axis.format(np.array(span))
        changes = {
            "series": old.series + len(self.after) - len(self.before),
            "observations": observations,
            "gaps": steps - observations,
            "shortest": shortest,
            "longest": longest,
            "start": start,
            "end": end,
            "repairs": repairs.listed,
            "repairs_total": repairs.total,
        }
        return old.model_copy(update=changes)

    def _more(self, name: str) -> int:
        before, after = ([int(getattr(entry, name)) for entry in some] for some in (self.before, self.after))
        return sum(after) - sum(before)

    def _extent(self, was: Extent) -> Extent | None:
        """Return the extremes of all series, if they can be told without a look at those that stay."""
        found = (
            self._least("length", was.shortest),
            self._least("length", was.longest, -1),
            self._least("start", was.start),
            self._least("end", was.end, -1),
        )
        told = [extreme for extreme in found if extreme is not None]
        return Extent(*told) if len(told) == len(found) else None

    def _least(self, name: str, was: int, sign: int = 1) -> int | None:
        """Return the least, or with sign -1 the greatest; None where the one that it was has moved."""
        before, after = ([int(getattr(entry, name)) for entry in some] for some in (self.before, self.after))
        now = min(sign * value for value in after)
        if now <= sign * was:
            return sign * now
        return None if was in before else was


def _out(dataset: Dataset, version: DatasetVersion, work: _Work) -> ObservationsOut:
    addition = work.addition
    return ObservationsOut(
        **dict(catalog.out(dataset, version)),
        appended=work.appended,
        corrected=work.corrected,
        unchanged=work.unchanged,
        new_series=work.new_series,
        detected=addition.detected,
        repairs=work.repairs.listed,
        repairs_total=work.repairs.total,
    )
