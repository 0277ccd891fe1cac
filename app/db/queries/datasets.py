"""Datasets, their versions and the index rows of their series."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert, select

from app.db.engine import Session
from app.db.queries.scope import changeable, removable, visible
from app.db.tables import Dataset, DatasetVersion, Series

Pair = tuple[Dataset, DatasetVersion]


def _with_version(workspace_id: str) -> Any:
    newest = (
        (DatasetVersion.workspace_id == Dataset.workspace_id)
        & (DatasetVersion.dataset_id == Dataset.id)
        & (DatasetVersion.version == Dataset.version)
    )
    return (
        select(Dataset, DatasetVersion)
        .join(DatasetVersion, newest)
        .where(Dataset.workspace_id == workspace_id)
    )


def add(
    session: Session, dataset: Dataset, version: DatasetVersion, series: Iterable[dict[str, Any]]
) -> None:
    """Store a new dataset with its first version."""
    session.add(dataset)
    session.flush()
    session.add(version)
    session.flush()
    session.execute(insert(Series), list(series))


def page(session: Session, workspace_id: str, limit: int, before: str | None) -> list[Pair]:
    """Return up to `limit` datasets, newest first, older than the id `before`."""
    query = _with_version(workspace_id).order_by(Dataset.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Dataset.id < before)
    return [(dataset, version) for dataset, version in session.execute(query)]


def find(session: Session, workspace_id: str, dataset_id: str) -> Pair | None:
    """Return a dataset and its newest version, or nothing."""
    row = session.execute(_with_version(workspace_id).where(Dataset.id == dataset_id)).one_or_none()
    return None if row is None else (row[0], row[1])


def keep(session: Session, workspace_id: str, dataset_id: str) -> None:
    """Keep a dataset from being deleted before this transaction ends."""
    session.execute(visible(Dataset, workspace_id).where(Dataset.id == dataset_id).with_for_update(read=True))


def lock(session: Session, workspace_id: str, dataset_id: str) -> None:
    """Let nobody else publish, change, promote or delete in a dataset before this transaction ends."""
    session.execute(visible(Dataset, workspace_id).where(Dataset.id == dataset_id).with_for_update())


def find_by_source(session: Session, workspace_id: str, source_sha256: str) -> Pair | None:
    """Return the newest dataset made of these very bytes, or nothing."""
    query = _with_version(workspace_id).where(DatasetVersion.source_sha256 == source_sha256)
    row = session.execute(query.order_by(Dataset.id.desc()).limit(1)).one_or_none()
    return None if row is None else (row[0], row[1])


def version(session: Session, workspace_id: str, dataset_id: str, number: int) -> DatasetVersion | None:
    """Return one version of a dataset, or nothing."""
    query = visible(DatasetVersion, workspace_id).where(
        DatasetVersion.dataset_id == dataset_id, DatasetVersion.version == number
    )
    return session.scalars(query).one_or_none()


def blob_keys(session: Session, workspace_id: str, dataset_id: str) -> list[str]:
    """Return the keys of every blob of every version."""
    query = visible(DatasetVersion, workspace_id).where(DatasetVersion.dataset_id == dataset_id)
    return [key for found in session.scalars(query) for key in found.blob_keys]


def set_champion(session: Session, workspace_id: str, dataset_id: str, model_id: str | None) -> None:
    """Make a model the one that the dataset forecasts with, or none."""
    session.execute(
        changeable(Dataset, workspace_id).where(Dataset.id == dataset_id).values(champion_id=model_id)
    )


def delete(session: Session, workspace_id: str, dataset_id: str) -> None:
    """Remove a dataset; its versions, series and models go with it."""
    session.execute(removable(Dataset, workspace_id).where(Dataset.id == dataset_id))


def series_page(session: Session, version: DatasetVersion, limit: int, after: str | None) -> list[Series]:
    """Return up to `limit` series by name, those after the name `after`."""
    query = _series(version).order_by(Series.unique_id).limit(limit)
    if after is not None:
        query = query.where(Series.unique_id > after)
    return list(session.scalars(query))


def series_named(session: Session, version: DatasetVersion, unique_ids: list[str]) -> list[Series]:
    """Return the series with these names, by name; names that are not there are left out."""
    query = _series(version).where(Series.unique_id.in_(unique_ids))
    return list(session.scalars(query.order_by(Series.unique_id)))


def _series(version: DatasetVersion) -> Any:
    return visible(Series, version.workspace_id).where(
        Series.dataset_id == version.dataset_id, Series.version == version.version
    )
