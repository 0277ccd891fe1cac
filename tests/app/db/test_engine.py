"""Transactions."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier

import pytest
from alembic import command
from sqlalchemy import Executable, event, insert, update

from app.auth import OWNER
from app.db import engine, migrations
from app.db.engine import Database, Session
from app.db.tables import Dataset, Workspace
from app.errors import BadInput, Unavailable
from app.services.datasets import catalog
from app.services.shared.paging import PageRequest
from tests.factories import dataset, workspace


def test_exception_rolls_everything_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        session.add(Workspace(id="half"))
        session.flush()
        raise ZeroDivisionError
    with database.read() as session:
        assert session.get(Workspace, "half") is None


def test_readers_run_while_a_writer_works(database: Database) -> None:
    with database.write() as writer:
        writer.add(Workspace(id="new"))
        writer.flush()
        with database.read() as reader:
            assert reader.get(Workspace, "new") is None


def test_reader_sees_one_state_to_its_end(database: Database) -> None:
    dataset_id = dataset(database).id
    with database.read() as reader:
        before = reader.query(Dataset.name).scalar()
        with database.write() as writer:
            writer.execute(update(Dataset).where(Dataset.id == dataset_id).values(name="changed"))
        assert reader.query(Dataset.name).scalar() == before


def test_writers_that_read_first_do_not_lose_updates(database: Database) -> None:
    dataset_id, barrier = dataset(database).id, Barrier(4)

    def count_up() -> None:
        barrier.wait()
        with database.write() as session:
            query = session.query(Dataset).filter_by(id=dataset_id).with_for_update()
            version = query.one().version
            session.execute(update(Dataset).values(version=version + 1))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(count_up) for _ in range(4)]:
            done.result()
    with database.read() as session:
        assert session.query(Dataset.version).scalar() == 5


def test_migrations_and_tables_say_the_same(database: Database) -> None:
    config = migrations._config()
    with database.writer.begin() as connection:
        config.attributes["connection"] = connection
        command.check(config)


def test_reference_into_another_workspace_is_refused(database: Database) -> None:
    other, dataset_id = workspace(database), dataset(database).id
    with pytest.raises(Exception, match=r"(?i)foreign key"), database.write() as session:
        session.execute(
            update(Dataset).where(Dataset.id == dataset_id).values(workspace_id=other.workspace_id)
        )


def test_list_of_datasets_is_one_query(database: Database) -> None:
    statements: list[str] = []
    for _ in range(3):
        dataset(database)
    event.listen(database.reader, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with database.read() as session:
        catalog.page(session, OWNER, PageRequest(10))
    assert len([statement for statement in statements if "SELECT" in statement]) == 1


@pytest.fixture
def impatient(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database with few connections and short waits for them."""
    for name in ("READING", "WRITING", "WATCHING", "WAIT_S"):
        monkeypatch.setattr(engine, name, 1)
    database = Database(database_url)
    yield database
    database.dispose()


def count(session: Session) -> int:
    return session.query(Workspace).count()


def test_wait_for_a_connection_ends_with_a_sentence(impatient: Database) -> None:
    with impatient.read() as first:
        count(first)
        with pytest.raises(Unavailable, match="is at work"), impatient.read() as second:
            count(second)


def test_readers_writers_and_polls_do_not_wait_for_one_another(impatient: Database) -> None:
    with impatient.read() as reader, impatient.write() as writer, impatient.watch() as watcher:
        assert count(reader) == count(writer) == count(watcher) == 1


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Lock a file for one connection, even against readers."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN IMMEDIATE")
        yield


def test_read_at_once_does_not_wait_for_a_lock(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with locked(database.file), pytest.raises(Unavailable), database.read_at_once() as session:
        count(session)
    with database.read_at_once() as session:
        assert count(session) == 1
    database.dispose()


def test_read_at_once_does_not_wait_for_a_connection(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.read_at_once() as session:
        assert count(session) == 1
        with pytest.raises(Unavailable), database.read_at_once() as other:
            count(other)
    database.dispose()


def refusal(database: Database, statement: Executable) -> str:
    """Return the error of a statement whose values cannot be stored, or None."""
    try:
        with database.write() as session:
            session.execute(statement)
    except BadInput as refused:
        return refused.detail
    return ""


def test_text_and_number_that_cannot_be_stored_are_refused_differently(database: Database) -> None:
    dataset(database)
    assert "surrogate" in refusal(database, insert(Workspace).values(id="a\ud800"))
    assert "64 bits" in refusal(database, update(Dataset).values(version=2**64))
    nul = refusal(database, insert(Workspace).values(id="a\0b"))
    assert "NUL" in nul or (database.is_sqlite and not nul)  # SQLite keeps it


@pytest.mark.parametrize(
    "fault", [OverflowError("int too large"), UnicodeEncodeError("utf-8", "x", 0, 1, "y")]
)
def test_overflow_outside_statements_is_not_bad_input(database: Database, fault: Exception) -> None:
    for opened in (database.read, database.write):
        with pytest.raises(type(fault)), opened():
            raise fault


def test_further_connection_keeps_the_locks_of_the_others(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.writer.connect() as first:
        first.exec_driver_sql("SELECT count(*) FROM workspaces")
        held = locks_held(Path(database.file))
        with database.reader.connect() as second:
            second.exec_driver_sql("SELECT count(*) FROM workspaces")
        assert locks_held(Path(database.file)) >= held > 0
    database.dispose()


def locks_held(file: Path) -> int:
    """Count the locks on a file by the kernel's books: SQLite's, without which two processes damage it."""
    return Path("/proc/locks").read_text().count(f":{file.stat().st_ino} ")
