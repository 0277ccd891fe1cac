"""Schedules submit trainings again and again; the worker that first sees one due fires it."""

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from app.auth import Principal
from app.db.engine import Database, Session
from app.db.queries import datasets as dataset_queries
from app.db.queries import jobs as job_queries
from app.db.queries import schedules as queries
from app.db.tables import Schedule, new_id, now
from app.errors import AppError, NotFound, Unavailable
from app.schemas.schedules import LastTime, ScheduleOut, SchedulePage, ScheduleRequest
from app.schemas.train import TrainRequest
from app.services.datasets import catalog
from app.services.shared.paging import PageRequest, cut
from app.services.training import cron, submit
from app.services.training.submit import TrainingQueue

WITHOUT_MODEL = ("failed", "cancelled")
MAX_AT_ONCE = 50  # so that a worker's other side tasks need not wait long
FAULT_WAIT = timedelta(hours=1)
logger = logging.getLogger(__name__)


def create(session: Session, principal: Principal, request: ScheduleRequest) -> ScheduleOut:
    """Store a schedule; it fires first at the next time of its expression.

    Raises BadInput for an expression that cannot be read, and what `submit.check` raises for its training.
    """
    expression = cron.normal(request.cron)
    settings = request.train.model_dump()
    # Locked against deletion between the check and the new row that names it.
    dataset_queries.keep(session, principal.workspace_id, request.dataset_id)
    training = TrainRequest(dataset_id=request.dataset_id, **settings)
    submit.check(session, principal, training, pointer="#/train")
    schedule = Schedule(
        workspace_id=principal.workspace_id,
        id=new_id("schedule"),
        dataset_id=request.dataset_id,
        cron=expression,
        train=settings,
        paused=False,
        next_at=cron.next_after(expression, now()),
        created_at=now(),
    )
    queries.add(session, schedule)
    return _out(schedule)


def page(
    session: Session, principal: Principal, dataset_id: str | None, request: PageRequest
) -> SchedulePage:
    """List the caller's schedules, newest first, those of one dataset if it is named."""
    found = queries.page(session, principal.workspace_id, dataset_id, request.limit + 1, request.after)
    shown, following = cut(found, request, lambda schedule: schedule.id)
    return SchedulePage(schedules=[_out(schedule) for schedule in shown], next=following)


def get(session: Session, principal: Principal, schedule_id: str) -> ScheduleOut:
    """Return a schedule.

    Raises NotFound if the caller has none under this id.
    """
    return _out(_found(queries.find(session, principal.workspace_id, schedule_id), schedule_id))


def pause(session: Session, principal: Principal, schedule_id: str, *, paused: bool) -> ScheduleOut:
    """Pause a schedule, or resume it from now; times that it missed are not made up for.

    Raises NotFound as `get` does.
    """
    schedule = _found(queries.lock(session, principal.workspace_id, schedule_id), schedule_id)
    if schedule.paused and not paused:
        schedule.next_at = cron.next_after(schedule.cron, now())
    schedule.paused = paused
    return _out(schedule)


def delete(session: Session, principal: Principal, schedule_id: str) -> None:
    """Delete a schedule; its submitted trainings go on.

    Raises NotFound as `get` does.
    """
    _found(queries.find(session, principal.workspace_id, schedule_id), schedule_id)
    queries.delete(session, principal.workspace_id, schedule_id)


def fire_due(database: Database, queue: TrainingQueue, moment: datetime) -> None:
    """Fire each schedule that is due once, however many times it missed and however many workers try.

    A schedule that cannot be fired waits for an hour, and the others go on. Raises Unavailable.
    """
    with database.read() as session:
        due = queries.due(session, moment, MAX_AT_ONCE)
    for schedule in due:
        try:
            with database.write() as session:
                _fire(session, queue, schedule, moment)
        except Unavailable:
            raise
        except Exception:
            logger.exception("Schedule %s could not be fired, and waits for %s.", schedule.id, FAULT_WAIT)
            with database.write() as session:
                queries.move_on(session, schedule, moment + FAULT_WAIT)


def _fire(session: Session, queue: TrainingQueue, due: Schedule, moment: datetime) -> None:
    # The dataset is locked before the schedule, in the same order as when both are deleted.
    dataset_queries.lock(session, due.workspace_id, due.dataset_id)
    schedule = queries.move_on(session, due, cron.next_after(due.cron, moment))
    if schedule is None:
        return
    schedule.last = _submit_if_new(session, queue, schedule, moment).model_dump(mode="json")


def _submit_if_new(session: Session, queue: TrainingQueue, schedule: Schedule, moment: datetime) -> LastTime:
    """Submit the training unless the dataset is unchanged since the last one; return what came of it."""
    principal = Principal(workspace_id=schedule.workspace_id)
    _, version = catalog.find(session, principal, schedule.dataset_id)
    last_time = partial(LastTime, at=moment, dataset_version=version.version)
    last_job = (schedule.last or {}).get("job_id")
    if schedule.trained_version == version.version and not _left_no_model(session, principal, last_job):
        detail = f"Nothing new was observed since version {version.version}, which it asked for before."
        return last_time(outcome="skipped", detail=detail, job_id=last_job)
    request = TrainRequest.model_validate({**schedule.train, "dataset_id": schedule.dataset_id})
    try:
        job = queue.submit(session, principal, request)
    except AppError as error:
        return last_time(outcome="refused", detail=str(error), job_id=last_job)
    schedule.trained_version = version.version
    detail = f"A training on version {version.version} was asked for."
    return last_time(outcome="asked", detail=detail, job_id=job.id)


def _left_no_model(session: Session, principal: Principal, job_id: str | None) -> bool:
    job = None if job_id is None else job_queries.find(session, principal.workspace_id, job_id)
    return job is not None and job.state in WITHOUT_MODEL


def _found(schedule: Schedule | None, schedule_id: str) -> Schedule:
    if schedule is None:
        raise NotFound(f"There is no schedule {schedule_id}. GET /schedules lists those there are.")
    return schedule


def _out(schedule: Schedule) -> ScheduleOut:
    facts: dict[str, Any] = {
        name: getattr(schedule, name)
        for name in ("id", "dataset_id", "cron", "train", "paused", "last", "created_at")
    }
    return ScheduleOut(**facts, next_at=None if schedule.paused else schedule.next_at)
