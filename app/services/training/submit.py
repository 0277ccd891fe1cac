"""Submit a training: check the request, store the job, and queue it."""

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
from models.errors import HorizonTooLong, TooManyCuts
from models.horizon import check_cuts, check_training, default_horizon, longest_horizon


class TrainingQueue:
    """Queues the trainings that callers and schedules ask for."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def submit(self, session: Session, principal: Principal, request: TrainRequest) -> JobOut:
        """Store a job and queue it, both in the caller's transaction.

        If an equal training is unfinished, returns its job instead. Raises as `check` does.
        """
        job = _new_job(session, principal, request)
        same = job_queries.unfinished_like(session, principal.workspace_id, job.dataset_id, job.fingerprint)
        if same is not None:
            return JobOut.model_validate(same)
        self._queue.enqueue(session, _add(session, job), request.priority)
        return JobOut.model_validate(job)


def create_job(session: Session, principal: Principal, request: TrainRequest) -> JobRef:
    """Store a job without queuing it; the caller runs it.

    Raises as `check` does.
    """
    return _add(session, _new_job(session, principal, request))


def suggested_horizon(profile: Profile) -> int:
    """Return the horizon that a training is offered: a season, or as far as it can be trained."""
    return max(1, min(default_horizon(profile.season_length), longest_horizon(profile.longest)))


def check(
    session: Session, principal: Principal, request: TrainRequest, pointer: str = "#"
) -> DatasetVersion:
    """Return the version of the dataset that a training would use.

    Raises NotFound for an unknown dataset, and BadInput for a horizon or cuts that its longest series does
    not allow. `pointer` is the place of the settings in the request.
    """
    _, version = catalog.find(session, principal, request.dataset_id)
    _check_lengths(request, Profile.model_validate(version.profile).longest, pointer)
    return version


def _new_job(session: Session, principal: Principal, request: TrainRequest) -> Job:
    # Locked, so that the second of two equal requests at the same time finds the job of the first.
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
    """Return a hash that is equal for trainings that make the same model, whatever their priority."""
    settings = request.model_dump(exclude={"priority"})
    return sha256(json.dumps([version, settings], sort_keys=True).encode())


def _add(session: Session, job: Job) -> JobRef:
    job_queries.add(session, job)
    return JobRef(job.workspace_id, job.id)


def _check_lengths(request: TrainRequest, longest: int, pointer: str) -> None:
    try:
        check_training(request.horizon, longest)
        if request.cuts is not None:
            check_cuts(request.horizon, longest, request.cuts, request.step_size or request.horizon)
    except HorizonTooLong as error:
        raise BadInput(str(error), [FieldError(f"{pointer}/horizon", error.remedy)]) from error
    except TooManyCuts as error:
        raise BadInput(str(error), [FieldError(f"{pointer}/cuts", error.remedy)]) from error
