"""Where every query on an owned table starts: with what the workspace may see."""

from typing import TypeVar

from sqlalchemy import Delete, Select, Update, delete, select, update

from app.db.tables import Owned

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
