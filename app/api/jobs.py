"""Jobs: the trainings that are queued, running or done."""

import re
from collections.abc import AsyncIterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.api.deps import CurrentPrincipal, Read, TheResources, WriteSession
from app.api.http.identifiers import JobId
from app.api.http.paging import Page, handed_out
from app.schemas import examples
from app.schemas.jobs import JobOut, JobPage
from app.services.jobs import states
from app.services.jobs.event_stream import JobEvent, present

router = APIRouter(prefix="/jobs", tags=["training"])
LastEventId = Annotated[
    str | None,
    Header(
        description="The id of the last event that was read: the stream goes on after it. What is no number "
        "is as good as none."
    ),
]
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events for as long as the job goes on, and a comment (`: ping`) after each 15 "
        "seconds without one.",
        "content": {EventSourceResponse.media_type: {"example": examples.EVENTS}},
    },
}


async def follow(
    job_id: JobId, principal: CurrentPrincipal, resources: TheResources, last_event_id: LastEventId = None
) -> AsyncIterable[JobEvent]:
    """Find the job to be followed before a stream begins."""
    first = await resources.read(present, principal, job_id)
    return resources.feed.follow(principal, first, _number(last_event_id))


def _number(last_event_id: str | None) -> int | None:
    is_number = last_event_id is not None and re.fullmatch("[0-9]{1,18}", last_event_id)
    return int(last_event_id) if last_event_id and is_number else None


Followed = Annotated[AsyncIterable[JobEvent], Depends(follow)]


@router.get("")
async def list_jobs(page: Page, principal: CurrentPrincipal, read: Read) -> JobPage:
    """List jobs, newest first."""
    return handed_out(await read(states.page, principal, page))


@router.get("/{job_id}")
async def get_job(job_id: JobId, principal: CurrentPrincipal, read: Read) -> JobOut:
    """Show a job: its state, how far it is, and what came of it."""
    return await read(states.get, principal, job_id)


@router.get(
    "/{job_id}/events",  # noqa: FAST003  # `follow` takes it
    response_class=EventSourceResponse,
    responses=STREAM,
)
async def follow_job(events: Followed) -> AsyncIterable[ServerSentEvent]:
    """Follow a job by server-sent events: what `GET /jobs/{id}` answers, now and whenever it has changed.

    An event is named `progress` until the job has ended; the last one is named after its state and ends the
    stream. The id of an event counts the changes: a reader that was cut off sends it as `Last-Event-ID` and
    goes on from there.
    """
    async for event in events:
        name = event.job.state if event.is_last else "progress"
        yield ServerSentEvent(data=event.job, event=name, id=str(event.revision))


@router.post("/{job_id}/cancel")
def cancel_job(job_id: JobId, principal: CurrentPrincipal, session: WriteSession) -> JobOut:
    """Cancel a job that waits or runs; a running one stops within two seconds, and leaves nothing."""
    return states.cancel(session, principal, job_id)
