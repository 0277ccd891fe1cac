"""Jobs: trainings that are queued, running or finished."""

import re
from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.api.deps import CurrentPrincipal, Read, TheResources, WriteSession
from app.api.http.documentation import CHANGES, FINDS, TEXT, Responses, problems
from app.api.http.identifiers import JobId
from app.api.http.paging import Page, with_opaque_cursor
from app.errors import Conflict
from app.schemas import examples
from app.schemas.jobs import JobOut, JobPage
from app.services.jobs import states
from app.services.jobs.event_stream import JobEvent, current_event

router = APIRouter(prefix="/jobs", tags=["training"])
LastEventId = Annotated[
    str | None,
    Header(
        description="The id of the last event that was read; the stream continues after it. Anything but a "
        "number is ignored."
    ),
]
STREAM: Responses = {
    200: {
        "description": "Events until the job ends, and a comment (`: ping`) after each 15 seconds without "
        "one.",
        "content": {EventSourceResponse.media_type: {**TEXT, "example": examples.EVENTS}},
    },
    **FINDS,
}


async def get_events(
    job_id: JobId, principal: CurrentPrincipal, resources: TheResources, last_event_id: LastEventId = None
) -> AsyncIterable[JobEvent]:
    """Return the events of a job; raise NotFound before the stream begins."""
    first = await resources.read(current_event, principal, job_id)
    return resources.job_events.follow(principal, first, _parse_event_id(last_event_id))


def _parse_event_id(last_event_id: str | None) -> int | None:
    is_number = last_event_id is not None and re.fullmatch("[0-9]{1,18}", last_event_id)
    return int(last_event_id) if last_event_id and is_number else None


JobEvents = Annotated[AsyncIterable[JobEvent], Depends(get_events)]


@router.get("")
async def list_jobs(page: Page, principal: CurrentPrincipal, read: Read) -> JobPage:
    """List jobs, newest first."""
    return with_opaque_cursor(await read(states.page, principal, page))


@router.get("/{job_id}", responses=FINDS)
async def get_job(job_id: JobId, principal: CurrentPrincipal, read: Read) -> JobOut:
    """Show a job: its state, progress and outcome."""
    return await read(states.get, principal, job_id)


@router.get(
    "/{job_id}/events",  # noqa: FAST003  # `get_events` declares it
    response_class=EventSourceResponse,
    responses=STREAM,
)
async def follow_job(events: JobEvents) -> AsyncIterable[ServerSentEvent]:
    """Follow a job by server-sent events: the job as in `GET /jobs/{id}`, now and after each change.

    Events are named `progress` until the job ends; the last one has the name of its final state and ends the
    stream. An event's id counts the changes: a client that was disconnected sends it as `Last-Event-ID` and
    continues from there.
    """
    async for event in events:
        name = event.job.state if event.is_last else "progress"
        yield ServerSentEvent(data=event.job, event=name, id=str(event.revision))


@router.post("/{job_id}/cancel", responses=CHANGES | problems(Conflict))
def cancel_job(job_id: JobId, principal: CurrentPrincipal, session: WriteSession) -> JobOut:
    """Cancel a queued or running job; a running one stops within two seconds and leaves no model."""
    return states.cancel(session, principal, job_id)
