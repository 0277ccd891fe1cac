"""Drafts: versions that are being stored, and what remains of abandoned ones."""

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
    """Return the draft of a dataset, or None."""
    query = visible(Draft, ref.workspace_id).where(Draft.dataset_id == ref.dataset_id)
    return session.scalars(query).one_or_none()


def every(session: Session) -> list[tuple[Draft, datetime]]:
    """Return the drafts of all workspaces, each with the present time by the clock of `touched_at`."""
    now = type_coerce(func.now(), UtcDateTime())
    return [(draft, moment) for draft, moment in session.execute(select(Draft, now))]


def touch(session: Session, ref: DatasetRef, draft_id: str) -> bool:
    """Mark a draft as in progress; return False if it was taken over or removed."""
    query = changeable(Draft, ref.workspace_id).where(*of(ref, Draft), Draft.id == draft_id)
    return session.scalar(query.values(touched_at=func.now()).returning(Draft.id)) is not None


def take_over(session: Session, draft: Draft, draft_id: str) -> bool:
    """Take a draft away from its process, under a new id; return False if another process was first."""
    ref = DatasetRef(draft.workspace_id, draft.dataset_id)
    query = changeable(Draft, ref.workspace_id).where(*of(ref, Draft), Draft.id == draft.id)
    return session.scalar(query.values(id=draft_id, touched_at=func.now()).returning(Draft.id)) is not None


def remove(session: Session, ref: DatasetRef) -> None:
    """Remove the draft of a dataset, but not the series stored for it."""
    session.execute(removable(Draft, ref.workspace_id).where(*of(ref, Draft)))


def hidden(session: Session) -> list[DatasetRef]:
    """Return the datasets of any workspace that show no version and have no draft."""
    written = exists().where(Draft.workspace_id == Dataset.workspace_id, Draft.dataset_id == Dataset.id)
    query = select(Dataset.workspace_id, Dataset.id).where(Dataset.version == 0, ~written)
    return [DatasetRef(*row) for row in session.execute(query)]


def remove_rows(session: Session, ref: DatasetRef, after: int, limit: int) -> list[Row]:
    """Remove up to `limit` index rows newer than a version, and return them."""
    place = tuple_(Series.version, Series.unique_id)
    some = (
        select(Series.version, Series.unique_id).where(*of(ref, Series), Series.version > after).limit(limit)
    )
    query = removable(Series, ref.workspace_id).where(*of(ref, Series), place.in_(some))
    return [Row(*row) for row in session.execute(query.returning(*ROW))]
