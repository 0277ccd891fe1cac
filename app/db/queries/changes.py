"""Which datasets have changed, told to every process by number."""

from sqlalchemy import select, update

from app.db.engine import DatasetRef, Session
from app.db.tables import Change, Clock


def note(session: Session, workspace_id: str, dataset_id: str) -> None:
    """Say that what a dataset's forecasts come from has changed, with the end of this transaction.

    To be called last: from here on everybody else who changes something waits for the commit.
    """
    number = session.scalar(update(Clock).values(value=Clock.value + 1).returning(Clock.value))
    session.merge(Change(workspace_id=workspace_id, dataset_id=dataset_id, number=number))
    session.info.setdefault("changed", set()).add(DatasetRef(workspace_id, dataset_id))


def newest(session: Session) -> int:
    """Return the number of the last change."""
    return session.scalars(select(Clock.value)).one()


def since(session: Session, number: int) -> set[DatasetRef]:
    """Return the datasets that have changed after a number, of any workspace."""
    query = select(Change.workspace_id, Change.dataset_id).where(Change.number > number)
    return {DatasetRef(*row) for row in session.execute(query)}
