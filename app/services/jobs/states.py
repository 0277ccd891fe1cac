"""Jobs, their states, and the transitions between them.

    queued ──begin──▶ running ──succeed──▶ succeeded
       │                ├──────fail──────▶ failed
       ▲                │
       ├───requeue, ────┤   the worker stops, or the attempt died:
       │  record death  │   another attempt begins, up to a limit
       └────────────────┴──────cancel────▶ cancelled

Each attempt at a job has a number. Every write names it, and is refused once a later attempt has begun or the
job has ended. That fences off a worker that was taken for dead and wakes up.
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
    """A job was ended, or taken over by a later attempt; the earlier one may not change it."""

    code = "superseded"
    title = "The job was ended or taken over"


class Paused(AppError):
    """A training stopped at a checkpoint, from which another attempt resumes."""

    code = "paused"
    title = "The training was paused"


class Outcome(NamedTuple):
    """How a job ended, as a sentence whose subject is the job."""

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
    """Cancel a job that waits or runs; its worker notices within a second and ends the child.

    Raises NotFound as `get` does, and Conflict for a job that has ended.
    """
    job = _found(queries.lock(session, principal.workspace_id, job_id), job_id)
    if job.state not in queries.UNFINISHED:
        raise Conflict(f"Job {job_id} has ended already: it {_ENDED[job.state]}. Nothing is left to cancel.")
    _end(session, job, "cancelled", "It was cancelled.")
    return JobOut.model_validate(job)


def cancel_all(session: Session, principal: Principal, dataset_id: str, reason: str) -> None:
    """Cancel every unfinished job of a dataset."""
    for job in queries.lock_unfinished_of(session, principal.workspace_id, dataset_id):
        _end(session, job, "cancelled", reason)


def begin(
    session: Session, ref: JobRef, worker_id: str, max_attempts: int, last: int | None = None
) -> int | None:
    """Start the next attempt at a job and return its number; None if the job has ended or was taken over.

    `last` is the caller's own previous attempt, if any; if the job has a later one, another worker took it
    over. Without `last`, the caller has just taken the job from the queue. One worker at a time has a job, so
    an attempt that still counts as running has died with its worker.
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
    _set_phase(job, "preparing")
    return job.attempt


def is_current(session: Session, ref: JobRef, attempt: int) -> bool:
    """Return whether an attempt still has its job, which was neither ended nor taken over."""
    return queries.is_current(session, ref.workspace_id, ref.job_id, attempt)


def record_progress(session: Session, ref: JobRef, attempt: int, progress: Progress) -> None:
    """Store the progress of an attempt.

    Raises Superseded if the attempt is not current.
    """
    if not queries.store_progress(session, ref.workspace_id, ref.job_id, attempt, _to_json(progress)):
        raise _superseded(ref, attempt)


def store_checkpoint(session: Session, ref: JobRef, attempt: int, checkpoint: dict[str, Any]) -> None:
    """Store the checkpoint from which the next attempt resumes.

    Raises Superseded if the attempt is not current.
    """
    if not queries.store_checkpoint(session, ref.workspace_id, ref.job_id, attempt, checkpoint):
        raise _superseded(ref, attempt)


def succeed(session: Session, ref: JobRef, attempt: int, model_id: str) -> None:
    """End a job with the model that it made.

    Raises Superseded if the attempt is not current.
    """
    job = _lock_current(session, ref, attempt)
    job.model_id = model_id
    job.progress = _to_json(Progress(phase="publishing", share_done=1.0))
    _end(session, job, "succeeded")


def record_promotion(session: Session, ref: JobRef, decision: dict[str, Any] | None) -> None:
    """Store with a job why its model became the champion or not, in the transaction that ends the job."""
    job = queries.lock(session, ref.workspace_id, ref.job_id)
    if job is not None:
        job.promotion = decision


def fail(session: Session, ref: JobRef, attempt: int, reason: str) -> None:
    """Fail a job for a reason that would stop another attempt as well.

    Raises Superseded if the attempt is not current.
    """
    _end(session, _lock_current(session, ref, attempt), "failed", reason)


