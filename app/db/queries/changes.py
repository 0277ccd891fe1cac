"""The change sequence: each process learns from it which datasets have changed."""

from sqlalchemy import select, update

from app.db.engine import DatasetRef, Session
from app.db.tables import Change, ChangeSequence


def record(session: Session, workspace_id: str, dataset_id: str) -> None:
    """Record that a dataset's forecasts may change when this transaction commits.

    Call it last: from here until the commit every other change waits for the sequence's row.
    """
    advanced = update(ChangeSequence).values(value=ChangeSequence.value + 1)
    number = session.scalar(advanced.returning(ChangeSequence.value))
    session.merge(Change(workspace_id=workspace_id, dataset_id=dataset_id, number=number))
    session.info.setdefault("changed", set()).add(DatasetRef(workspace_id, dataset_id))


def newest(session: Session) -> int:
    """Return the number of the last change."""
    return session.scalars(select(ChangeSequence.value)).one()


def since(session: Session, number: int) -> set[DatasetRef]:
    """Return the datasets of any workspace that changed after a number."""
    query = select(Change.workspace_id, Change.dataset_id).where(Change.number > number)
    return {DatasetRef(*row) for row in session.execute(query)}
