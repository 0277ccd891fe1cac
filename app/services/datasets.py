"""Datasets: what is uploaded, looked at and deleted."""

from collections.abc import Collection

import numpy as np

from app import blobs
from app.auth import Principal
from app.db.engine import DatasetRef, Session
from app.db.ids import new_id
from app.db.queries import changes, dataset_blobs
from app.db.queries import datasets as queries
from app.db.queries import models as model_queries
from app.db.tables import Dataset, DatasetVersion, Series
from app.errors import FieldError, NotFound
from app.intake.frame import Intake, TimeAxis
from app.schemas.datasets import (
    DatasetOut,
    DatasetPage,
    DatasetSummary,
    ObservationPage,
    SeriesOut,
    SeriesPage,
)
from app.services import jobs
from app.services import series as store
from app.services.paging import CountedPageRequest, PageRequest, cut


def create(
    session: Session, principal: Principal, name: str, intake: Intake, source_sha256: str
) -> DatasetOut:
    """Store a dataset under a new id, as its first version.

    Args:
        session: The caller's transaction.
        principal: The caller.
        name: A name for people.
        intake: The series as the intake read them.
        source_sha256: Hash of the bytes they were read from.
    """
    workspace_id, dataset_id = principal.workspace_id, new_id("ds")
    dataset = Dataset(workspace_id=workspace_id, id=dataset_id, name=name, version=1)
    version = DatasetVersion(
        workspace_id=workspace_id,
        dataset_id=dataset_id,
        version=1,
        axis=intake.frame.axis.to_dict(),
        profile=intake.profile.model_dump(mode="json"),
        source_sha256=source_sha256,
    )
    queries.add(session, dataset, version)
    store.write(session, DatasetRef(workspace_id, dataset_id), 1, store.pack([intake.frame]))
    return out(dataset, version)


def page(session: Session, principal: Principal, request: PageRequest) -> DatasetPage:
    """List the caller's datasets, newest first."""
    found = queries.page(session, principal.workspace_id, request.limit + 1, request.after)
    shown, following = cut(found, request, lambda pair: pair[0].id)
    return DatasetPage(datasets=[_summary(*pair) for pair in shown], next=following)


def get(session: Session, principal: Principal, dataset_id: str) -> DatasetOut:
    """Return a dataset with its profile."""
    return out(*find(session, principal, dataset_id))


def series_page(session: Session, principal: Principal, dataset_id: str, request: PageRequest) -> SeriesPage:
    """List the series of a dataset by name."""
    _, version = find(session, principal, dataset_id)
    axis = TimeAxis.from_dict(version.axis)
    found = queries.series_page(session, version, request.limit + 1, request.after)
    shown, following = cut(found, request, lambda row: row.unique_id)
    return SeriesPage(series=[_series_out(axis, row) for row in shown], next=following)


def observations(
    session: Session, principal: Principal, dataset_id: str, unique_id: str, request: CountedPageRequest
) -> ObservationPage:
    """Return observations of one series, oldest first."""
    dataset, version = find(session, principal, dataset_id)
    (row,) = named_series(session, version, [unique_id])
    ds, y = store.read(session, version, row)
    first, last = request.first, request.first + request.limit
    return ObservationPage(
        unique_id=unique_id,
        dataset_id=dataset.id,
        dataset_version=version.version,
        ds=TimeAxis.from_dict(version.axis).format(ds[first:last]),
        y=[None if np.isnan(value) else value for value in y[first:last].tolist()],
        next=str(last) if last < len(y) else None,
    )


def delete(session: Session, principal: Principal, dataset_id: str) -> None:
    """Delete a dataset, its models and whatever was stored for them; its unfinished jobs are cancelled."""
    find(session, principal, dataset_id)
    workspace_id = principal.workspace_id
    # First the jobs: a training that publishes meanwhile has either finished, and its model is among
    # those deleted below, or finds its job cancelled and publishes nothing.
    jobs.cancel_all(session, principal, dataset_id, "Its dataset was deleted.")
    queries.lock(session, workspace_id, dataset_id)
    models = model_queries.of_dataset(session, workspace_id, dataset_id)
    keys = dataset_blobs.keys(session, DatasetRef(workspace_id, dataset_id))
    blobs.release(session, workspace_id, keys + [key for model in models for key in model.blob_keys])
    queries.delete(session, workspace_id, dataset_id)
    changes.note(session, workspace_id, dataset_id)


def find(session: Session, principal: Principal, dataset_id: str) -> queries.Pair:
    """Return a dataset and its newest version.

    Raises NotFound if the caller has none under this id.
    """
    found = queries.find(session, principal.workspace_id, dataset_id)
    if found is None:
        raise NotFound(f"There is no dataset {dataset_id}. GET /datasets lists those there are.")
    return found


def of_source(session: Session, principal: Principal, source_sha256: str) -> str | None:
    """Return the id of the newest dataset made of the bytes with this hash, or nothing."""
    found = queries.find_by_source(session, principal.workspace_id, source_sha256)
    return None if found is None else found[0].id


def named_series(session: Session, version: DatasetVersion, unique_ids: list[str]) -> list[Series]:
    """Return the series of these names, by name.

    Raises NotFound if one of them is not in the dataset.
    """
    rows = queries.series_named(session, version, unique_ids)
    if missing := set(unique_ids) - {row.unique_id for row in rows}:
        raise no_such_series(version, missing)
    return rows


def no_such_series(version: DatasetVersion, unique_ids: Collection[str]) -> NotFound:
    """Return the error that says which series are not in a dataset."""
    missing = sorted(unique_ids)
    return NotFound(
        f"Dataset {version.dataset_id} has no series {', '.join(map(repr, missing))}. "
        f"GET /datasets/{version.dataset_id}/series lists those there are.",
        [FieldError("?unique_id", f"{name!r} is not there.") for name in missing],
    )


def out(dataset: Dataset, version: DatasetVersion) -> DatasetOut:
    """Return a dataset as it is shown at a version."""
    return DatasetOut.model_validate(
        {
            "id": dataset.id,
            "name": dataset.name,
            "version": dataset.version,
            "champion_id": dataset.champion_id,
            "created_at": dataset.created_at,
            "profile": version.profile,
        },
    )


def _summary(dataset: Dataset, version: DatasetVersion) -> DatasetSummary:
    described = out(dataset, version)
    return DatasetSummary.model_validate({**described.profile.model_dump(), **described.model_dump()})


def _series_out(axis: TimeAxis, row: Series) -> SeriesOut:
    start, end = axis.format(np.array([row.start, row.end]))
    return SeriesOut(
        unique_id=row.unique_id, length=row.length, observations=row.observations, start=start, end=end
    )
