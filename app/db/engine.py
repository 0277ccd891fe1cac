"""The connection to the database, and the only place where a transaction begins, commits or rolls back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    DataError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    TimeoutError,  # noqa: A004  # the pool's
)
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.errors import BadInput, Unavailable

__all__ = ["Database", "Session"]

BUSY_TIMEOUT_MS = 30_000
OTHER_SCHEMA = ("42P01", "42703")  # what Postgres says of a table or a column that is not there
POOL: dict[str, Any] = {"pool_size": 5, "max_overflow": 35}  # as many in all as the API has threads


class DatasetRef(NamedTuple):
    """Where a dataset is."""

    workspace_id: str
    dataset_id: str


class Database:
    """One database behind two engines: `reader` for looking, `writer` for changing.

    On SQLite a writer takes the write lock when its transaction begins: two transactions that both read and
    then write would otherwise meet a lock that waiting cannot solve. On Postgres both share connections.
    `on_change` hears of the datasets that a transaction of this process has changed, once it is committed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.writer = self._engine("BEGIN IMMEDIATE")
        self.reader = self._engine("BEGIN") if self.is_sqlite else self._snapshots()
        self.on_change: Callable[[set[DatasetRef]], None] = lambda _: None

    def _engine(self, begin: str) -> Engine:
        if not self.is_sqlite:
            return create_engine(self.url, pool_pre_ping=True, **POOL)
        engine = create_engine(self.url, **POOL)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    def _snapshots(self) -> Engine:
        """Return the writer's connections with every query of a transaction seeing the same state."""
        return self.writer.execution_options(isolation_level="REPEATABLE READ")

    @property
    def file(self) -> str:
        """The path of the SQLite file."""
        return make_url(self.url).database or ""

    @property
    def libpq_address(self) -> tuple[str, str | None]:
        """The address without the password, as Postgres' own programs read it, and the password."""
        url = make_url(self.url)
        bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
        return bare.render_as_string(), url.password

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for looking: one consistent view, nothing kept."""
        with answering(), Session(self.reader, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session for changing: committed at the end, rolled back by any exception."""
        with answering(), Session(self.writer, expire_on_commit=False) as session, session.begin():
            yield session
        if changed := session.info.get("changed"):
            self.on_change(changed)

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.writer.dispose()
        self.reader.dispose()


@contextmanager
def answering() -> Iterator[None]:
    """Turn a database that is away, locked or full into Unavailable, a value it cannot hold into BadInput."""
    try:
        yield
    except (DataError, UnicodeEncodeError, OverflowError) as error:
        raise BadInput(
            "A text or number of this call cannot be stored: texts must be without NUL and lone surrogates, "
            "whole numbers within 64 bits."
        ) from error
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) not in OTHER_SCHEMA:
            raise
        raise Unavailable("The database is not migrated to this version; run `gatecast migrate`.") from error
    except (OperationalError, InterfaceError, TimeoutError) as error:
        raise Unavailable(
            "The database does not answer. Try again in a moment; if that does not help, look at "
            "GATECAST_DATABASE_URL, the database's own log and the space on its disk."
        ) from error


def _set_up_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    raw: Any = connection
    raw.isolation_level = None  # the driver's own transaction handling would begin late and deferred
    for pragma in ("journal_mode=WAL", f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON"):
        raw.execute(f"PRAGMA {pragma}")
