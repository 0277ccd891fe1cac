"""Alembic's entry: run the migrations on the connection handed in, or on the one the settings name."""

from alembic import context
from sqlalchemy import Connection, text

from app.db.engine import Database
from app.db.tables import Base
from app.settings import load_settings

LOCK = 7_203_117  # any number, as long as every process takes the same one


def _run(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        include_name=_is_ours,
    )
    context.run_migrations()


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave the job engine's tables alone: on SQLite they share the file with ours."""
    return kind != "table" or name in Base.metadata.tables


if "connection" in context.config.attributes:
    _run(context.config.attributes["connection"])
else:
    with Database(load_settings().database_url).migrate() as own_connection:
        _run(own_connection)
