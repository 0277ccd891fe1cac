"""Change a stored dataset: its name, the limits of its forecasts, its seasons."""

from dataclasses import asdict

from app.auth import Principal
from app.db.engine import DatasetRef, Session
from app.db.queries import changes as change_queries
from app.db.queries import datasets as queries
from app.db.tables import Dataset, DatasetVersion
from app.digest import sha256
from app.errors import BadInput, FieldError
from app.intake.time.axis import TimeAxis
from app.schemas.datasets import DatasetOut, DatasetUpdate, Profile
from app.schemas.fields import lengths_of
from app.services.datasets import catalog, drafts, seasons

LIMITS = ("lower", "upper", "integer")


def update(session: Session, principal: Principal, dataset_id: str, changes: DatasetUpdate) -> DatasetOut:
    """Change a dataset's name, limits or seasons, from the next forecast on.

    Raises NotFound if the caller has none under this id, BadInput for limits with nothing between them, and
    Busy while rows are being added to it in many transactions, for seasons.
    """
    ref = DatasetRef(principal.workspace_id, dataset_id)
    queries.lock(session, *ref)
    dataset, version = catalog.find(session, principal, dataset_id)
    dataset.name = changes.name or dataset.name
    _set_limits(dataset, changes)
    if changes.season_length is not None:
        version = _with_seasons(session, version, lengths_of(changes.season_length))
        dataset = queries.show(session, ref, version.version)
    session.flush()
    change_queries.record(session, *ref)
    return catalog.dataset_out(dataset, version)


def _set_limits(dataset: Dataset, changes: DatasetUpdate) -> None:
    limits = {name: getattr(changes, name) for name in LIMITS if name in changes.model_fields_set}
    if limits.get("integer", False) is None:
        del limits["integer"]
    for name, value in limits.items():
        setattr(dataset, name, value)
    try:
        catalog.limits_of(dataset)
    except ValueError as error:
        pointers = [FieldError(f"#/{name}", str(error)) for name in limits]
        raise BadInput(f"{error} Change both, or remove one by null.", pointers) from error


def _with_seasons(
    session: Session, version: DatasetVersion, season_lengths: tuple[int, ...] | None
) -> DatasetVersion:
    """Add a version of the same series with other seasons; return the version itself if it has them."""
    axis = TimeAxis.from_dict(version.axis)
    changed = axis.with_seasons(season_lengths)
    if changed == axis:
        return version
    drafts.refuse_busy(session, DatasetRef(version.workspace_id, version.dataset_id))
    profile = Profile.model_validate(version.profile)
    measured = seasons.of_stored(session, version, changed, profile.longest)
    found = profile.model_copy(update={"season_length": changed.season_length, "seasons": measured})
    new = DatasetVersion(
        workspace_id=version.workspace_id,
        dataset_id=version.dataset_id,
        version=version.version + 1,
        axis=asdict(changed),
        profile=found.model_dump(mode="json"),
        columns=version.columns,
        source_sha256=sha256(f"{version.source_sha256} {changed.seasons.key}".encode()),
    )
    queries.add_version(session, new)
    return new
