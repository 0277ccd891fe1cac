"""Datasets, their versions and the index rows of their series.

An index row is valid from its version until the next row of the same series. So version v consists, for each
name, of the row with the greatest version up to v. A version that is missing or dropped has no rows.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, bindparam, exists, func, literal, select
from sqlalchemy.orm import aliased

from app.db.engine import DatasetRef, Session
from app.db.queries.scope import CHUNK, changeable, chunks, of, removable, visible
from app.db.tables import Dataset, DatasetVersion, Model, Schedule, Series

Pair = tuple[Dataset, DatasetVersion]


class Entry(NamedTuple):
    """The index row of a series, without its tail."""

    unique_id: str
    blob: int
    first_row: int
    length: int
    ahead: int
    observations: int
    start: int
    end: int
    static: dict[str, Any] | None


class LastWindow(NamedTuple):
    """The part of an index row that a forecast needs: the last values, their end, and the row's version."""

    unique_id: str
    version: int
    end: int
    tail: bytes


class Extent(NamedTuple):
    """The extremes of all series of a version."""

    shortest: int
    longest: int
    start: int
    end: int


Other = aliased(Series)
ENTRY = tuple(getattr(Series, name) for name in Entry._fields)
WINDOW = tuple(getattr(Series, name) for name in LastWindow._fields)


# On the table, not the class: the ORM's work for each statement takes as long as the query itself.
ROWS = Series.__table__.c
_OTHERS = Series.__table__.alias().c
SINCE = select(func.max(_OTHERS.version)).where(
    _OTHERS.workspace_id == bindparam("workspace_id"),
    _OTHERS.dataset_id == bindparam("dataset_id"),
    _OTHERS.version <= bindparam("version"),
    _OTHERS.unique_id == ROWS.unique_id,
)
_VERSIONS = DatasetVersion.__table__.c
IS_THERE = exists().where(
    _VERSIONS.workspace_id == bindparam("workspace_id"),
    _VERSIONS.dataset_id == bindparam("dataset_id"),
    _VERSIONS.version == bindparam("version"),
    _VERSIONS.dropped.is_(False),
)
LAST_WINDOWS = select(*(ROWS[name] for name in LastWindow._fields)).where(
    IS_THERE,
    ROWS.workspace_id == bindparam("workspace_id"),
    ROWS.dataset_id == bindparam("dataset_id"),
    ROWS.version == SINCE.scalar_subquery(),
    ROWS.unique_id.in_(bindparam("unique_ids", expanding=True)),
)


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


def add(session: Session, dataset: Dataset) -> Dataset:
    """Store a new dataset."""
    session.add(dataset)
    session.flush()
    return dataset


def shown(session: Session, ref: DatasetRef) -> int | None:
    """Return the version that a dataset shows, 0 if it is hidden, None if it does not exist."""
    query = select(Dataset.version).where(Dataset.workspace_id == ref.workspace_id)
    return session.scalar(query.where(Dataset.id == ref.dataset_id))


def show(session: Session, ref: DatasetRef, number: int) -> Dataset:
    """Show a version of a dataset; 0 hides the dataset."""
    query = changeable(Dataset, ref.workspace_id).where(Dataset.id == ref.dataset_id)
    return session.scalars(query.values(version=number).returning(Dataset)).one()


def remove_versions_and_models(session: Session, ref: DatasetRef) -> None:
    """Remove the versions, models and schedules of a dataset."""
    for table in (DatasetVersion, Model, Schedule):
        of_it = table.dataset_id == ref.dataset_id
        session.execute(removable(table, ref.workspace_id).where(of_it))


def page(
    session: Session, workspace_id: str, limit: int, before: str | None, name: str | None = None
) -> list[Pair]:
    """Return up to `limit` datasets older than the id `before`, newest first; of one name alone if given."""
    query = _with_version(workspace_id).order_by(Dataset.id.desc()).limit(limit)
    if name is not None:
        query = query.where(Dataset.name == name)
    if before is not None:
        query = query.where(Dataset.id < before)
    return [(dataset, version) for dataset, version in session.execute(query)]


def find(session: Session, workspace_id: str, dataset_id: str) -> Pair | None:
    """Return a dataset and its newest version, or None."""
    row = session.execute(_with_version(workspace_id).where(Dataset.id == dataset_id)).one_or_none()
    return None if row is None else (row[0], row[1])


