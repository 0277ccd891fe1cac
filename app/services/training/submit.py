"""Trainings: asked for by a caller, and put into the queue."""

import json

from app.auth import Principal
from app.db.engine import Session
from app.db.queries import datasets as dataset_queries
from app.db.queries import jobs as job_queries
from app.db.tables import DatasetVersion, Job, new_id
from app.digest import sha256
from app.errors import BadInput, FieldError
from app.queue import JobRef, Queue
from app.schemas.datasets import Profile
from app.schemas.jobs import JobOut
from app.schemas.train import TrainRequest
from app.services.datasets import catalog
from models.config import longest_horizon


def ask(session: Session, principal: Principal, request: TrainRequest) -> JobRef:
    """Write down a training to be done; who does it is the caller's to arrange.

    Raises NotFound for an unknown dataset, BadInput for a horizon that its longest series does not allow.
    """
    return _add(session, _new_job(session, principal, request))


def check(
    session: Session, principal: Principal, request: TrainRequest, pointer: str = "#/horizon"
) -> DatasetVersion:
    """Return what would be learnt from, if a training could be asked for.

    Raises as `ask` does; `pointer` says where the horizon stands in the call.
    """
    _, version = catalog.find(session, principal, request.dataset_id)
    _check_horizon(request.horizon, Profile.model_validate(version.profile), pointer)
    return version


class Trainings:
    """Takes trainings from callers and puts them into the queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def enqueue(self, session: Session, principal: Principal, request: TrainRequest) -> JobOut:
        """Ask for a training and queue it, both in the caller's transaction.

        While one waits or runs that makes the same of the same data, that one is the answer.
        """
        job = _new_job(session, principal, request)
        same = job_queries.unfinished_like(session, principal.workspace_id, job.dataset_id, job.fingerprint)
        if same is not None:
            return JobOut.model_validate(same)
        self._queue.enqueue(session, _add(session, job), request.priority)
        return JobOut.model_validate(job)


def _new_job(session: Session, principal: Principal, request: TrainRequest) -> Job:
    # Locked, so that of two who ask for the same at once the second finds what the first has asked for.
    dataset_queries.lock(session, principal.workspace_id, request.dataset_id)
    version = check(session, principal, request)
    return Job(
        workspace_id=principal.workspace_id,
        id=new_id("job"),
        dataset_id=version.dataset_id,
        dataset_version=version.version,
        request=request.model_dump(),
        fingerprint=_fingerprint(version.version, request),
        state="queued",
        attempt=0,
        revision=0,
        failures=[],
        progress={"phase": "queued"},
    )


def _fingerprint(version: int, request: TrainRequest) -> str:
    """Return what is equal for trainings that leave the same; how urgent they are makes no difference."""
    wishes = request.model_dump(exclude={"priority"})
    return sha256(json.dumps([version, wishes], sort_keys=True).encode())


def _add(session: Session, job: Job) -> JobRef:
    job_queries.add(session, job)
    return JobRef(job.workspace_id, job.id)


def _check_horizon(horizon: int, profile: Profile, pointer: str) -> None:
    allowed = longest_horizon(profile.longest)
    if horizon <= allowed:
        return
    remedy = f"Ask for at most {allowed}." if allowed else "Upload at least 4 observations of one series."
    detail = f"The longest series has {profile.longest} steps, too few to train for {horizon} steps ahead."
    raise BadInput(f"{detail} {remedy}", [FieldError(pointer, remedy)])
