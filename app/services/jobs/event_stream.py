"""The job feed: what becomes of jobs, told to all in this process who follow one, by one look for all."""

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

LOOK_S = 0.5


@dataclass(frozen=True)
class JobEvent:
    """A job as it was after so many changes."""

    revision: int
    job: JobOut

    @property
    def is_last(self) -> bool:
        """Whether nothing can come after it."""
        return self.job.state not in queries.UNFINISHED


class JobFeed:
    """Follows jobs for as long as somebody wants to know; to be used in one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: Counter[JobRef] = Counter()
        self._newest: dict[JobRef, JobEvent] = {}
        self._watch = RetriedTask("The job feed", "Those who follow jobs wait.")
        self._looked = asyncio.Condition()
        self._looking: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def follow(
        self, principal: Principal, first: JobEvent, seen: int | None
    ) -> AsyncIterator[JobEvent]:
        """Yield a job as it is, unless that was `seen`, and each time it has changed, up to its end.

        Who reads slowly gets the newest state and none of those between. Ends without an end of the job
        when the feed is closed.
        """
        ref = JobRef(principal.workspace_id, first.job.id)
        event = first
        if seen is not None:
            seen = min(seen, first.revision)  # a database that was set back counts from lower again
        self._add(ref)
        try:
            while not self._closed:
                if event.is_last or seen is None or event.revision > seen:
                    seen = event.revision
                    yield event
                if event.is_last:
                    return
                await self._next_look()
                event = self._newest.get(ref, event)
        finally:
            self._remove(ref)

    def close(self) -> None:
        """Let all who follow go; may be called in a signal handler, and from any thread."""
        self._closed = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._tell()))

    def _add(self, ref: JobRef) -> None:
        self._followers[ref] += 1
        if self._looking is None or self._looking.done():
            self._loop = asyncio.get_running_loop()
            self._looking = self._loop.create_task(self._look_on())

    def _remove(self, ref: JobRef) -> None:
        self._followers[ref] -= 1
        if not self._followers[ref]:
            del self._followers[ref]
            self._newest.pop(ref, None)

    async def _look_on(self) -> None:
        """Look from time to time while anybody follows."""
        while self._followers and not self._closed:
            await asyncio.sleep(LOOK_S)
            with self._watch.attempt():
                found = await asyncio.to_thread(self._look, list(self._followers))
                self._newest = {ref: event for ref, event in found.items() if ref in self._followers}
                await self._tell()

    def _look(self, refs: Collection[JobRef]) -> dict[JobRef, JobEvent]:
        with self._database.read() as session:
            found = queries.found(session, [(ref.workspace_id, ref.job_id) for ref in refs])
            return {JobRef(job.workspace_id, job.id): _event(job) for job in found}

    async def _next_look(self) -> None:
        async with self._looked:
            if not self._closed:  # who was busy when the rest were let go would wait for ever
                await self._looked.wait()

    async def _tell(self) -> None:
        async with self._looked:
            self._looked.notify_all()


def present(session: Session, principal: Principal, job_id: str) -> JobEvent:
    """Return a job as it is now.

    Raises NotFound if the caller has none under this id.
    """
    return _event(states.find(session, principal, job_id))


def _event(job: Job) -> JobEvent:
    return JobEvent(job.revision, JobOut.model_validate(job))