def keep(session: Session, workspace_id: str, dataset_id: str) -> None:
    """Lock a dataset against deletion until this transaction ends."""
    session.execute(visible(Dataset, workspace_id).where(Dataset.id == dataset_id).with_for_update(read=True))


def lock(session: Session, workspace_id: str, dataset_id: str) -> None:
    """Lock a dataset against publishing, promotion and deletion until this transaction ends."""
    session.execute(visible(Dataset, workspace_id).where(Dataset.id == dataset_id).with_for_update())


def of_source(session: Session, workspace_id: str, source_sha256: str) -> list[Pair]:
    """Return the datasets whose source has this hash, newest first."""
    query = _with_version(workspace_id).where(DatasetVersion.source_sha256 == source_sha256)
    return [(dataset, version) for dataset, version in session.execute(query.order_by(Dataset.id.desc()))]


def version(session: Session, workspace_id: str, dataset_id: str, number: int) -> DatasetVersion | None:
    """Return one version of a dataset, or None."""
    query = visible(DatasetVersion, workspace_id).where(
        DatasetVersion.dataset_id == dataset_id,
        DatasetVersion.version == number,
        DatasetVersion.dropped.is_(False),
    )
    return session.scalars(query).one_or_none()


def add_version(session: Session, version: DatasetVersion) -> None:
    """Store a further version of a dataset."""
    session.add(version)
    session.flush()


def set_champion(session: Session, workspace_id: str, dataset_id: str, model_id: str | None) -> None:
    """Set the champion of a dataset, or clear it."""
    session.execute(
        changeable(Dataset, workspace_id).where(Dataset.id == dataset_id).values(champion_id=model_id)
    )


def delete(session: Session, workspace_id: str, dataset_id: str) -> None:
    """Remove a dataset; its versions, series and models go with it."""
    session.execute(removable(Dataset, workspace_id).where(Dataset.id == dataset_id))


def series_page(session: Session, version: DatasetVersion, limit: int, after: str | None) -> list[Series]:
    """Return up to `limit` series after the name `after`, by name."""
    # Sorted here: an ORDER BY makes SQLite walk through the whole index.
    return sorted(session.scalars(_page(version, limit, after, Series)), key=lambda row: row.unique_id)


def names_with(
    session: Session, version: DatasetVersion, part: str, limit: int, after: str | None
) -> list[str]:
    """Return up to `limit` names after the name `after` that hold a text in either case, sorted.

    The index alone is read, since rows are long.
    """
    query = select(Series.unique_id).where(
        *_until(version, Series), Series.unique_id.icontains(part, autoescape=True)
    )
    if after is not None:
        query = query.where(Series.unique_id > after)
    return list(session.scalars(query.distinct().order_by(Series.unique_id).limit(limit)))


def series_named(session: Session, version: DatasetVersion, unique_ids: Iterable[str]) -> list[Series]:
    """Return the series with these names, by name, without those that do not exist."""
    found = (session.scalars(_named(version, names, Series)) for names in chunks(sorted(set(unique_ids))))
    return sorted(chain.from_iterable(found), key=lambda row: row.unique_id)


def window_page(session: Session, version: DatasetVersion, limit: int, after: str | None) -> list[LastWindow]:
    """Return the last windows of up to `limit` series after the name `after`, by name."""
    return sorted(LastWindow(*row) for row in session.execute(_page(version, limit, after, *WINDOW)))


def row_page(
    session: Session, version: DatasetVersion, limit: int, after: str | None
) -> list[tuple[str, int]]:
    """Return name and version of the index rows of up to `limit` series after the name `after`, by name."""
    query = _page(version, limit, after, Series.unique_id, Series.version)
    return sorted((name, number) for name, number in session.execute(query))


def earliest_end(
    session: Session, version: DatasetVersion, unique_ids: Collection[str] = ()
) -> tuple[str, int] | None:
    """Return the name and end of the series that ends first, of those named or of all; None for none."""
    found = _select(version, Series.unique_id, Series.unique_id, Series.end)
    if unique_ids:
        found = found.where(Series.unique_id.in_(unique_ids))
    row = session.execute(found.order_by(Series.end, Series.unique_id).limit(1)).first()
    return None if row is None else (row[0], row[1])


def names(session: Session, version: DatasetVersion) -> list[str]:
    """Return the names of all series, sorted."""
    return sorted(session.scalars(_select(version, Series.unique_id, Series.unique_id)))


