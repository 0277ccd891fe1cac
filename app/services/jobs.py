"""Jobs and the moves between their states.

    queued ──begin──▶ running ──succeed──▶ succeeded
       │                ├──────fail──────▶ failed
       ▲                │
       ├──give back, ───┤   the worker stops, or the attempt died:
       │  record death  │   another one begins, up to a limit
       └────────────────┴─dataset deleted─▶ cancelled

Whoever works on a job holds an attempt number. Every write names it and changes nothing once a later
attempt has begun or the job has ended: that fences off a worker that was taken for dead and woke up.
"""

from app.auth import Principal
from app.db.engine import Session
from app.db.queries import jobs as queries
from app.db.tables import Job, now
from app.errors import AppError, NotFound
from app.queue import JobRef
from app.schemas.jobs import JobOut, JobPage, Progress
from app.services.paging import PageRequest, cut


class Superseded(AppError):
    """This attempt has no say over its job any more."""

    code = "superseded"
    title = "The job was ended or taken over"


def page(session: Session, principal: Principal, request: PageRequest) -> JobPage:
    """List the caller's jobs, newest first."""
    found = queries.page(session, principal.workspace_id, request.limit + 1, request.after)
    shown, following = cut(found, request, lambda job: job.id)
    return JobPage(jobs=[JobOut.model_validate(job) for job in shown], next=following)


def get(session: Session, principal: Principal, job_id: str) -> JobOut:
    """Return a job.

    Raises NotFound if the caller has none under this id.
    """
    job = queries.find(session, principal.workspace_id, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}. GET /jobs lists those there are.")
    return JobOut.model_validate(job)


def begin(session: Session, ref: JobRef, max_attempts: int, last: int | None = None) -> int | None:
    """Start the next attempt at a job and return its number; None if there is nothing left to do.

    `last` is the attempt that the caller itself made before, if any: a job that runs under a later one has
    been taken over and is left alone. Without it the caller has the job from the queue, which gives it to
    one worker at a time, so an attempt that seems to run has died with its worker.
    """
    job = queries.lock(session, ref.workspace_id, ref.job_id)
    if job is None or job.state not in queries.UNFINISHED:
        return None
    if last is not None and job.attempt != last:
        return None
    if job.state == "running":
        _record_failure(job, "its worker died.")
    if len(job.failures) >= max_attempts:
        _give_up(job)
        return None
    job.state, job.attempt, job.started_at = "running", job.attempt + 1, now()
    return job.attempt


def report(session: Session, ref: JobRef, attempt: int, progress: Progress) -> None:
    """Store how far an attempt is.

    Raises Superseded if the attempt has no say any more.
    """
    _change(session, ref, attempt, progress=progress.model_dump())


def succeed(session: Session, ref: JobRef, attempt: int, model_id: str) -> None:
    """End a job with the model it made.

    Raises Superseded if the attempt has no say any more.
    """
    _change(session, ref, attempt, state="succeeded", model_id=model_id, finished_at=now())


def fail(session: Session, ref: JobRef, attempt: int, reason: str) -> None:
    """End a job for a reason that another attempt would meet again.

    Raises Superseded if the attempt has no say any more.
    """
    _change(session, ref, attempt, state="failed", error=reason, finished_at=now())


def record_death(session: Session, ref: JobRef, attempt: int, cause: str) -> None:
    """Keep what ended an attempt that died; the job waits to be begun again."""
    job = queries.lock(session, ref.workspace_id, ref.job_id)
    if job is not None and job.state == "running" and job.attempt == attempt:
        _record_failure(job, cause)
        job.state = "queued"


def give_back(session: Session, ref: JobRef, attempt: int) -> None:
    """Let go of a job whose worker stops in good order; that is no failure of the job's."""
    queries.change(session, ref.workspace_id, ref.job_id, attempt, state="queued")


def _change(session: Session, ref: JobRef, attempt: int, **values: object) -> None:
    if not queries.change(session, ref.workspace_id, ref.job_id, attempt, **values):
        raise Superseded(f"Attempt {attempt} at job {ref.job_id} was ended or taken over.")


def _record_failure(job: Job, cause: str) -> None:
    job.failures = [*job.failures, f"Attempt {job.attempt}: {cause}"]


def _give_up(job: Job) -> None:
    job.state, job.finished_at = "failed", now()
    causes = " ".join(job.failures)
    job.error = f"The training died {len(job.failures)} times and is not tried again. {causes}"
