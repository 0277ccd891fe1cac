"""Jobs and the moves between their states.

    queued ──begin──▶ running ──succeed──▶ succeeded
       │                ├──────fail──────▶ failed
       ▲                │
       ├──give back, ───┤   the worker stops, or the attempt died:
       │  record death  │   another one begins, up to a limit
       └────────────────┴──────cancel────▶ cancelled

Whoever works on a job holds an attempt number. Every write names it and changes nothing once a later
attempt has begun or the job has ended: that fences off a worker that was taken for dead and woke up.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from app import blobs
from app.auth import Principal
from app.db.engine import Session
from app.db.queries import jobs as queries
from app.db.tables import Job, now
from app.errors import AppError, Conflict, NotFound
from app.queue import JobRef
from app.schemas.jobs import JobOut, JobPage, Progress
from app.services.shared.paging import PageRequest, cut

WORKER_DIED = "its worker died."


class Superseded(AppError):
    """This attempt has no say over its job any more."""

    code = "superseded"
    title = "The job was ended or taken over"


class Paused(AppError):
    """A training has stopped where another attempt goes on."""

    code = "paused"
    title = "The training was paused"


class Outcome(NamedTuple):
    """What became of a job, in words behind its name."""

    sentence: str
    is_failure: bool = False


def page(session: Session, principal: Principal, request: PageRequest) -> JobPage:
    """List the caller's jobs, newest first."""
    found = queries.page(session, principal.workspace_id, request.limit + 1, request.after)
    shown, following = cut(found, request, lambda job: job.id)
    return JobPage(jobs=[JobOut.model_validate(job) for job in shown], next=following)


def get(session: Session, principal: Principal, job_id: str) -> JobOut:
    """Return a job.

    Raises NotFound if the caller has none under this id.
    """
    return JobOut.model_validate(find(session, principal, job_id))


def find(session: Session, principal: Principal, job_id: str) -> Job:
    """Return a job's row.

    Raises NotFound as `get` does.
    """
    return _found(queries.find(session, principal.workspace_id, job_id), job_id)


def cancel(session: Session, principal: Principal, job_id: str) -> JobOut:
    """End a job that waits or runs: it is not begun any more, and a worker that has it lets go at once.

    Raises NotFound as `get` does, and Conflict for a job that has ended.
    """
    job = _found(queries.lock(session, principal.workspace_id, job_id), job_id)
    if job.state not in queries.UNFINISHED:
        raise Conflict(f"Job {job_id} has ended already: it {_ENDED[job.state]}. Nothing is left to cancel.")
    _end(session, job, "cancelled", "It was cancelled.")
    return JobOut.model_validate(job)


def cancel_all(session: Session, principal: Principal, dataset_id: str, reason: str) -> None:
    """End every unfinished job of a dataset."""
    for job in queries.lock_unfinished_of(session, principal.workspace_id, dataset_id):
        _end(session, job, "cancelled", reason)


def begin(
    session: Session, ref: JobRef, worker_id: str, max_attempts: int, last: int | None = None
) -> int | None:
    """Start the next attempt at a job and return its number; None if there is nothing left to do.

    `last` is the attempt that the caller itself made before, if any: a job that has gone on to a later one
    was taken over and is left alone. Without it the caller has the job from the queue, which gives it to
    one worker at a time, so an attempt that seems to run has died with its worker.
    """
    job = queries.lock(session, ref.workspace_id, ref.job_id)
    if job is None or job.state not in queries.UNFINISHED:
        return None
    if last is not None and job.attempt != last:
        return None
    if job.state == "running":
        _record_failure(job, WORKER_DIED if last is None else "its process ended before the job did.")
    if len(job.failures) >= max_attempts:
        causes = " ".join(job.failures)
        reason = f"The training died {len(job.failures)} times and is not tried again. {causes}"
        _end(session, job, "failed", reason)
        return None
    job.state, job.attempt, job.worker_id, job.started_at = "running", job.attempt + 1, worker_id, now()
    _tell(job, "preparing")
    return job.attempt


def is_held(session: Session, ref: JobRef, attempt: int) -> bool:
    """Tell whether an attempt still has its say: its job was neither ended nor taken over."""
    return queries.is_held(session, ref.workspace_id, ref.job_id, attempt)


def report(session: Session, ref: JobRef, attempt: int, progress: Progress) -> None:
    """Store how far an attempt is.

    Raises Superseded if the attempt has no say any more.
    """
    if not queries.report(session, ref.workspace_id, ref.job_id, attempt, _stored(progress)):
        raise _superseded(ref, attempt)


def keep_checkpoint(session: Session, ref: JobRef, attempt: int, checkpoint: dict[str, Any]) -> None:
    """Store where the next attempt can go on from.

    Raises Superseded if the attempt has no say any more.
    """
    if not queries.keep_checkpoint(session, ref.workspace_id, ref.job_id, attempt, checkpoint):
        raise _superseded(ref, attempt)


