"""Workers: list them, register and leave, remove dead ones and requeue their jobs."""

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
from app.schemas.health import WorkerOut, WorkerPage
from app.services.jobs import states
from app.services.shared.heartbeats import Heartbeat
from app.services.shared.paging import PageRequest, cut


def page(session: Session, principal: Principal, request: PageRequest, heartbeat: Heartbeat) -> WorkerPage:
    """List the workers, newest first, each with the caller's job that it runs."""
    found = queries.workers_page(session, principal.workspace_id, request.limit + 1, request.after)
    shown, following = cut(found, request, lambda seen: seen.worker.id)
    return WorkerPage(workers=[_out(*seen, heartbeat) for seen in shown], next=following)


def leave(database: Database, heartbeat: Heartbeat) -> None:
    """Requeue the job of a worker that stops, and mark it as stopped, so that nobody awaits its deadline."""
    heartbeat.stop()
    with database.write() as session:
        states.requeue_of(session, heartbeat.id)
        queries.mark_stopped(session, heartbeat.id)


@contextmanager
def registered(database: Database, device: str) -> Iterator[str]:
    """Register this process as a worker while it trains without the queue; yield its id."""
    heartbeat = Heartbeat(database, "worker", device)
    heartbeat.poll()
    heartbeat.open()
    try:
        yield heartbeat.id
    finally:
        leave(database, heartbeat)


def remove_dead(database: Database, queue: Queue, dead: Sequence[Process]) -> list[str]:
    """Remove dead processes and requeue the jobs of the workers among them; return the removed ids.

    A process that has beaten since it was found dead stays, with its job.
    """
    with database.write() as session:
        removed = queries.remove_silent(session, dead)
        for ref, priority in states.requeue_orphaned(session, removed):
            queue.enqueue(session, ref, priority)  # a job that ran without the queue has no entry yet
    return removed


def unregistered(database: Database, worker_ids: Collection[str]) -> set[str]:
    """Return those of the ids that belong to no worker, because it was removed."""
    with database.read() as session:
        return set(worker_ids) - queries.registered(session, worker_ids)


def is_beating_here(database: Database, within_s: float) -> bool:
    """Return whether a worker on this host beats within some seconds from now."""
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
