"""Versions that are being written, and what is left of those that nobody goes on with."""

from datetime import datetime

from sqlalchemy import exists, func, select, tuple_, type_coerce

from app.db.engine import DatasetRef, Session
from app.db.queries.dataset_blobs import ROW, Row
from app.db.queries.scope import changeable, of, removable, visible
from app.db.tables import Dataset, Draft, Series, UtcDateTime


def add(session: Session, draft: Draft) -> None:
    """Store a draft."""
    session.add(draft)
    session.flush()


def find(session: Session, ref: DatasetRef) -> Draft | None:
    """Return the draft of a dataset, or nothing."""
    query = visible(Draft, ref.workspace_id).where(Draft.dataset_id == ref.dataset_id)
    return session.scalars(query).one_or_none()


def every(session: Session) -> list[tuple[Draft, datetime]]:
    """Return the drafts of all workspaces, each with the time by the clock that it was touched by."""
    now = type_coerce(func.now(), UtcDateTime())
    return [(draft, moment) for draft, moment in session.execute(select(Draft, now))]


def touch(session: Session, ref: DatasetRef, draft_id: str) -> bool:
    """Say that a draft is gone on with; False if it is another's by now, or gone."""
    query = changeable(Draft, ref.workspace_id).where(*of(ref, Draft), Draft.id == draft_id)
    return session.scalar(query.values(touched_at=func.now()).returning(Draft.id)) is not None


def take_over(session: Session, draft: Draft, draft_id: str) -> bool:
    """Let whoever wrote a draft have it no more; False if somebody else was quicker."""
    ref = DatasetRef(draft.workspace_id, draft.dataset_id)
    query = changeable(Draft, ref.workspace_id).where(*of(ref, Draft), Draft.id == draft.id)
    return session.scalar(query.values(id=draft_id, touched_at=func.now()).returning(Draft.id)) is not None


def remove(session: Session, ref: DatasetRef) -> None:
    """Remove the draft of a dataset; what was written of it stays."""
    session.execute(removable(Draft, ref.workspace_id).where(*of(ref, Draft)))


def unseen(session: Session) -> list[DatasetRef]:
    """Return the datasets, of any workspace, without a version to show that nobody writes either."""
    written = exists().where(Draft.workspace_id == Dataset.workspace_id, Draft.dataset_id == Dataset.id)
    query = select(Dataset.workspace_id, Dataset.id).where(Dataset.version == 0, ~written)
    return [DatasetRef(*row) for row in session.execute(query)]


def remove_rows(session: Session, ref: DatasetRef, after: int, limit: int) -> list[Row]:
    """Remove up to `limit` index rows that came after a version, and return them."""
    place = tuple_(Series.version, Series.unique_id)
    some = (
        select(Series.version, Series.unique_id).where(*of(ref, Series), Series.version > after).limit(limit)
    )
    query = removable(Series, ref.workspace_id).where(*of(ref, Series), place.in_(some))
    return [Row(*row) for row in session.execute(query.returning(*ROW))]