def succeed(session: Session, ref: JobRef, attempt: int, model_id: str) -> None:
    """End a job with the model it made.

    Raises Superseded if the attempt has no say any more.
    """
    job = _lock_held(session, ref, attempt)
    job.model_id = model_id
    job.progress = _stored(Progress(phase="publishing", share_done=1.0))
    _end(session, job, "succeeded")


def fail(session: Session, ref: JobRef, attempt: int, reason: str) -> None:
    """End a job for a reason that another attempt would meet again.

    Raises Superseded if the attempt has no say any more.
    """
    _end(session, _lock_held(session, ref, attempt), "failed", reason)


def interrupt(session: Session, ref: JobRef, attempt: int, reason: str) -> None:
    """End a job on behalf of the one who asked for it and carries it out.

    Raises Superseded if the attempt has no say any more.
    """
    _end(session, _lock_held(session, ref, attempt), "cancelled", reason)


def record_death(session: Session, ref: JobRef, attempt: int, cause: str) -> None:
    """Keep what ended an attempt that died; the job waits to be begun again.

    Raises Superseded if the attempt had no say any more.
    """
    job = _lock_held(session, ref, attempt)
    _record_failure(job, cause)
    _wait_again(job)


def put_back(session: Session, ref: JobRef, attempt: int) -> None:
    """Let a job be begun again whose attempt lacked the database; that is no failure of the job's.

    Raises Superseded if the attempt had no say any more.
    """
    _wait_again(_lock_held(session, ref, attempt))


def set_aside(session: Session, job_ids: Collection[str], reason: str) -> None:
    """End jobs, of any workspace, that nobody can work on, whoever has them."""
    for job in queries.lock_unfinished(session, job_ids):
        _end(session, job, "failed", reason)


def outcome(session: Session, ref: JobRef) -> Outcome:
    """Tell what became of a job that one worker has nothing left to do for."""
    job = queries.find(session, ref.workspace_id, ref.job_id)
    if job is None:
        return Outcome("is gone.")
    if job.state in queries.UNFINISHED:
        return Outcome("goes on elsewhere.")
    return Outcome(f"{_ENDED[job.state]}{': ' if job.error else '.'}{job.error or ''}", job.state == "failed")


def give_back(session: Session, worker_id: str) -> None:
    """Let go of what a worker has that stops in good order; that is no failure of the job's."""
    for job in queries.lock_running_of(session, [worker_id]):
        _wait_again(job)


def lose(session: Session, worker_ids: Collection[str]) -> list[tuple[JobRef, int]]:
    """Let the jobs of dead workers wait again, and return them with their priorities."""
    lost = queries.lock_running_of(session, worker_ids)
    for job in lost:
        _record_failure(job, WORKER_DIED)
        _wait_again(job)
    return [(JobRef(job.workspace_id, job.id), int(job.request.get("priority", 0))) for job in lost]


def acquit(session: Session, ref: JobRef, attempt: int) -> None:
    """Take back that an attempt died: its worker was taken for dead and lives, and so did the attempt."""
    job = queries.lock(session, ref.workspace_id, ref.job_id)
    if job is not None and job.state in queries.UNFINISHED:
        job.failures = [failure for failure in job.failures if failure != _failure(attempt, WORKER_DIED)]
        job.revision += 1


_ENDED = {"succeeded": "has succeeded", "failed": "has failed", "cancelled": "was cancelled"}


def _found(job: Job | None, job_id: str) -> Job:
    if job is None:
        raise NotFound(f"There is no job {job_id}. GET /jobs lists those there are.")
    return job


def _lock_held(session: Session, ref: JobRef, attempt: int) -> Job:
    job = queries.lock(session, ref.workspace_id, ref.job_id)
    if job is None or job.state != "running" or job.attempt != attempt:
        raise _superseded(ref, attempt)
    return job


def _superseded(ref: JobRef, attempt: int) -> Superseded:
    return Superseded(f"Attempt {attempt} at job {ref.job_id} was ended or taken over.")


def _end(session: Session, job: Job, state: str, reason: str | None = None) -> None:
    job.state, job.error, job.finished_at = state, reason, now()
    job.progress = {**job.progress, "estimated_end": None}
    job.revision += 1
    _drop_checkpoint(session, job)


def _drop_checkpoint(session: Session, job: Job) -> None:
    """Remove what nobody will go on from any more."""
    parts = (job.checkpoint or {}).get("parts", {})
    blobs.release(session, job.workspace_id, [part["key"] for part in parts.values()])
    job.checkpoint = None


def _record_failure(job: Job, cause: str) -> None:
    job.failures = [*job.failures, _failure(job.attempt, cause)]


def _failure(attempt: int, cause: str) -> str:
    return f"Attempt {attempt}: {cause}"


def _wait_again(job: Job) -> None:
    job.state = "queued"
    _tell(job, "queued")


def _tell(job: Job, phase: str) -> None:
    """Say where a job is while no attempt reports; what a checkpoint keeps stays done."""
    share_done = job.progress.get("share_done", 0.0) if job.checkpoint else 0.0
    job.progress = {"phase": phase, "share_done": share_done}
    job.revision += 1


def _stored(progress: Progress) -> dict[str, Any]:
    return progress.model_dump(mode="json", exclude_none=True)
