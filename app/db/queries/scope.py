"""The start of every query on an owned table: the rows of one workspace."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Delete, Select, Update, delete, select, update

from app.db.engine import DatasetRef
from app.db.tables import DatasetVersion, Owned

CHUNK = 500  # names in one statement: SQLite limits the number of variables
Row = TypeVar("Row", bound=Owned)


def visible(table: type[Row], workspace_id: str) -> Select[Row]:
    """Select from the rows of one workspace."""
    return select(table).where(table.workspace_id == workspace_id)


def changeable(table: type[Owned], workspace_id: str) -> Update:
    """Update among the rows of one workspace."""
    return update(table).where(table.workspace_id == workspace_id)


def removable(table: type[Owned], workspace_id: str) -> Delete:
    """Delete among the rows of one workspace."""
    return delete(table).where(table.workspace_id == workspace_id)


def of(dataset: DatasetRef | DatasetVersion, table: Any) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the rows of one dataset."""
    return table.workspace_id == dataset.workspace_id, table.dataset_id == dataset.dataset_id


def chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield names in runs that fit one statement."""
    return (names[first : first + CHUNK] for first in range(0, len(names), CHUNK))
