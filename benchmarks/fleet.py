"""The service as several processes on one database, to be killed by a benchmark and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from app.db.engine import Database
from app.db.tables import Process
from app.server import free_port
from app.services.shared.heartbeats import process_started
from benchmarks.process_tree import descendants, eventually, grandchildren, processor_ticks
from gatecast_client import Client

WORKERS = 3
MAX_ATTEMPTS = 20  # killed as often as this by chance, a job shall still not be given up
RESTART_PAUSE_S = 1.0
START_LIMIT_S = 120.0
STOP_LIMIT_S = 20.0
QUIET_S = 0.5


@dataclass(eq=False)
class Member:
    """One process of the service; `is_condemned` from just before it is killed."""

    command: str
    process: "subprocess.Popen[bytes]"
    is_condemned: bool = False
    ended_at: float | None = None


class Fleet:
    """One API and several workers."""

    def __init__(self, database_url: str, folder: Path) -> None:
        port = free_port()
        self.url, self.database = f"http://127.0.0.1:{port}", Database(database_url)
        self.surprises: list[str] = []
        self._folder = folder
        self._members: list[Member] = []
        settings = {
            "DATABASE_URL": database_url,
            "PORT": port,
            "DEVICE": "cpu",
            "MAX_ATTEMPTS": MAX_ATTEMPTS,
        }
        ours = {f"GATECAST_{name}": str(value) for name, value in settings.items()}
        self._environment = {**os.environ, **ours}
        self._known: dict[int, str | None] = {}
        self.api = self._start("api")
        self.workers: list[Member] = []

    def start_workers(self) -> None:
        """Start them once the API, which migrates the database, is ready."""
        with Client(self.url) as client:
            eventually(client.is_ready, START_LIMIT_S)
        self.workers += [self._start("worker") for _ in range(WORKERS)]

    def _start(self, command: str) -> Member:
        with (self._folder / f"{command}-{len(self._members)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "app", command],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the benchmark, which ends them
            )
        self._members.append(Member(command, process))
        return self._members[-1]

    def wait_until_idle(self) -> None:
        """Wait until each worker has its child standing by, which then takes no processor time any more."""
        before: dict[int, int] = {}

        def is_idle() -> bool:
            nonlocal before
            last, before = before, {pid: processor_ticks(pid) for pid in self._children()}
            return self._reporting() == WORKERS == len(before) and before == last

        eventually(is_idle, START_LIMIT_S, pause_s=QUIET_S)

    def _children(self) -> list[int]:
        return [pid for worker in self.workers for pid in grandchildren(worker.process.pid)]

    def _reporting(self) -> int:
        with self.database.read() as session:
            query = select(func.count()).where(
                Process.role == "worker", Process.beat > 0, Process.stopped.is_(False)
            )
            return session.scalar(query) or 0

    def id_of(self, worker: Member) -> str | None:
        """Return what the database knows a worker by, once it has reported."""
        with self.database.read() as session:
            query = select(Process.id).where(Process.pid == worker.process.pid).order_by(Process.id.desc())
            return session.scalars(query.limit(1)).one_or_none()

    def kill(self, member: Member) -> None:
        """End a process of the service as the kernel would when memory runs out."""
        self._remember(member)
        member.is_condemned = True
        member.process.kill()

    def kill_child(self, worker: Member) -> bool:
        """End the process in which a worker trains; False if there is none."""
        for pid in grandchildren(worker.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def look_after(self) -> None:
        """Start again what has ended, after a moment, as a supervisor would."""
        self.api = self._renewed(self.api)
        self.workers = [self._renewed(worker) for worker in self.workers]

    def _renewed(self, member: Member) -> Member:
        if member.process.poll() is None:
            return member
        if member.ended_at is None:
            member.ended_at = time.monotonic()
            if not member.is_condemned:
                self.surprises.append(f"{member.command} ended with code {member.process.returncode}")
        if time.monotonic() - member.ended_at < RESTART_PAUSE_S:
            return member
        return self._start(member.command)

    def close(self) -> int:
        """End every process there ever was; return how many had to be killed that should have gone."""
        members = [member for member in self._members if member.process.poll() is None]
        for member in members:
            self._remember(member)
            member.process.terminate()
        deadline = time.monotonic() + STOP_LIMIT_S
        for member in members:
            with suppress(subprocess.TimeoutExpired):
                member.process.wait(max(0.0, deadline - time.monotonic()))
        with suppress(TimeoutError):
            eventually(lambda: not self._left(), max(1.0, deadline - time.monotonic()))
        left = self._left()
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.database.dispose()
        return len(left)

    def _remember(self, member: Member) -> None:
        """Note who is there, by pid and start, so that no one else of that pid is taken for it later."""
        if member.process.poll() is None:
            for pid in (member.process.pid, *descendants(member.process.pid)):
                self._known[pid] = process_started(pid)

    def _left(self) -> list[int]:
        return [pid for pid, began in self._known.items() if began and process_started(pid) == began]


@contextmanager
def running_fleet(database_url: str, folder: Path) -> Iterator[Fleet]:
    """Start a service on an empty database, with its logs in a folder, and end all of it afterwards."""
    fleet = Fleet(database_url, folder)
    try:
        fleet.start_workers()
        yield fleet
    finally:
        if left := fleet.close():
            print(f"{left} processes did not end by themselves and were killed.")
