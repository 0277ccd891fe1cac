"""Workers: who is alive, and whose unfinished jobs are to be taken over.

No clock is compared between machines. A worker elsewhere is dead when this process has itself seen its
counter unchanged for the deadline, by its own monotonic clock; one on this host is dead at once when no
process has its pid and start time any more.
"""

import socket
import time
from collections.abc import Callable
from pathlib import Path

from app.db.engine import Database
from app.db.ids import new_id
from app.db.queries import workers as queries
from app.db.tables import Worker


def register(database: Database, pid: int) -> str:
    """Store a worker that is about to start and return its id."""
    worker = Worker(
        id=new_id("worker"),
        host=socket.gethostname(),
        boot_id=boot_id(),
        pid=pid,
        process_started=process_started(pid) or "",
        beat=0,
        stopped=False,
    )
    with database.write() as session:
        queries.add(session, worker)
    return worker.id


def beat(database: Database, worker_id: str) -> bool:
    """Count a heartbeat; False if others took this worker for dead and forgot it."""
    with database.write() as session:
        return queries.beat(session, worker_id)


def leave(database: Database, worker_id: str) -> None:
    """Say that a worker goes, so that its jobs are taken over without waiting for the deadline."""
    with database.write() as session:
        queries.mark_stopped(session, worker_id)


def forget(database: Database, worker_ids: list[str]) -> None:
    """Remove the rows of dead workers, once their jobs are back in the queue."""
    with database.write() as session:
        queries.remove(session, worker_ids)


def is_beating_here(database: Database, within_s: float) -> bool:
    """Tell whether the heart of a worker on this host beats within some seconds from now."""
    before = _beats_here(database)
    time.sleep(within_s)
    return _beats_here(database) > before


def _beats_here(database: Database) -> int:
    with database.read() as session:
        return sum(worker.beat for worker in queries.on_host(session, socket.gethostname()))


class DeathWatch:
    """Watches the other workers' heartbeats on behalf of one."""

    def __init__(
        self, worker_id: str, deadline_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._worker_id, self._deadline_s, self._clock = worker_id, deadline_s, clock
        self._seen: dict[str, tuple[int, float]] = {}

    def dead(self, database: Database) -> list[str]:
        """Return the ids of the workers that are dead by now."""
        with database.read() as session:
            others = queries.others(session, self._worker_id)
        return [worker.id for worker in others if self._is_dead(worker)]

    def _is_dead(self, worker: Worker) -> bool:
        if worker.stopped or _is_gone(worker):
            return True
        beat, since = self._seen.get(worker.id, (None, 0.0))
        if beat != worker.beat:
            self._seen[worker.id] = (worker.beat, self._clock())
            return False
        return self._clock() - since > self._deadline_s


def _is_gone(worker: Worker) -> bool:
    here = worker.host == socket.gethostname() and worker.boot_id == boot_id()
    return here and process_started(worker.pid) != worker.process_started


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
