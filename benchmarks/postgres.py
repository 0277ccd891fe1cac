"""A Postgres server of one's own: on a free port, as a user other than root, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from app.server import free_port

START_LIMIT_S = "30"
MEMORY_DISK_BYTES = 4 * 2**30  # a server of each process that tests


def programs() -> Path | None:
    """Return the folder of Postgres' server programs, or nothing where there is none."""
    if shutil.which("pg_config") is None:
        return None
    found = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
    folder = Path(found.stdout.strip())
    return folder if (folder / "initdb").exists() else None


def memory_disk() -> Path | None:
    """Return a folder in memory with room for many databases, or nothing where there is none.

    A clone of a database takes 12 ms there, and a quarter of a second on a disk.
    """
    folder = Path("/dev/shm")  # noqa: S108  # the folder that the server makes there is its own
    return folder if folder.is_dir() and shutil.disk_usage(folder).free > MEMORY_DISK_BYTES else None


@dataclass(frozen=True)
class Server:
    """A running server; `url` lacks the name of a database."""

    url: str
    control: Callable[[str], None]
    data: Path

    @property
    def pid(self) -> int:
        """The process that all others of it descend from."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def crash_and_restart(self) -> None:
        """Stop at once, as a crash would, and start again."""
        self.control("stop")
        self.control("start")


@contextmanager
def running_server(folder: Path, disk: Path | None = None, *, durable: bool = False) -> Iterator[Server]:
    """Start a server, with its data on a disk of its own if it is given one.

    Where it is not `durable`, a commit does not wait for the disk: faster, and no less to tests.
    """
    with tempfile.TemporaryDirectory(prefix="gatecast-pg-", dir=disk) as home:
        user, data, port = _user(), f"{home}/data", free_port()
        if user is not None:
            shutil.chown(home, user)
        run = _runner(user, folder, home)
        run("initdb", "-D", data, "-U", "gatecast", "--auth=trust", "--encoding=UTF8", "--locale=C")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        options += "" if durable else " -c fsync=off"

        def control(action: str) -> None:
            stop_or_start = ["-m", "immediate"] if action == "stop" else ["-o", options, "-l", f"{home}/log"]
            run("pg_ctl", "-D", data, "-w", "-t", START_LIMIT_S, *stop_or_start, action)

        control("start")
        try:
            yield Server(f"postgresql+psycopg://gatecast@127.0.0.1:{port}", control, Path(data))
        finally:
            control("stop")


def execute(server: str, statement: str) -> None:
    """Run one statement on the server, outside a transaction."""
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@contextmanager
def own_database(server: str, template: str | None = None) -> Iterator[str]:
    """Give a database of one's own on the server: an empty one, or a clone of another."""
    name = f"own_{uuid.uuid4().hex}"
    clone = f"TEMPLATE {template}" if template else ""
    execute(server, f"CREATE DATABASE {name} {clone} STRATEGY file_copy")
    try:
        yield f"{server}/{name}"
    finally:
        drop(server, name)


def drop(server: str, name: str) -> None:
    """Remove a database, whoever is still connected to it."""
    try:
        execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    except OperationalError:
        return  # the server is being stopped, and everything goes with it


def _runner(user: str | None, folder: Path, home: str) -> Callable[..., None]:
    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(folder / program), *arguments],
            check=True,
            user=user,
            cwd=home,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        )

    return run


def _user() -> str | None:
    """Return whom the server runs as: Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
