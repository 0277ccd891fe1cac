"""Append rows to a dataset and correct rows in it, which makes its next version."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from app.auth import Principal
from app.db.engine import Session
from app.db.queries import changes
from app.db.queries import datasets as queries
from app.db.queries.datasets import Entry, Extent
from app.db.tables import Dataset, DatasetVersion
from app.digest import sha256
from app.intake.additions.existing import ExistingDataset
from app.intake.time.axis import TimeAxis
from app.schemas.datasets import CovariateOut, ObservationsOut, Profile
from app.services.datasets import catalog, compaction, seasons
from app.services.datasets.merging import Merge, StagedObservations
from app.services.datasets.series_store import columns_of


def existing(session: Session, principal: Principal, dataset_id: str) -> ExistingDataset:
    """Return what reading rows needs to know of the dataset they are for.

    Raises NotFound if the caller has none under this id.
    """
    dataset, version = catalog.find(session, principal, dataset_id)
    profile = Profile.model_validate(version.profile)
    only = queries.series_page(session, version, 1, None)[0].unique_id if profile.series == 1 else None
    axis, limits = TimeAxis.from_dict(version.axis), catalog.limits_of(dataset)
    return ExistingDataset(axis, profile.end, profile.detected, only, limits, columns_of(version))


def append(session: Session, staged: StagedObservations, keep_versions: int) -> ObservationsOut:
    """Publish merged rows as the dataset's next version, if they change anything.

    Drops old versions as far as that is quick. Raises as `StagedObservations.prepare` does, and Unavailable
    if its draft was taken away.
    """
    # Locked, so that of two calls at once the second merges into what the first has published.
    queries.lock(session, *staged.ref)
    dataset, version = staged.find(session)
    if after := staged.finish(session, version):
        version = _publish(session, version, staged, after)
        dataset = queries.show(session, staged.ref, version.version)
        compaction.thin(session, staged.ref, keep_versions, compaction.AT_ONCE)
        changes.record(session, *staged.ref)
    return _out(dataset, version, staged.merge)


def _publish(
    session: Session, old: DatasetVersion, staged: StagedObservations, after: Sequence[Entry]
) -> DatasetVersion:
    """Add the version under which `after` was stored; all other series stay as they are."""
    new = DatasetVersion(
        workspace_id=old.workspace_id,
        dataset_id=old.dataset_id,
        version=old.version + 1,
        axis=old.axis,
        profile=old.profile,
        columns=old.columns,
        # The hash of all sources: the last rows' hash alone would mean another dataset.
        source_sha256=sha256(f"{old.source_sha256} {staged.upload.source_sha256}".encode()),
    )
    queries.add_version(session, new)
    names = {entry.unique_id for entry in after}
    before = [entry for entry in staged.merge.before if entry.unique_id in names]
    profile = _Change(before, after).profile(session, new, staged.merge)
    axis, found = seasons.after_append(session, new, Profile.model_validate(old.profile), profile.longest)
    decided = {"season_length": axis.season_length, "seasons": found}
    new.axis, new.profile = asdict(axis), profile.model_copy(update=decided).model_dump(mode="json")
    session.flush()
    return new


@dataclass(frozen=True)
class _Change:
    """The series that a version changes, before and after."""

    before: Sequence[Entry]  # without new series
    after: Sequence[Entry]

    def profile(self, session: Session, version: DatasetVersion, merge: Merge) -> Profile:
        """Return the profile of a version, computed from that of the version before it."""
        old, axis = Profile.model_validate(version.profile), TimeAxis.from_dict(version.axis)
        steps = old.observations + old.gaps + self._growth("length")
        observations = old.observations + self._growth("observations")
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
            "intermittent": None if old.intermittent is None else old.intermittent + merge.intermittent,
            "covariates": _covariates(session, version, old, merge),
            "repairs": merge.repairs.listed,
            "repairs_total": merge.repairs.total,
        }
        return old.model_copy(update=changes)

    def _growth(self, name: str) -> int:
        before, after = ([int(getattr(entry, name)) for entry in some] for some in (self.before, self.after))
        return sum(after) - sum(before)

    def _extent(self, was: Extent) -> Extent | None:
        """Return the extremes of all series, or None where they need a query over all series."""
        found = (
            self._least("length", was.shortest),
            self._least("length", was.longest, -1),
            self._least("start", was.start),
            self._least("end", was.end, -1),
        )
        known = [extreme for extreme in found if extreme is not None]
        return Extent(*known) if len(known) == len(found) else None

    def _least(self, name: str, was: int, sign: int = 1) -> int | None:
        """Return the least, or with sign -1 the greatest; None if the series that had it has changed."""
        before, after = ([int(getattr(entry, name)) for entry in some] for some in (self.before, self.after))
        now = min(sign * value for value in after)
        if now <= sign * was:
            return sign * now
        return None if was in before else was


def _covariates(session: Session, version: DatasetVersion, old: Profile, merge: Merge) -> list[CovariateOut]:
    """Return what the profile of a version says of the columns beside the target."""
    ahead = queries.most_ahead(session, version) if old.covariates else 0
    return [
        column.model_copy(
            update={
                "values": column.values + merge.cells[column.name, "values"],
                "missing": column.missing + merge.cells[column.name, "missing"],
                "ahead": ahead if column.role == "future" else 0,
            }
        )
        for column in old.covariates
    ]


def _out(dataset: Dataset, version: DatasetVersion, merge: Merge) -> ObservationsOut:
    return ObservationsOut(
        **dict(catalog.dataset_out(dataset, version)),
        appended=merge.appended,
        corrected=merge.corrected,
        unchanged=merge.unchanged,
        new_series=merge.new_series,
        detected=merge.detected,
        repairs=merge.repairs.listed,
        repairs_total=merge.repairs.total,
    )
