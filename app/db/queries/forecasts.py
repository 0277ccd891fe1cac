"""What forecasts are answered from without a pass: stored chunks, and the pretrained network's backtests."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, exists, func, or_, select

from app.db.engine import DatasetRef, Session
from app.db.queries.datasets import IS_THERE, ROWS, SINCE
from app.db.queries.jobs import UNFINISHED
from app.db.queries.scope import changeable, chunks, of, removable, visible
from app.db.tables import (
    Dataset,
    DatasetVersion,
    ForecastChunk,
    Job,
    PretrainedBacktest,
    Process,
    Series,
    StoredForecasts,
)


class Placed(NamedTuple):
    """A series, the version of its index row, and the chunk in which its forecast would be; None for none."""

    unique_id: str
    version: int
    data: bytes | None


# On the tables, not the classes: the ORM's work for each statement takes as long as the query itself.
_CHUNKS = ForecastChunk.__table__.c
_BEFORE = ForecastChunk.__table__.alias().c
_FIRST_NAME = select(func.max(_BEFORE.first_name)).where(
    _BEFORE.workspace_id == bindparam("workspace_id"),
    _BEFORE.stored_id == bindparam("stored_id"),
    _BEFORE.first_name <= ROWS.unique_id,
)
_OF_NAME = (
    (_CHUNKS.workspace_id == bindparam("workspace_id"))
    & (_CHUNKS.stored_id == bindparam("stored_id"))
    & (_CHUNKS.first_name == _FIRST_NAME.scalar_subquery())
)
PLACED = (
    select(ROWS.unique_id, ROWS.version, _CHUNKS.data)
    .outerjoin_from(Series.__table__, ForecastChunk.__table__, _OF_NAME)
    .where(
        IS_THERE,
        ROWS.workspace_id == bindparam("workspace_id"),
        ROWS.dataset_id == bindparam("dataset_id"),
        ROWS.version == SINCE.scalar_subquery(),
        ROWS.unique_id.in_(bindparam("unique_ids", expanding=True)),
    )
)


def placed(
    session: Session, version: DatasetVersion, stored_id: str, unique_ids: Collection[str]
) -> list[Placed]:
    """Return the series with these names, each with its chunk, without those that do not exist.

    The statement is built at import: building it takes longer than running it.
    """
    found = []
    for names in chunks(sorted(unique_ids)):
        parameters = {
            "workspace_id": version.workspace_id,
            "dataset_id": version.dataset_id,
            "version": version.version,
            "stored_id": stored_id,
            "unique_ids": names,
        }
        found += [Placed(*row) for row in session.execute(PLACED, parameters)]
    return found


def between(session: Session, workspace_id: str, stored_id: str, first: str, last: str) -> Sequence[bytes]:
    """Return the chunks that hold the names from `first` to `last`, by name."""
    own = _of_stored(workspace_id, stored_id)
    start = select(func.max(ForecastChunk.first_name)).where(*own, ForecastChunk.first_name <= first)
    query = select(ForecastChunk.data).where(
        *own,
        ForecastChunk.first_name >= func.coalesce(start.scalar_subquery(), first),
        ForecastChunk.first_name <= last,
    )
    return session.scalars(query.order_by(ForecastChunk.first_name)).all()


def first_names(session: Session, workspace_id: str, stored_id: str) -> Sequence[str]:
    """Return the first name in each chunk, sorted."""
    query = select(ForecastChunk.first_name).where(*_of_stored(workspace_id, stored_id))
    return session.scalars(query.order_by(ForecastChunk.first_name)).all()


def chunk(session: Session, workspace_id: str, stored_id: str, first_name: str) -> bytes:
    """Return the chunk that begins with a name."""
    query = select(ForecastChunk.data).where(*_of_stored(workspace_id, stored_id))
    return session.scalars(query.where(ForecastChunk.first_name == first_name)).one()


def replace_chunk(
    session: Session, workspace_id: str, stored_id: str, old: str | None, new: Mapping[str, bytes]
) -> None:
    """Store chunks by their first names, in place of the one that began with `old`; None for none."""
    own = removable(ForecastChunk, workspace_id).where(ForecastChunk.stored_id == stored_id)
    if old is not None:
        session.execute(own.where(ForecastChunk.first_name == old))
    rows = [
        {"workspace_id": workspace_id, "stored_id": stored_id, "first_name": name, "data": data}
        for name, data in new.items()
    ]
    session.execute(ForecastChunk.__table__.insert(), rows)  # type: ignore[attr-defined]  # it is a table


def of_model(session: Session, workspace_id: str, model_id: str, basis: str) -> StoredForecasts | None:
    """Return what is stored of a model's forecasts on a basis, or None."""
    query = visible(StoredForecasts, workspace_id).where(
        StoredForecasts.model_id == model_id, StoredForecasts.basis == basis
    )
    return session.scalars(query).one_or_none()


