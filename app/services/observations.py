"""Observations: rows are laid into the series of a dataset, which makes its next version."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from app import blobs
from app.auth import Principal
from app.db.engine import DatasetRef, Session
from app.db.queries import changes
from app.db.queries import datasets as queries
from app.db.queries.datasets import Entry, Extent
from app.db.tables import Dataset, DatasetVersion
from app.intake.additions import Addition, Known
from app.intake.frame import SeriesFrame, TimeAxis
from app.intake.grid import Points, lay_out, merge
from app.intake.repairs import add_gaps
from app.intake.steps import Ints
from app.schemas.datasets import ObservationsOut, Profile
from app.services import datasets
from app.services import series as store


def known(session: Session, principal: Principal, dataset_id: str) -> Known:
    """Return what has to be known of a dataset to read rows that are to be added to it.

    Raises NotFound as `datasets.find` does.
    """
    _, version = datasets.find(session, principal, dataset_id)
    profile = Profile.model_validate(version.profile)
    only = queries.series_page(session, version, 1, None)[0].unique_id if profile.series == 1 else None
    return Known(TimeAxis.from_dict(version.axis), profile.end, profile.detected, only)


def append(
    session: Session, principal: Principal, dataset_id: str, addition: Addition, source_sha256: str
) -> ObservationsOut:
    """Lay rows into a dataset, as its next version if they change anything.

    Args:
        session: The caller's transaction.
        principal: The caller.
        dataset_id: The dataset they were read for.
        addition: The rows as the intake read them.
        source_sha256: Hash of the bytes they were read from.

    Raises NotFound for an unknown dataset; BadInput where a time is on no step of its series, and where a
    series would have less than two values.
    """
    # Locked, so that of two who append at once the second builds on what the first has published.
    queries.lock(session, principal.workspace_id, dataset_id)
    dataset, version = datasets.find(session, principal, dataset_id)
    work = _Work(session, version, addition)
    changed = work.changed()
    if (first := next(changed, None)) is not None:
        version = _publish(work, dataset, chain([first], changed), source_sha256)
        changes.note(session, principal.workspace_id, dataset_id)
    return _out(dataset, version, work)


class _Work:
    """Rows on their way into a version of a dataset, and how many of them did what."""

    def __init__(self, session: Session, version: DatasetVersion, addition: Addition) -> None:
        self.session, self.version, self.addition = session, version, addition
        self.entries = queries.entries_named(session, version, addition.points.unique_ids)
        self.appended = self.corrected = 0

    @property
    def new_series(self) -> int:
        return len(self.addition.points.unique_ids) - len(self.entries)

    @property
    def unchanged(self) -> int:
        return len(self.addition.points.y) - self.appended - self.corrected

    def changed(self) -> Iterator[SeriesFrame]:
        """Lay the rows in, and yield what changes by it: blob by blob, and then the new series."""
        points = self.addition.points
        there = np.searchsorted(
            np.array(points.unique_ids, dtype=object), [entry.unique_id for entry in self.entries]
        )
        begins, is_new = points.begins.copy(), np.ones(len(points.unique_ids), dtype=np.bool_)
        begins[there], is_new[there] = [entry.start for entry in self.entries], False
        self.addition.check(begins, is_new)
        for _, members in store.by_blob(self.entries):
            yield from self._merged(members, points.take(there[members]))
        for some in _portions(points, np.flatnonzero(is_new)):
            yield self._laid_out(points.take(some))

    def _merged(self, members: list[int], points: Points) -> Iterator[SeriesFrame]:
        old = store.read_frame(self.session, self.version, [self.entries[i] for i in members])
        merged = merge(old, points)
        self.appended += merged.appended
        self.corrected += merged.corrected
        add_gaps(self.addition.repairs, merged.frame, merged.gaps)
        if merged.changed.any():
            yield merged.frame.take(np.flatnonzero(merged.changed))

    def _laid_out(self, points: Points) -> SeriesFrame:
        frame = lay_out(self.addition.axis, points)
        self.appended += int(points.values().sum())
        add_gaps(self.addition.repairs, frame)
        return frame


def _portions(points: Points, series: Ints) -> list[Ints]:
    """Cut these series into runs of about as many rows as a blob takes."""
    if not len(series):
        return []
    filled = np.cumsum(np.diff(points.offsets)[series]) // store.ROWS_PER_BLOB
    return np.split(series, np.flatnonzero(np.diff(filled)) + 1)


def _publish(
    work: _Work, dataset: Dataset, changed: Iterator[SeriesFrame], source_sha256: str
) -> DatasetVersion:
    """Store series whole under the next version; all others stay where they are."""
    session, old = work.session, work.version
    new = DatasetVersion(
        workspace_id=old.workspace_id,
        dataset_id=old.dataset_id,
        version=old.version + 1,
        axis=old.axis,
        profile=old.profile,
        # Of all the bytes it was made of; those of the last rows alone would stand for another dataset.
        source_sha256=blobs.digest(f"{old.source_sha256} {source_sha256}".encode()),
    )
    queries.add_version(session, new)
    after = store.write(
        session, DatasetRef(old.workspace_id, old.dataset_id), new.version, store.pack(changed)
    )
    names = {entry.unique_id for entry in after}
    before = [entry for entry in work.entries if entry.unique_id in names]
    new.profile = _Change(before, after).profile(session, new, work.addition).model_dump(mode="json")
    dataset.version = new.version
    return new


@dataclass(frozen=True)
class _Change:
    """The series that a version changes, as they were and as they are."""

    before: Sequence[Entry]  # without those that are new
    after: Sequence[Entry]

    def profile(self, session: Session, version: DatasetVersion, addition: Addition) -> Profile:
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
            "repairs": addition.repairs.listed,
            "repairs_total": addition.repairs.total,
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
        **dict(datasets.out(dataset, version)),
        appended=work.appended,
        corrected=work.corrected,
        unchanged=work.unchanged,
        new_series=work.new_series,
        detected=addition.detected,
        repairs=addition.repairs.listed,
        repairs_total=addition.repairs.total,
    )
