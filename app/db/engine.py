"""The connection to the database, and the only place where a transaction begins, commits or rolls back."""

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
OUT_OF_RANGE = "22003"  # what Postgres says of a number that a column does not hold
OTHER_SCHEMA = ("42P01", "42703")  # what Postgres says of a table or a column that is not there
# Connections of a process, at most, by what they are for: nobody waits for those of another kind. Postgres
# has 97 by default for all but its superuser: four API processes take 4 * (8 + 6 + 2) = 64 of them, and the
# 33 left are enough for four workers, each of which takes 8 at most with its training.
LOOKING, CHANGING, WATCHING = 8, 6, 2
PRIVATE = 0o600
RESERVE = 16 * MEBIBYTE  # for what is written beside a body: SQLite's log, and the job engine's rows
FULL = (
    "The database's disk is full. Make room on it, by deleting datasets or models or by giving it more, and "
    "send the call again."
)
# SQLITE_FULL, and SQLITE_IOERR_WRITE, _FSYNC and _SHMSIZE: what a full disk says at its other files.
SQLITE_FULL, POSTGRES_FULL = (13, 778, 1034, 4874), "53100"
POSTGRES_LOCKED = "55P03"
POSTGRES_IDLE = "25P03"  # a transaction in which nothing was asked for so long that the server ended it


class DatasetRef(NamedTuple):
    """Where a dataset is."""

    workspace_id: str
    dataset_id: str


class Database:
    """One database behind several engines, each with connections of its own, opened when they are needed.

    `writer` is for changing, `reader` for looking, and `watcher` for what has to be known in time however
    many readers there are. On SQLite a writer takes the write lock when its transaction begins: two
    transactions that both read and then write would otherwise meet a lock that waiting cannot solve.
    `on_change` hears of the datasets that a transaction of this process has changed, once it is committed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.writer = _sqlite_engine(url, CHANGING, WAIT_S, changing=True)
            self.reader, self.watcher = (_sqlite_engine(url, size, WAIT_S) for size in (LOOKING, WATCHING))
        else:
            self.writer = _postgres_engine(url, CHANGING, postgres.CHANGING, changing=True)
            self.reader = _postgres_engine(url, LOOKING, postgres.LOOKING)
            self.watcher = _postgres_engine(url, WATCHING, postgres.WATCHING)
        self._glancer = _sqlite_engine(url, 1, wait_s=0) if self.is_sqlite else None
        self.on_change: Callable[[set[DatasetRef]], None] = lambda _: None

    @property
    def file(self) -> str:
        """The path of the SQLite file."""
        return make_url(self.url).database or ""

    def make_private(self) -> None:
        """Let nobody but its owner read a file that is there, whatever the umask was when it was made."""
        for name in (self.file, f"{self.file}-wal", f"{self.file}-shm"):
            with suppress(OSError):  # not there, or another's
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
        """The address without the password, as Postgres' own programs read it, and the password."""
        url = make_url(self.url)
        bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
        return bare.render_as_string(), url.password

    def read(self) -> AbstractContextManager[Session]:
        """Open a session for looking: one consistent view, nothing kept."""
        return _looking(self.reader)

    def watch(self) -> AbstractContextManager[Session]:
        """Open a session for looking that waits for no reader."""
        return _looking(self.watcher)

    def glance(self) -> AbstractContextManager[Session]:
        """Open a session for a short look in the event loop: what it would wait for is Unavailable at once.

        Only where `is_sqlite`: everywhere else a look waits for the network.
        """
        assert self._glancer is not None  # noqa: S101  # as said above
        return _looking(self._glancer)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session for changing: committed at the end, rolled back by any exception."""
        with answering(), Session(self.writer, expire_on_commit=False) as session, session.begin():
            yield session
        if changed := session.info.get("changed"):
            self.on_change(changed)

    @contextmanager
    def migrate(self) -> Iterator[Connection]:
        """Open a connection for changing the tables, in one transaction that may take as long as it takes."""
        with answering():
            if self.is_sqlite:
                with self.writer.begin() as connection:
                    yield connection
                return
            engine = _postgres_engine(self.url, 1, postgres.MIGRATING, changing=True)
            try:
                with engine.begin() as connection:
                    yield connection
            finally:
                engine.dispose()

    def dispose(self) -> None:
        """Close every pooled connection."""
        for engine in (self.writer, self.reader, self.watcher, self._glancer):
            if engine is not None:
                engine.dispose()


def _sqlite_engine(url: str, size: int, wait_s: int, *, changing: bool = False) -> Engine:
    """Return an engine whose statements wait for locks, unless they are to wait for nothing at all."""
    engine = create_engine(url, pool_size=size, max_overflow=0, pool_timeout=wait_s)
    busy_ms, begin = BUSY_TIMEOUT_MS if wait_s else 0, "BEGIN IMMEDIATE" if changing else "BEGIN"
    event.listen(engine, "do_connect", _create_private)
    event.listen(engine, "connect", partial(_set_up_sqlite, busy_ms))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    event.listen(engine, "handle_error", _refuse_unstorable)
    return engine


def _postgres_engine(url: str, size: int, limits: Limits, *, changing: bool = False) -> Engine:
    """Return an engine whose readers see the same state in every query of a transaction."""
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_size=size,
        max_overflow=0,
        pool_timeout=WAIT_S,
        connect_args=postgres.connect_args(make_url(url), limits),
        isolation_level="READ COMMITTED" if changing else "REPEATABLE READ",
    )

    def connect(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> Any:
        return postgres.connect(limits, arguments, options)

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "handle_error", _refuse_unstorable)
    return engine


@contextmanager
def _looking(engine: Engine) -> Iterator[Session]:
    with answering(), Session(engine, autoflush=False, expire_on_commit=False) as session:
        yield session


@contextmanager
def answering() -> Iterator[None]:
    """Turn a database that is away, locked, full or not migrated into Unavailable."""
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
    """Return what a driver's error means to a caller."""
    if _says_full(error.orig):
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


def _says_full(error: BaseException | None) -> bool:
    """Tell whether a driver's error is about a disk without room."""
    return (
        getattr(error, "sqlite_errorcode", None) in SQLITE_FULL
        or getattr(error, "sqlstate", None) == POSTGRES_FULL
    )


def _create_private(_dialect: object, _record: object, arguments: list[Any], _options: object) -> None:
    """Create a database's file for its owner alone, before SQLite does for all whom the umask lets.

    One that is there must not be opened: closing it would take away every lock that SQLite holds on it in
    this process, and then two processes damage it.
    """
    with suppress(OSError):  # it is there; or SQLite tells what is wrong with the place
        os.close(os.open(str(arguments[0]), os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE))


def _refuse_unstorable(context: ExceptionContext) -> None:
    """Raise BadInput for a value that a statement cannot carry to the database.

    The same errors from anywhere else are faults of ours, and stay what they are.
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
