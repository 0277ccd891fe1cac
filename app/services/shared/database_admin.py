"""Administer the database as a whole: migrate it, check it, back it up."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from app import queue
from app.db import migrations
from app.db.engine import PRIVATE, Database
from app.errors import Conflict, Unavailable


def migrate(database: Database) -> None:
    """Migrate our tables and the job engine's; does nothing if they are current."""
    if database.is_sqlite:
        database.make_private()
    migrations.upgrade(database)
    queue.migrate(database)


def check_ready(database: Database) -> None:
    """Raise Unavailable with the reason if the database cannot serve requests."""
    if not migrations.is_current(database):
        raise Unavailable("The database is not migrated to this version; run `gatecast migrate`.")


def backup(database: Database, target: Path) -> None:
    """Write one consistent file with all data, while the service runs.

    For SQLite it is a database file, for Postgres an archive for `pg_restore`. Raises Conflict if the file
    exists, cannot be written, or `pg_dump` is missing or fails.
    """
    if target.exists():
        raise Conflict(f"{target} exists already; name a file that does not.")
    partial = target.with_name(target.name + ".partial")
    _create_private(partial)
    if database.is_sqlite:
        _backup_sqlite(database, partial)
    else:
        _backup_postgres(database, partial)
    partial.rename(target)


def _create_private(target: Path) -> None:
    """Create a file that only its owner can read, for the backup to be written into."""
    try:
        target.touch(mode=PRIVATE)
        target.chmod(PRIVATE)  # it may be left from a backup that broke off
    except OSError as error:
        raise Conflict(f"{target} cannot be written: {error}.") from error


def _backup_sqlite(database: Database, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"file:{database.file}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
    except sqlite3.Error as error:
        raise Conflict(f"{database.file} could not be copied to {target.parent}: {error}.") from error


def _backup_postgres(database: Database, target: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise Conflict(
            "A backup of Postgres needs its program pg_dump, which is not here. Install Postgres' client, or "
            "run pg_dump where the server runs; docs/operations.md has the command."
        )
    address, password = database.libpq_address
    command = [program, "--format=custom", f"--file={target}", f"--dbname={address}"]
    # In the environment, since all users of the machine can read command lines.
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603  # our own arguments
    if done.returncode != 0:
        raise Conflict(f"pg_dump did not finish: {done.stderr.strip()}")
