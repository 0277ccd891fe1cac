"""Migration, readiness and backup of the database."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.engine import Database
from app.errors import Conflict, Unavailable
from app.services.shared import database_admin
from benchmarks import postgres
from tests.factories import dataset


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A umask that lets everybody read new files."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}


@pytest.mark.usefixtures("open_umask")
def test_only_the_owner_can_read_the_files_of_a_new_database(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    database_admin.migrate(database)
    with database.read():
        assert modes(tmp_path) == dict.fromkeys(("new.db", "new.db-wal", "new.db-shm"), "0o600")
    database.dispose()


def test_readable_files_become_private_at_the_start(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    Path(database.file).chmod(0o644)
    database_admin.migrate(database)
    database.dispose()
    assert Path(database.file).stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("open_umask")
def test_only_the_owner_can_read_a_backup(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{postgres.programs()}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "backup.partial").touch()  # left by one that broke off
    database_admin.backup(database, folder / "backup")
    assert modes(folder) == {"backup": "0o600"}


def test_migrating_twice_does_no_harm(database: Database) -> None:
    dataset(database)
    database_admin.migrate(database)
    database_admin.check_ready(database)


def test_database_without_tables_is_not_ready(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(Unavailable, match="gatecast migrate"):
        database_admin.check_ready(database)
    database.dispose()


def test_unreachable_database_is_not_ready(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'missing' / 'test.db'}")
    with pytest.raises(Unavailable, match="does not answer"):
        database_admin.check_ready(database)


def test_backup_holds_what_a_plain_copy_of_a_live_database_lacks(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    made = dataset(database)
    database_admin.backup(database, tmp_path / "backup.db")
    database.dispose()
    copy = sqlite3.connect(tmp_path / "backup.db")
    assert copy.execute("SELECT id FROM datasets").fetchall() == [(made.id,)]
    copy.close()


def test_backup_never_overwrites(sqlite_url: str, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_text("precious")
    with pytest.raises(Conflict, match="exists already"):
        database_admin.backup(Database(sqlite_url), target)
    assert target.read_text() == "precious"


def test_backup_of_postgres_shows_no_password_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\necho "$@" > "$(dirname "$0")/seen"; touch "${2#--file=}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    database_admin.backup(Database("postgresql+psycopg://u:s3cret@127.0.0.1:5/db"), tmp_path / "backup")
    assert "s3cret" not in (tmp_path / "seen").read_text()


def test_backup_of_postgres_is_an_archive(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{postgres.programs()}{os.pathsep}{os.environ['PATH']}")
    database_admin.backup(Database(postgres_url), tmp_path / "backup")
    assert (tmp_path / "backup").read_bytes().startswith(b"PGDMP")
