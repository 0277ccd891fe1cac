"""Workers: who is alive and doing what, and whose unfinished jobs are to be taken over.

No clock is compared between machines. A worker elsewhere is dead when this process has itself seen its
counter unchanged for the deadline, by its own monotonic clock; one on this host is dead at once when no
process has its pid and start time any more, and after a short silence when it is of another boot.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from app.auth import Principal
from app.db.engine import Database, Session
from app.db.ids import new_id
from app.db.queries import workers as queries
from app.db.tables import Worker
from app.errors import Unavailable
from app.queue import Queue
from app.schemas.workers import WorkerOut, WorkerPage
from app.services import jobs
from app.services.paging import PageRequest, cut

HEARTBEAT_S = 1.0
# A machine that was started anew has another boot, and so has another machine of the same name: the latter's
# heart beats.
OTHER_BOOT_DEADLINE_S = 3.5


def page(session: Session, principal: Principal, request: PageRequest) -> WorkerPage:
    """List the workers, newest first, each with what it does for the caller."""
    found = queries.page(session, principal.workspace_id, request.limit + 1, request.after)
    shown, following = cut(found, request, lambda seen: seen.worker.id)
    return WorkerPage(workers=[_out(*seen) for seen in shown], next=following)


def register(database: Database, pid: int, device: str) -> str:
    """Store a worker that is about to start and return its id."""
    worker = Worker(
        id=new_id("worker"),
        host=socket.gethostname(),
        boot_id=boot_id(),
        pid=pid,
        process_started=process_started(pid) or "",
        device=device,
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
    """Give back what a worker has, and say that it goes: no deadline is waited for."""
    with database.write() as session:
        jobs.give_back(session, worker_id)
        queries.mark_stopped(session, worker_id)


@contextmanager
def on_duty(database: Database, device: str) -> Iterator[str]:
    """Count this process among the workers, by the id this gives, while it trains outside of the queue."""
    worker_id, over = register(database, os.getpid(), device), threading.Event()

    def keep_beating() -> None:
        while not over.wait(HEARTBEAT_S):
            with suppress(Unavailable):
                beat(database, worker_id)

    heart = threading.Thread(target=keep_beating, daemon=True)
    heart.start()
    try:
        yield worker_id
    finally:
        over.set()
        heart.join()
        leave(database, worker_id)


def bury(database: Database, queue: Queue, worker_ids: Collection[str]) -> None:
    """Forget dead workers; what they worked on waits in the queue again, also what never came from there."""
    with database.write() as session:
        for ref, priority in jobs.lose(session, worker_ids):
            queue.enqueue(session, ref, priority)
        queries.remove(session, worker_ids)


def unknown(database: Database, worker_ids: Collection[str]) -> set[str]:
    """Return those of the ids that belong to no worker, because it was forgotten."""
    with database.read() as session:
        return set(worker_ids) - queries.known(session, worker_ids)


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
        return self._clock() - since > self._deadline_of(worker)

    def _deadline_of(self, worker: Worker) -> float:
        if worker.host == socket.gethostname() and worker.boot_id != boot_id():
            return min(OTHER_BOOT_DEADLINE_S, self._deadline_s)
        return self._deadline_s


def _out(worker: Worker, job_id: str | None, now: datetime) -> WorkerOut:
    return WorkerOut(
        id=worker.id,
        host=worker.host,
        pid=worker.pid,
        device=worker.device,
        job_id=job_id,
        silent_s=max(0.0, (now - worker.beat_at).total_seconds()),
        started_at=worker.created_at,
    )


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
