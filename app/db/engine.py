"""Connections to the database: the only place where a transaction begins, commits or rolls back."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    TimeoutError,  # noqa: A004  # the pool's
)
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.db import postgres
from app.db.postgres import WAIT_S, Limits
from app.errors import BadInput, InsufficientStorage, Unavailable
from app.settings import MEBIBYTE

__all__ = ["Database", "Session"]

BUSY_TIMEOUT_MS = 30_000
OUT_OF_RANGE = "22003"  # Postgres: a number is outside the range of its column
OTHER_SCHEMA = ("42P01", "42703")  # Postgres: a table or a column does not exist
# The most connections of a process for each purpose, so that none waits for another's. Postgres allows 97 by
# default, besides its superuser's. Four API processes use 4 * (8 + 6 + 2) = 64 of them. The other 33 suffice
# for four workers, each with up to 8, those of its training included.
READING, WRITING, WATCHING = 8, 6, 2
PRIVATE = 0o600
RESERVE = 16 * MEBIBYTE  # for what is written beside a body: SQLite's log and the job engine's rows
FULL = (
    "The database's disk is full. Make room on it, by deleting datasets or models or by giving it more, and "
    "send the call again."
)
# SQLITE_FULL, and SQLITE_IOERR_WRITE, _FSYNC and _SHMSIZE, which a full disk causes at other files.
SQLITE_FULL, POSTGRES_FULL = (13, 778, 1034, 4874), "53100"
POSTGRES_LOCKED = "55P03"
POSTGRES_IDLE = "25P03"  # the server ended a transaction that was idle for too long


class DatasetRef(NamedTuple):
    """The key of a dataset."""

    workspace_id: str
    dataset_id: str


class Database:
    """One database behind several engines, each with connections of its own, opened on demand.

    `writer` is for transactions that change rows, `reader` for queries, and `watcher` for polls that must not
    wait for readers. On SQLite a writer takes the write lock when its transaction begins: two transactions
    that read and then write would deadlock otherwise. `on_change` is called with the datasets that a
    transaction of this process changed, after its commit.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.writer = _sqlite_engine(url, WRITING, WAIT_S, writing=True)
            self.reader, self.watcher = (_sqlite_engine(url, size, WAIT_S) for size in (READING, WATCHING))
        else:
            self.writer = _postgres_engine(url, WRITING, postgres.WRITING, writing=True)
            self.reader = _postgres_engine(url, READING, postgres.READING)
            self.watcher = _postgres_engine(url, WATCHING, postgres.WATCHING)
        self._at_once = _sqlite_engine(url, 1, wait_s=0) if self.is_sqlite else None
        self.on_change: Callable[[set[DatasetRef]], None] = lambda _: None

    @property
    def file(self) -> str:
        """Return the path of the SQLite file."""
        return make_url(self.url).database or ""

    def make_private(self) -> None:
        """Let only its owner read an existing SQLite file, whatever the umask was when it was created."""
        for name in (self.file, f"{self.file}-wal", f"{self.file}-shm"):
            with suppress(OSError):  # it does not exist, or belongs to another user
                Path(name).chmod(PRIVATE)

    @property
    def free_bytes(self) -> int:
        """Return the free space on the disk of the SQLite file."""
        return shutil.disk_usage(Path(self.file).absolute().parent).free

    def require_storage(self, size: int) -> None:
        """Raise InsufficientStorage if the disk of a SQLite file has no room for a body of `size` bytes."""
        if self.is_sqlite and (free := self.free_bytes) < size + RESERVE:
            raise InsufficientStorage(
                f"The database's disk has {free // MEBIBYTE} MiB left, too little for a body of "
                f"{size / MEBIBYTE:.1f} MiB. Make room by deleting datasets or models, or give it more."
            )

    @property
    def libpq_address(self) -> tuple[str, str | None]:
        """Return the address without the password, as Postgres' own programs read it, and the password."""
        url = make_url(self.url)
        bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
        return bare.render_as_string(), url.password

    def read(self) -> AbstractContextManager[Session]:
        """Open a session for reading: one consistent snapshot, never committed."""
        return _reading(self.reader)

    def watch(self) -> AbstractContextManager[Session]:
        """Open a session for reading that waits for no other reader."""
        return _reading(self.watcher)

    def read_at_once(self) -> AbstractContextManager[Session]:
        """Open a session for a short query in the event loop; raises Unavailable instead of any wait.

        Only if `is_sqlite`: other databases make a query wait for the network.
        """
        assert self._at_once is not None  # noqa: S101  # as said above
        return _reading(self._at_once)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session for writing; commit it at the end, roll it back on any exception."""
        with translate_errors(), Session(self.writer, expire_on_commit=False) as session, session.begin():
            yield session
        if changed := session.info.get("changed"):
            self.on_change(changed)

    @contextmanager
    def migrate(self) -> Iterator[Connection]:
        """Open a connection for migrations, in one transaction without time limits."""
        with translate_errors():
            if self.is_sqlite:
                with self.writer.begin() as connection:
                    yield connection
                return
            engine = _postgres_engine(self.url, 1, postgres.MIGRATING, writing=True)
            try:
                with engine.begin() as connection:
                    yield connection
            finally:
                engine.dispose()

    def dispose(self) -> None:
        """Close every pooled connection."""
        for engine in (self.writer, self.reader, self.watcher, self._at_once):
            if engine is not None:
                engine.dispose()


def _sqlite_engine(url: str, size: int, wait_s: int, *, writing: bool = False) -> Engine:
    """Return an engine whose statements wait for locks, unless `wait_s` is 0."""
    engine = create_engine(url, pool_size=size, max_overflow=0, pool_timeout=wait_s)
    busy_ms, begin = BUSY_TIMEOUT_MS if wait_s else 0, "BEGIN IMMEDIATE" if writing else "BEGIN"
    event.listen(engine, "do_connect", _create_private)
    event.listen(engine, "connect", partial(_set_up_sqlite, busy_ms))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    event.listen(engine, "handle_error", _raise_unstorable)
    return engine


def _postgres_engine(url: str, size: int, limits: Limits, *, writing: bool = False) -> Engine:
    """Return an engine; without `writing`, all queries of a transaction see one snapshot."""
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_size=size,
        max_overflow=0,
        pool_timeout=WAIT_S,
        connect_args=postgres.connect_args(make_url(url), limits),
        isolation_level="READ COMMITTED" if writing else "REPEATABLE READ",
    )

    def connect(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> Any:
        return postgres.connect(limits, arguments, options)

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "handle_error", _raise_unstorable)
    return engine


@contextmanager
def _reading(engine: Engine) -> Iterator[Session]:
    with translate_errors(), Session(engine, autoflush=False, expire_on_commit=False) as session:
        yield session


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise Unavailable for a database that is unreachable, locked, full or not migrated."""
    try:
        yield
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) not in OTHER_SCHEMA:
            raise
        raise Unavailable("The database is not migrated to this version; run `gatecast migrate`.") from error
    except TimeoutError as error:
        raise Unavailable(
            "Every connection that this process has to the database is at work. Ask again in a moment; if "
            "that happens often, start more processes by `gatecast serve --workers`."
        ) from error
    except (OperationalError, InterfaceError) as error:
        raise _unavailable(error) from error
    except InternalError as error:
        if getattr(error.orig, "sqlstate", None) != POSTGRES_IDLE:
            raise
        raise _unavailable(error) from error


