"""Workers: who is there and doing what, and whose unfinished jobs are to be taken over."""

import socket
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from app.auth import Principal
from app.db.engine import Database, Session
from app.db.queries import processes as queries
from app.db.tables import Process
from app.queue import Queue
from app.schemas.workers import WorkerOut, WorkerPage
from app.services.jobs import states
from app.services.shared.paging import PageRequest, cut
from app.services.shared.processes import Heartbeat


def page(session: Session, principal: Principal, request: PageRequest, heartbeat: Heartbeat) -> WorkerPage:
    """List the workers, newest first, each with what it does for the caller."""
    found = queries.workers_page(session, principal.workspace_id, request.limit + 1, request.after)
    shown, following = cut(found, request, lambda seen: seen.worker.id)
    return WorkerPage(workers=[_out(*seen, heartbeat) for seen in shown], next=following)


def leave(database: Database, heartbeat: Heartbeat) -> None:
    """Give back what a worker has, and say that it goes: no deadline is waited for."""
    heartbeat.stop()
    with database.write() as session:
        states.give_back(session, heartbeat.id)
        queries.mark_stopped(session, heartbeat.id)


@contextmanager
def on_duty(database: Database, device: str) -> Iterator[str]:
    """Count this process among the workers, by the id this gives, while it trains outside of the queue."""
    heartbeat = Heartbeat(database, "worker", device)
    heartbeat.look()
    heartbeat.open()
    try:
        yield heartbeat.id
    finally:
        leave(database, heartbeat)


def bury(database: Database, queue: Queue, dead: Sequence[Process]) -> list[str]:
    """Forget dead processes; what workers of them worked on waits in the queue again, wherever it came from.

    Returns their ids. One whose heart has beaten since it was found dead stays, with all it has.
    """
    with database.write() as session:
        buried = queries.remove_silent(session, dead)
        for ref, priority in states.lose(session, buried):
            queue.enqueue(session, ref, priority)
    return buried


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
        return sum(worker.beat for worker in queries.workers_on_host(session, socket.gethostname()))


def _out(worker: Process, job_id: str | None, now: datetime, heartbeat: Heartbeat) -> WorkerOut:
    return WorkerOut(
        id=worker.id,
        host=worker.host,
        pid=worker.pid,
        device=worker.device,
        alive=heartbeat.is_alive(worker),
        job_id=job_id,
        silent_s=max(0.0, (now - worker.beat_at).total_seconds()),
        started_at=worker.created_at,
    )
