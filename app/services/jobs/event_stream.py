"""The event stream of jobs: one query in each interval serves all who follow jobs in this process."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from app.auth import Principal
from app.db.engine import Database, Session
from app.db.queries import jobs as queries
from app.db.tables import Job
from app.observability.background_tasks import RetriedTask
from app.queue import JobRef
from app.schemas.jobs import JobOut
from app.services.jobs import states

POLL_INTERVAL_S = 0.5


@dataclass(frozen=True)
class JobEvent:
    """A job as it was at a revision."""

    revision: int
    job: JobOut

    @property
    def is_last(self) -> bool:
        """Whether the job has ended, so that no event follows."""
        return self.job.state not in queries.UNFINISHED


class JobEventStream:
    """Polls jobs while somebody follows them; belongs to one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: Counter[JobRef] = Counter()
        self._newest: dict[JobRef, JobEvent] = {}
        self._watch = RetriedTask("The job event stream", "Those who follow jobs wait.")
        self._polled = asyncio.Condition()
        self._polling: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def follow(
        self, principal: Principal, first: JobEvent, seen: int | None
    ) -> AsyncIterator[JobEvent]:
        """Yield a job now, unless its revision was `seen`, and after each change until it has ended.

        A slow reader skips to the newest state. When the stream is closed, it stops before the job has ended.
        """
        ref = JobRef(principal.workspace_id, first.job.id)
        event = first
        if seen is not None:
            seen = min(seen, first.revision)  # a restored database may count from a lower number
        self._add(ref)
        try:
            while not self._closed:
                if event.is_last or seen is None or event.revision > seen:
                    seen = event.revision
                    yield event
                if event.is_last:
                    return
                await self._next_poll()
                event = self._newest.get(ref, event)
        finally:
            self._remove(ref)

    def close(self) -> None:
        """End every stream; may be called in a signal handler and from any thread."""
        self._closed = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._notify()))

    def _add(self, ref: JobRef) -> None:
        self._followers[ref] += 1
        if self._polling is None or self._polling.done():
            self._loop = asyncio.get_running_loop()
            self._polling = self._loop.create_task(self._poll_while_followed())

    def _remove(self, ref: JobRef) -> None:
        self._followers[ref] -= 1
        if not self._followers[ref]:
            del self._followers[ref]
            self._newest.pop(ref, None)

    async def _poll_while_followed(self) -> None:
        """Poll at intervals while anybody follows a job."""
        while self._followers and not self._closed:
            await asyncio.sleep(POLL_INTERVAL_S)
            with self._watch.attempt():
                found = await asyncio.to_thread(self._read, list(self._followers))
                self._newest = {ref: event for ref, event in found.items() if ref in self._followers}
                await self._notify()

    def _read(self, refs: Collection[JobRef]) -> dict[JobRef, JobEvent]:
        with self._database.read() as session:
            found = queries.found(session, [(ref.workspace_id, ref.job_id) for ref in refs])
            return {JobRef(job.workspace_id, job.id): _event(job) for job in found}

    async def _next_poll(self) -> None:
        async with self._polled:
            if not self._closed:  # a reader that was busy during the close would wait for ever
                await self._polled.wait()

    async def _notify(self) -> None:
        async with self._polled:
            self._polled.notify_all()


def current_event(session: Session, principal: Principal, job_id: str) -> JobEvent:
    """Return a job as an event, as it is now.

    Raises NotFound if the caller has none under this id.
    """
    return _event(states.find(session, principal, job_id))


def _event(job: Job) -> JobEvent:
    return JobEvent(job.revision, JobOut.model_validate(job))
