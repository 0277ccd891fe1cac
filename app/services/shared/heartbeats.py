"""The processes of the service: each counts heartbeats in the database, and detects which others are dead.

No clocks of two machines are compared. A process elsewhere is dead when this one has seen its counter
unchanged for the deadline. One on this host is dead at once when no process has its pid and start time, and
after a short silence if it is from another boot.
"""

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from app.db.engine import Database, Session
from app.db.queries import processes as queries
from app.db.tables import Process, new_id
from app.errors import Unavailable
from app.observability.background_tasks import RetriedTask

HEARTBEAT_S = 1.0
# Another boot id means that this machine restarted, or that another one has its name. Only in the second case
# the processes still beat, within this deadline.
OTHER_BOOT_DEADLINE_S = 3.5
CLOSING_S = 1.0
Role = Literal["api", "worker"]
logger = logging.getLogger(__name__)


class FailureDetector:
    """Detects dead processes from one poll of the database to the next.

    It adds up each process's silence over successful polls, at most a heartbeat for each poll. So no time
    counts against a process while the database was away or slow, or while this process itself was suspended.
    """

    def __init__(self, deadline_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._deadline_s, self._clock = deadline_s, clock
        self._silent: dict[str, tuple[int, float]] = {}
        self._last_poll = 0.0

    def dead(self, others: Sequence[Process]) -> list[Process]:
        """Return the other processes that are dead as of this poll."""
        at = self._clock()
        counted = min(at - self._last_poll, HEARTBEAT_S)
        before, self._last_poll = self._silent, at
        self._silent = {other.id: (other.beat, _silence(other, before, counted)) for other in others}
        return [other for other in others if self._is_dead(other)]

    def restart(self) -> None:
        """Start the deadlines again after a failed poll, since the others' heartbeats may have failed too."""
        self._silent = {}

    def _is_dead(self, other: Process) -> bool:
        return has_ended(other) or self._silent[other.id][1] > self._deadline_of(other)

    def _deadline_of(self, other: Process) -> float:
        if other.host == socket.gethostname() and other.boot_id != boot_id():
            return min(OTHER_BOOT_DEADLINE_S, self._deadline_s)
        return self._deadline_s


class Heartbeat:
    """The heartbeat of this process: once a second, in a thread of its own, it beats and polls the others.

    One transaction writes this heartbeat and reads those of the others, so an outage that blocks the write
    counts against nobody. A worker that others took for dead is `removed`, since another worker has its job;
    an API process registers again.
    """

    def __init__(self, database: Database, role: Role, device: str, deadline_s: float = math.inf) -> None:
        self.id = new_id(role)
        self.dead: Sequence[Process] = ()
        self.others: Sequence[Process] = ()
        self.removed = threading.Event()
        self._database, self._role, self._device = database, role, device
        self._watch = FailureDetector(deadline_s)
        self._beating = RetriedTask(
            f"The heartbeat of {self.id}", "Others may come to take this process for dead."
        )
        self._registered = False
        self._then: Callable[[], None] = lambda: None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def open(self, then: Callable[[], None] = lambda: None) -> None:
        """Register this process and start to beat; call `then` after each poll."""
        self._then = then
        self._try_poll()
        self._thread.start()

    def poll(self) -> None:
        """Beat, and find out which other processes are alive."""
        try:
            with self._database.write() as session:
                self._beat(session)
                queries.remove_silent(session, [other for other in self.dead if other.role == queries.API])
                others = queries.others(session, self.id)
        except BaseException:
            self._watch.restart()
            self.dead = ()
            raise
        self._registered, self.others, self.dead = True, others, self._watch.dead(others)

    def is_alive(self, process: Process) -> bool:
        """Return whether a process is alive, as of the last poll."""
        return not has_ended(process) and process.id not in {other.id for other in self.dead}

    def is_dead_or_removed(self, session: Session, process_id: str) -> bool:
        """Return whether a process is dead, or its row removed."""
        if process_id == self.id:
            return False
        process = queries.find(session, process_id)
        return process is None or not self.is_alive(process)

    def has_live_worker(self) -> bool:
        """Return whether any worker is alive, as of the last poll."""
        return any(other.role == queries.WORKER and self.is_alive(other) for other in self.others)

    def stop(self) -> None:
        """Stop the heartbeat."""
        self._stopping.set()
        self._thread.join(CLOSING_S)

    def close(self) -> None:
        """Stop the heartbeat and remove this process; without the database, others detect its end."""
        self.stop()
        try:
            with self._database.write() as session:
                queries.remove(session, self.id)
        except Unavailable:
            logger.warning("The database is away; others find out by themselves that %s has gone.", self.id)

    def _beat(self, session: Session) -> None:
        if queries.beat(session, self.id) or self._stopping.is_set():
            return
        if self._registered and self._role == queries.WORKER:
            self.removed.set()
        else:
            queries.add(session, process_row(self.id, self._role, os.getpid(), self._device))

    def _run(self) -> None:
        while not self._stopping.wait(HEARTBEAT_S):
            self._try_poll()

    def _try_poll(self) -> None:
        """Poll, and retry at the next heartbeat if the database is away."""
        with self._beating.attempt():
            self.poll()
            self._then()


@contextmanager
def registered(database: Database) -> Iterator[str]:
    """Register a process and yield its id, for commands whose drafts and claims must count as alive."""
    heartbeat = Heartbeat(database, "api", "")
    heartbeat.poll()
    heartbeat.open()
    try:
        yield heartbeat.id
    finally:
        heartbeat.close()


def process_row(process_id: str, role: Role, pid: int, device: str) -> Process:
    """Return the row for a process of this host."""
    return Process(
        id=process_id,
        role=role,
        host=socket.gethostname(),
        boot_id=boot_id(),
        pid=pid,
        process_started=process_started(pid) or "",
        device=device,
        beat=0,
        stopped=False,
    )


def has_ended(process: Process) -> bool:
    """Return whether a process is marked as stopped, or was on this host and no longer exists."""
    here = process.host == socket.gethostname() and process.boot_id == boot_id()
    return process.stopped or (here and process_started(process.pid) != process.process_started)


def boot_id() -> str:
    """Return an id of this boot and this namespace of process ids; empty without /proc.

    Containers may share a machine and a host name, but each has its own process ids.
    """
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    return f"{boot.read_text().strip()} {namespace.readlink()}" if boot.exists() else ""


def process_started(pid: int) -> str | None:
    """Return when a process started, in ticks since the boot; None if it does not exist.

    Without /proc every process seems alive, and the deadline decides.
    """
    if not Path("/proc/self/stat").exists():
        return ""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state == "Z" else fields[18]  # field 22 of proc(5); a zombie has ended


def _silence(other: Process, before: dict[str, tuple[int, float]], counted: float) -> float:
    beat, silence = before.get(other.id, (None, 0.0))
    return silence + counted if beat == other.beat else 0.0
