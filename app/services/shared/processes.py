"""The processes of the service: each one beats, and finds out by the others' beats which of them are dead.

No clock is compared between machines. A process elsewhere is dead when this one has itself seen its counter
unchanged for the deadline; one on this host is dead at once when no process has its pid and start time any
more, and after a short silence when it is of another boot.
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
# A machine that was started anew has another boot, and so has another machine of the same name: the latter's
# heart beats.
OTHER_BOOT_DEADLINE_S = 3.5
CLOSING_S = 1.0
Role = Literal["api", "worker"]
logger = logging.getLogger(__name__)


class FailureDetector:
    """Tells, look after look, which of the other processes are dead.

    Silence is counted in looks that succeeded, each for a heartbeat at most. What came between them is held
    against nobody: a database that was away, or one so slow that the others' beats wait as well; a time in
    which this very process stood still.
    """

    def __init__(self, deadline_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._deadline_s, self._clock = deadline_s, clock
        self._silent: dict[str, tuple[int, float]] = {}
        self._looked_at = 0.0

    def dead(self, others: Sequence[Process]) -> list[Process]:
        """Return those that are dead by this look."""
        at = self._clock()
        counted = min(at - self._looked_at, HEARTBEAT_S)
        before, self._looked_at = self._silent, at
        self._silent = {other.id: (other.beat, _silence(other, before, counted)) for other in others}
        return [other for other in others if self._is_dead(other)]

    def start_anew(self) -> None:
        """Give the others the whole deadline again: a look has failed, and their beats may have as well."""
        self._silent = {}

    def _is_dead(self, other: Process) -> bool:
        return has_gone(other) or self._silent[other.id][1] > self._deadline_of(other)

    def _deadline_of(self, other: Process) -> float:
        if other.host == socket.gethostname() and other.boot_id != boot_id():
            return min(OTHER_BOOT_DEADLINE_S, self._deadline_s)
        return self._deadline_s


class Heartbeat:
    """This process among the others: once a second, in a thread of its own, it beats and looks at them.

    A look counts only along with a beat: where this process cannot write, the others cannot either.
    A worker that others took for dead is `removed`, since its job is another's by then; a process that
    answers calls holds nothing that could be lost twice, and enters itself again.
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
        self._entered = False
        self._then: Callable[[], None] = lambda: None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_on, name="heartbeat", daemon=True)

    def open(self, then: Callable[[], None] = lambda: None) -> None:
        """Enter this process among the others, and begin to beat; after each look something may be done."""
        self._then = then
        self._try_to_look()
        self._thread.start()

    def look(self) -> None:
        """Beat, and look at the others."""
        try:
            with self._database.write() as session:
                self._beat(session)
                queries.remove_silent(session, [other for other in self.dead if other.role == queries.API])
                others = queries.others(session, self.id)
        except BaseException:
            self._watch.start_anew()
            self.dead = ()
            raise
        self._entered, self.others, self.dead = True, others, self._watch.dead(others)

    def is_alive(self, process: Process) -> bool:
        """Tell whether a process is there by what this one has seen."""
        return not has_gone(process) and process.id not in {other.id for other in self.dead}

    def is_dead_or_removed(self, session: Session, process_id: str) -> bool:
        """Tell whether a process of this id is dead, or removed already."""
        if process_id == self.id:
            return False
        process = queries.find(session, process_id)
        return process is None or not self.is_alive(process)

    def sees_a_worker(self) -> bool:
        """Tell whether a worker is alive, as of the last look."""
        return any(other.role == queries.WORKER and self.is_alive(other) for other in self.others)

    def stop(self) -> None:
        """Beat no more."""
        self._over.set()
        self._thread.join(CLOSING_S)

    def close(self) -> None:
        """Beat no more, and be removed; with the database away, others will find out."""
        self.stop()
        try:
            with self._database.write() as session:
                queries.remove(session, self.id)
        except Unavailable:
            logger.warning("The database is away; others find out by themselves that %s has gone.", self.id)

    def _beat(self, session: Session) -> None:
        if queries.beat(session, self.id) or self._over.is_set():
            return
        if self._entered and self._role == queries.WORKER:
            self.removed.set()
        else:
            queries.add(session, process_row(self.id, self._role, os.getpid(), self._device))

    def _keep_on(self) -> None:
        while not self._over.wait(HEARTBEAT_S):
            self._try_to_look()

    def _try_to_look(self) -> None:
        """Look, whatever comes of it: a database that is away now may be back at the next beat."""
        with self._beating.attempt():
            self.look()
            self._then()


@contextmanager
def registered(database: Database) -> Iterator[str]:
    """Be among the processes for a while, by the id this gives; what they write is then known to be alive."""
    heartbeat = Heartbeat(database, "api", "")
    heartbeat.look()
    heartbeat.open()
    try:
        yield heartbeat.id
    finally:
        heartbeat.close()


def process_row(process_id: str, role: Role, pid: int, device: str) -> Process:
    """Return the row of a process of this host."""
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


def has_gone(process: Process) -> bool:
    """Tell whether a process has said that it goes, or is one of this host that is not there any more."""
    here = process.host == socket.gethostname() and process.boot_id == boot_id()
    return process.stopped or (here and process_started(process.pid) != process.process_started)


def boot_id() -> str:
    """Return what tells this run of the machine, and this view of its processes, from every other.

    Containers may share a machine and a host name, but a pid means another process in each of them.
    Empty where the system does not say.
    """
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    return f"{boot.read_text().strip()} {namespace.readlink()}" if boot.exists() else ""


def process_started(pid: int) -> str | None:
    """Return when a process started, in ticks since the boot; None if there is no such process.

    Where the system does not say (no /proc), every process seems alive and the deadline decides.
    """
    if not Path("/proc/self/stat").exists():
        return ""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state == "Z" else fields[18]  # field 22 of proc(5); a zombie works no more


def _silence(other: Process, before: dict[str, tuple[int, float]], counted: float) -> float:
    beat, silence = before.get(other.id, (None, 0.0))
    return silence + counted if beat == other.beat else 0.0