def add(session: Session, stored: StoredForecasts) -> None:
    """Begin to store forecasts."""
    session.add(stored)
    session.flush()


def hold(session: Session, workspace_id: str, stored_id: str, holder_id: str) -> bool:
    """Let a worker store forecasts until the end of this transaction, or go on with that later.

    Returns False if another worker that lives does, or nothing is left to be stored.
    """
    lives = exists().where(Process.id == StoredForecasts.holder_id, Process.stopped.is_(False))
    query = changeable(StoredForecasts, workspace_id).where(
        StoredForecasts.id == stored_id,
        or_(StoredForecasts.holder_id.is_(None), StoredForecasts.holder_id == holder_id, ~lives),
    )
    held = query.values(holder_id=holder_id).returning(StoredForecasts.id)
    return session.scalar(held) is not None


def complete(session: Session, workspace_id: str, stored_id: str, version: int) -> None:
    """Record that all series are stored as they are in a version, and that no worker stores any more."""
    query = changeable(StoredForecasts, workspace_id).where(StoredForecasts.id == stored_id)
    session.execute(query.values(version=version, holder_id=None))


def belongs_to(session: Session, workspace_id: str, stored_id: str, model_id: str) -> None:
    """Record the model that forecasts were stored of before it was published; a worker may go on with it."""
    query = changeable(StoredForecasts, workspace_id).where(StoredForecasts.id == stored_id)
    session.execute(query.values(model_id=model_id, holder_id=None))


def remove_others(session: Session, workspace_id: str, model_id: str, stored_id: str) -> None:
    """Remove what a model has stored under other ids."""
    query = removable(StoredForecasts, workspace_id).where(
        StoredForecasts.model_id == model_id, StoredForecasts.id != stored_id
    )
    session.execute(query)


def remove_of_job(session: Session, workspace_id: str, job_id: str) -> None:
    """Remove what an earlier attempt at a training has stored."""
    query = removable(StoredForecasts, workspace_id).where(
        StoredForecasts.job_id == job_id, StoredForecasts.model_id.is_(None)
    )
    session.execute(query)


def unpublished(session: Session) -> list[tuple[str, str]]:
    """Return workspace and job of what was stored for models that no training will publish any more."""
    at_work = exists().where(
        Job.workspace_id == StoredForecasts.workspace_id,
        Job.id == StoredForecasts.job_id,
        Job.state.in_(UNFINISHED),
    )
    query = select(StoredForecasts.workspace_id, StoredForecasts.job_id)
    return [
        (workspace_id, str(job_id))
        for workspace_id, job_id in session.execute(query.where(StoredForecasts.model_id.is_(None), ~at_work))
    ]


def with_champion(session: Session) -> list[DatasetRef]:
    """Return the datasets of any workspace that a model of their own forecasts."""
    query = select(Dataset.workspace_id, Dataset.id).where(
        Dataset.champion_id.is_not(None), Dataset.version > 0
    )
    return [DatasetRef(*row) for row in session.execute(query)]


def changed_series(session: Session, version: DatasetVersion, since: int) -> list[str]:
    """Return the names of the series that a version has and `since` had otherwise, or not at all, sorted."""
    query = select(Series.unique_id).where(
        *of(version, Series), Series.version > since, Series.version <= version.version
    )
    return sorted(set(session.scalars(query)))


def find_backtest(session: Session, version: DatasetVersion, horizon: int) -> PretrainedBacktest | None:
    """Return the pretrained network's backtest on a version for a horizon, or None."""
    query = visible(PretrainedBacktest, version.workspace_id).where(
        *of(version, PretrainedBacktest),
        PretrainedBacktest.version == version.version,
        PretrainedBacktest.horizon == horizon,
    )
    return session.scalars(query).one_or_none()


def put_backtest(session: Session, backtest: PretrainedBacktest) -> None:
    """Store a backtest in place of the one for the same version and horizon."""
    session.merge(backtest)
    session.flush()


def _of_stored(workspace_id: str, stored_id: str) -> tuple[ColumnElement[bool], ...]:
    return ForecastChunk.workspace_id == workspace_id, ForecastChunk.stored_id == stored_id