def interrupt(session: Session, ref: JobRef, attempt: int, reason: str) -> None:
    """Cancel a job whose process was interrupted.

    Raises Superseded if the attempt is not current.
    """
    _end(session, _lock_current(session, ref, attempt), "cancelled", reason)


def record_death(session: Session, ref: JobRef, attempt: int, cause: str) -> None:
    """Record why an attempt died; its job waits for the next one.

    Raises Superseded if the attempt is not current.
    """
    job = _lock_current(session, ref, attempt)
    _record_failure(job, cause)
    _wait_again(job)


def requeue(session: Session, ref: JobRef, attempt: int) -> None:
    """Requeue a job whose attempt could not reach the database; record no failure.

    Raises Superseded if the attempt is not current.
    """
    _wait_again(_lock_current(session, ref, attempt))


def fail_all(session: Session, job_ids: Collection[str], reason: str) -> None:
    """Fail the unfinished ones of these jobs, of any workspace, whichever worker has them."""
    for job in queries.lock_unfinished(session, job_ids):
        _end(session, job, "failed", reason)


def outcome(session: Session, ref: JobRef) -> Outcome:
    """Return how a job ended, or that it has not."""
    job = queries.find(session, ref.workspace_id, ref.job_id)
    if job is None:
        return Outcome("is gone.")
    if job.state in queries.UNFINISHED:
        return Outcome("goes on elsewhere.")
    return Outcome(f"{_ENDED[job.state]}{': ' if job.error else '.'}{job.error or ''}", job.state == "failed")


def requeue_of(session: Session, worker_id: str) -> None:
    """Requeue the job of a worker that stops; record no failure."""
    for job in queries.lock_running_of(session, [worker_id]):
        _wait_again(job)


def requeue_orphaned(session: Session, worker_ids: Collection[str]) -> list[tuple[JobRef, int]]:
    """Requeue the jobs of dead workers, and return them with their priorities."""
    orphaned = queries.lock_running_of(session, worker_ids)
    for job in orphaned:
        _record_failure(job, WORKER_DIED)
        _wait_again(job)
    return [(JobRef(job.workspace_id, job.id), int(job.request.get("priority", 0))) for job in orphaned]


def retract_death(session: Session, ref: JobRef, attempt: int) -> None:
    """Remove the recorded death of an attempt whose worker was taken for dead but is alive."""
    job = queries.lock(session, ref.workspace_id, ref.job_id)
    if job is not None and job.state in queries.UNFINISHED:
        job.failures = [failure for failure in job.failures if failure != _failure(attempt, WORKER_DIED)]
        job.revision += 1


_ENDED = {"succeeded": "has succeeded", "failed": "has failed", "cancelled": "was cancelled"}


def _found(job: Job | None, job_id: str) -> Job:
    if job is None:
        raise NotFound(f"There is no job {job_id}. GET /jobs lists those there are.")
    return job


def _lock_current(session: Session, ref: JobRef, attempt: int) -> Job:
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
    """Delete a checkpoint that no attempt will resume from."""
    parts = (job.checkpoint or {}).get("parts", {})
    blobs.release(session, job.workspace_id, [part["key"] for part in parts.values()])
    job.checkpoint = None


def _record_failure(job: Job, cause: str) -> None:
    job.failures = [*job.failures, _failure(job.attempt, cause)]


def _failure(attempt: int, cause: str) -> str:
    return f"Attempt {attempt}: {cause}"


def _wait_again(job: Job) -> None:
    job.state = "queued"
    _set_phase(job, "queued")


def _set_phase(job: Job, phase: str) -> None:
    """Set the phase between attempts; keep the share done if there is a checkpoint to resume from."""
    share_done = job.progress.get("share_done", 0.0) if job.checkpoint else 0.0
    job.progress = {"phase": phase, "share_done": share_done}
    job.revision += 1


def _to_json(progress: Progress) -> dict[str, Any]:
    return progress.model_dump(mode="json", exclude_none=True)
