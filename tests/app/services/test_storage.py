"""The database as a whole."""

import os
import sqlite3
from pathlib import Path

import pytest

from app.db.engine import Database
from app.errors import Conflict, Unavailable
from app.services import storage
from benchmarks import postgres
from tests.factories import dataset


def test_migrating_twice_does_no_harm(database: Database) -> None:
    dataset(database)
    storage.migrate(database)
    storage.check_ready(database)


def test_database_without_tables_is_not_ready(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(Unavailable, match="gatecast migrate"):
        storage.check_ready(database)
    database.dispose()


def test_unreachable_database_is_not_ready(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'missing' / 'test.db'}")
    with pytest.raises(Unavailable, match="does not answer"):
        storage.check_ready(database)


def test_backup_holds_what_a_plain_copy_of_a_live_database_lacks(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    made = dataset(database)
    storage.backup(database, tmp_path / "backup.db")
    database.dispose()
    copy = sqlite3.connect(tmp_path / "backup.db")
    assert copy.execute("SELECT id FROM datasets").fetchall() == [(made.id,)]
    copy.close()


def test_backup_never_overwrites(sqlite_url: str, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_text("precious")
    with pytest.raises(Conflict, match="exists already"):
        storage.backup(Database(sqlite_url), target)
    assert target.read_text() == "precious"


def test_backup_of_postgres_shows_no_password_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\necho "$@" > "$(dirname "$0")/seen"; touch "${2#--file=}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    storage.backup(Database("postgresql+psycopg://u:s3cret@127.0.0.1:5/db"), tmp_path / "backup")
    assert "s3cret" not in (tmp_path / "seen").read_text()


def test_backup_of_postgres_is_an_archive(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{postgres.programs()}{os.pathsep}{os.environ['PATH']}")
    storage.backup(Database(postgres_url), tmp_path / "backup")
    assert (tmp_path / "backup").read_bytes().startswith(b"PGDMP")
