"""Versions that are to go, and the index rows that only they need."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app.db.engine import DatasetRef, Session
from app.db.queries.dataset_blobs import ROW, Row
from app.db.queries.jobs import UNFINISHED
from app.db.queries.scope import changeable, chunks, of, removable
from app.db.tables import DatasetVersion, Job, Model, Series


class Numbered(NamedTuple):
    """A version, and whether it was dropped."""

    number: int
    dropped: bool


Older = aliased(Series)


def with_more(session: Session, count: int) -> list[DatasetRef]:
    """Return the datasets, of any workspace, with more than so many versions, dropped ones included."""
    owner = DatasetVersion.workspace_id, DatasetVersion.dataset_id
    query = select(*owner).group_by(*owner).having(func.count() > count)
    return [DatasetRef(*row) for row in session.execute(query)]


def of_dataset(session: Session, ref: DatasetRef) -> list[Numbered]:
    """Return all versions of a dataset, the oldest first."""
    query = select(DatasetVersion.version, DatasetVersion.dropped).where(*of(ref, DatasetVersion))
    return [Numbered(*row) for row in session.execute(query.order_by(DatasetVersion.version))]


def in_use(session: Session, ref: DatasetRef) -> set[int]:
    """Return the versions that models, or jobs on their way to one, have learned from."""
    # The jobs first: one that ends in between leaves a model, which is then seen.
    jobs = select(Job.dataset_version).where(*of(ref, Job), Job.state.in_(UNFINISHED))
    models = select(Model.dataset_version).where(*of(ref, Model))
    return {*session.scalars(jobs), *session.scalars(models)}


def drop(session: Session, ref: DatasetRef, numbers: Collection[int]) -> None:
    """Show versions to nobody any more."""
    query = changeable(DatasetVersion, ref.workspace_id).where(*of(ref, DatasetVersion))
    session.execute(query.where(DatasetVersion.version.in_(numbers)).values(dropped=True))


def remove(session: Session, ref: DatasetRef, number: int) -> None:
    """Remove a version; index rows that came with it may still hold."""
    query = removable(DatasetVersion, ref.workspace_id).where(*of(ref, DatasetVersion))
    session.execute(query.where(DatasetVersion.version == number))


def outlived(session: Session, ref: DatasetRef, window: tuple[int, int, int], limit: int) -> Sequence[str]:
    """Return up to `limit` series of which a version has rows that no other version needs.

    `window` is the version between those that stay before and after it: a row from between the one and it
    goes where there is another from between it and the other.
    """
    before, number, after = window
    older = select(Older.unique_id).where(
        *of(ref, Older), Older.unique_id == Series.unique_id, Older.version > before, Older.version <= number
    )
    query = select(Series.unique_id).where(
        *of(ref, Series), Series.version > number, Series.version <= after, older.exists()
    )
    return session.scalars(query.distinct().limit(limit)).all()


def remove_rows(session: Session, ref: DatasetRef, names: Sequence[str], first: int, last: int) -> list[Row]:
    """Remove the index rows of some series from a version to another, and return them."""
    rows: list[Row] = []
    for some in chunks(names):
        query = removable(Series, ref.workspace_id).where(
            *of(ref, Series),
            Series.unique_id.in_(some),
            Series.version >= first,
            Series.version <= last,
        )
        rows += [Row(*row) for row in session.execute(query.returning(*ROW))]
    return rows
