"""Old versions of datasets, and the index rows that only they need."""

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


def with_more_than(session: Session, count: int) -> list[DatasetRef]:
    """Return the datasets of any workspace with more than `count` versions, dropped ones included."""
    owner = DatasetVersion.workspace_id, DatasetVersion.dataset_id
    query = select(*owner).group_by(*owner).having(func.count() > count)
    return [DatasetRef(*row) for row in session.execute(query)]


def of_dataset(session: Session, ref: DatasetRef) -> list[Numbered]:
    """Return all versions of a dataset, oldest first."""
    query = select(DatasetVersion.version, DatasetVersion.dropped).where(*of(ref, DatasetVersion))
    return [Numbered(*row) for row in session.execute(query.order_by(DatasetVersion.version))]


def page(session: Session, ref: DatasetRef, limit: int, before: int | None) -> Sequence[DatasetVersion]:
    """Return up to `limit` versions of a dataset that are kept, below the number `before`, newest first."""
    query = select(DatasetVersion).where(*of(ref, DatasetVersion), DatasetVersion.dropped.is_(False))
    if before is not None:
        query = query.where(DatasetVersion.version < before)
    return session.scalars(query.order_by(DatasetVersion.version.desc()).limit(limit)).all()


def in_use(session: Session, ref: DatasetRef) -> set[int]:
    """Return the versions that models and unfinished jobs refer to."""
    # Jobs first: one that ends in between has stored a model, which the second query finds.
    jobs = select(Job.dataset_version).where(*of(ref, Job), Job.state.in_(UNFINISHED))
    models = select(Model.dataset_version).where(*of(ref, Model))
    return {*session.scalars(jobs), *session.scalars(models)}


def drop(session: Session, ref: DatasetRef, numbers: Collection[int]) -> None:
    """Hide versions."""
    query = changeable(DatasetVersion, ref.workspace_id).where(*of(ref, DatasetVersion))
    session.execute(query.where(DatasetVersion.version.in_(numbers)).values(dropped=True))


def remove(session: Session, ref: DatasetRef, number: int) -> None:
    """Remove a version, but not its index rows, which may be valid in later ones."""
    query = removable(DatasetVersion, ref.workspace_id).where(*of(ref, DatasetVersion))
    session.execute(query.where(DatasetVersion.version == number))


def superseded(session: Session, ref: DatasetRef, window: tuple[int, int, int], limit: int) -> Sequence[str]:
    """Return up to `limit` series with index rows that only versions being dropped need.

    `window` is (before, number, after): a dropped version `number` and the kept versions around it. A row
    from `before` to `number` is superseded if the series has a newer one up to `after`.
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
    """Remove the index rows of named series from version `first` to `last`, and return them."""
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
