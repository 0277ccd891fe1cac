"""Schedules: trainings that are queued at the times of a cron expression."""

from typing import Annotated

from fastapi import APIRouter, Response

from app.api.deps import CurrentPrincipal, Read, WriteSession
from app.api.http.documentation import CHANGES, CREATES, EDITS, FINDS
from app.api.http.idempotency import ClaimKey, IdempotentRoute
from app.api.http.identifiers import ScheduleId, of_dataset
from app.api.http.paging import Page, with_opaque_cursor
from app.schemas.schedules import ScheduleOut, SchedulePage, ScheduleRequest, ScheduleUpdate
from app.services.training import schedules

router = APIRouter(prefix="/schedules", tags=["training"], route_class=IdempotentRoute)


@router.post("", status_code=201, responses=CREATES, dependencies=[ClaimKey])
def create_schedule(
    request: ScheduleRequest, principal: CurrentPrincipal, session: WriteSession, response: Response
) -> ScheduleOut:
    """Queue a training at each time of a cron expression; without new observations it is skipped."""
    schedule = schedules.create(session, principal, request)
    response.headers["Location"] = f"/schedules/{schedule.id}"
    return schedule


@router.get("")
async def list_schedules(
    page: Page,
    principal: CurrentPrincipal,
    read: Read,
    dataset_id: Annotated[str | None, of_dataset("schedules")] = None,
) -> SchedulePage:
    """List schedules, newest first."""
    return with_opaque_cursor(await read(schedules.page, principal, dataset_id, page))


@router.get("/{schedule_id}", responses=FINDS)
async def get_schedule(schedule_id: ScheduleId, principal: CurrentPrincipal, read: Read) -> ScheduleOut:
    """Show a schedule: when it is due next, and the outcome of the last time."""
    return await read(schedules.get, principal, schedule_id)


@router.patch("/{schedule_id}", responses=EDITS)
def update_schedule(
    schedule_id: ScheduleId, changes: ScheduleUpdate, principal: CurrentPrincipal, session: WriteSession
) -> ScheduleOut:
    """Pause or resume a schedule; times that passed while it was paused are not made up for."""
    return schedules.pause(session, principal, schedule_id, paused=changes.paused)


@router.delete("/{schedule_id}", status_code=204, responses=CHANGES)
def delete_schedule(schedule_id: ScheduleId, principal: CurrentPrincipal, session: WriteSession) -> None:
    """Delete a schedule; trainings that it has queued continue."""
    schedules.delete(session, principal, schedule_id)