def last_windows(session: Session, version: DatasetVersion, unique_ids: Iterable[str]) -> list[LastWindow]:
    """Return the last windows of the series with these names, by name, without those that do not exist.

    The statement is built at import: building it takes longer than running it.
    """
    windows = []
    for names in chunks(sorted(set(unique_ids))):
        parameters = {
            "workspace_id": version.workspace_id,
            "dataset_id": version.dataset_id,
            "version": version.version,
            "unique_ids": names,
        }
        windows += [LastWindow(*row) for row in session.execute(LAST_WINDOWS, parameters)]
    return sorted(windows)


def entries_named(session: Session, version: DatasetVersion, unique_ids: Iterable[str]) -> list[Entry]:
    """Return the entries with these names, by name, without those that do not exist."""
    names = set(unique_ids)
    if len(names) > CHUNK:  # then it is quicker to read all
        return [entry for entry in entries(session, version) if entry.unique_id in names]
    return sorted(Entry(*row) for row in session.execute(_named(version, list(names), *ENTRY)))


def entries(session: Session, version: DatasetVersion) -> list[Entry]:
    """Return every entry, by name."""
    return sorted(Entry(*row) for row in session.execute(_select(version, Series.unique_id, *ENTRY)))


def entries_in(session: Session, version: DatasetVersion, numbers: Collection[int]) -> list[Entry]:
    """Return the entries in some of the dataset's blobs, by name."""
    query = _select(version, Series.unique_id, *ENTRY).where(Series.blob.in_(numbers))
    return sorted(Entry(*row) for row in session.execute(query))


def extent(session: Session, version: DatasetVersion) -> Extent:
    """Return the extremes over all series of a version."""
    extremes = (
        func.min(Series.length),
        func.max(Series.length),
        func.min(Series.start),
        func.max(Series.end),
    )
    return Extent(*session.execute(_select(version, Series.unique_id, *extremes)).one())


def most_ahead(session: Session, version: DatasetVersion) -> int:
    """Return the steps ahead of the series that has most."""
    query = _select(version, Series.unique_id, func.max(Series.ahead))
    return session.scalar(query) or 0


def _named(version: DatasetVersion, names: Sequence[str], *columns: Any) -> Any:
    # A single name as a literal lets the database look up its newest row once.
    unique_id = literal(names[0]) if len(names) == 1 else Series.unique_id
    return _select(version, unique_id, *columns).where(Series.unique_id.in_(names))


def _select(version: DatasetVersion, unique_id: Any, *columns: Any) -> Any:
    """Select from the rows of a version, in any order; `unique_id` is the expression for the name.

    A subquery looks up the newest row of each name in the index. Without statistics, as after an upload,
    Postgres would join a table of all newest rows row by row.
    """
    newest = select(func.max(Other.version)).where(*_until(version, Other), Other.unique_id == unique_id)
    return select(*columns).where(
        *of(version, Series), Series.version == newest.scalar_subquery(), _is_there(version)
    )


def _page(version: DatasetVersion, limit: int, after: str | None, *columns: Any) -> Any:
    names = _names(version, limit, after)
    query = _select(version, names.c.unique_id, *columns)
    return query.join(names, Series.unique_id == names.c.unique_id)


def _names(version: DatasetVersion, limit: int, after: str | None) -> CTE:
    """Return a table of up to `limit` names after the name `after`.

    Each name is looked up from the one before it: one step a name, however many rows a series has.
    """
    first = select(func.min(Other.unique_id)).where(*_until(version, Other))
    if after is not None:
        first = first.where(Other.unique_id > after)
    names = select(first.scalar_subquery().label("unique_id"), literal(1).label("number")).cte(recursive=True)
    following = select(func.min(Other.unique_id)).where(
        *_until(version, Other), Other.unique_id > names.c.unique_id
    )
    more = (names.c.unique_id.is_not(None), names.c.number < limit)
    return names.union_all(select(following.scalar_subquery(), names.c.number + 1).where(*more))


def _is_there(version: DatasetVersion) -> ColumnElement[bool]:
    """Require that a version exists: for a dropped one, older rows would be taken for its own."""
    return exists().where(
        *of(version, DatasetVersion),
        DatasetVersion.version == version.version,
        DatasetVersion.dropped.is_(False),
    )


def _until(version: DatasetVersion, row: Any) -> tuple[ColumnElement[bool], ...]:
    return (*of(version, row), row.version <= version.version)