def _unavailable(error: DBAPIError) -> Unavailable:
    """Return the error that a driver's error means to a caller."""
    if _is_full(error.orig):
        return InsufficientStorage(FULL)
    if getattr(error.orig, "sqlstate", None) == POSTGRES_LOCKED:
        return Unavailable(
            "Another process holds what this call has to change, for longer than is waited for. Try again in "
            "a moment; one that stands still loses it within seconds."
        )
    return Unavailable(
        "The database does not answer. Try again in a moment; if that does not help, look at "
        "GATECAST_DATABASE_URL, the database's own log and the space on its disk."
    )


def _is_full(error: BaseException | None) -> bool:
    """Return whether a driver's error means that the disk is full."""
    return (
        getattr(error, "sqlite_errorcode", None) in SQLITE_FULL
        or getattr(error, "sqlstate", None) == POSTGRES_FULL
    )


def _create_private(_dialect: object, _record: object, arguments: list[Any], _options: object) -> None:
    """Create a database's file for its owner alone, before SQLite creates it with the umask's mode.

    An existing file must not be opened here: to close it would drop all locks that SQLite holds on it in this
    process, and two processes could damage it.
    """
    with suppress(OSError):  # it exists, or SQLite reports what is wrong with its folder
        os.close(os.open(str(arguments[0]), os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE))


def _raise_unstorable(context: ExceptionContext) -> None:
    """Raise BadInput for a value that the database cannot store.

    Called for errors of statements alone; elsewhere the same exceptions are faults of ours.
    """
    error = context.original_exception
    if isinstance(error, UnicodeEncodeError) or "(0x00)" in str(error):
        raise BadInput("A text of this call cannot be stored: it holds NUL or a lone surrogate.")
    if isinstance(error, OverflowError) or getattr(error, "sqlstate", None) == OUT_OF_RANGE:
        raise BadInput("A whole number of this call cannot be stored: it needs more than 64 bits.")


def _set_up_sqlite(busy_ms: int, connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    raw: Any = connection
    raw.isolation_level = None  # the driver's own transaction handling would begin late and deferred
    for pragma in (f"busy_timeout={busy_ms}", "journal_mode=WAL", "foreign_keys=ON"):
        raw.execute(f"PRAGMA {pragma}")
