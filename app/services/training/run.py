"""Run a training: read the job's input, train with no session open, publish the model.

A worker's child process runs one attempt at a queued job; a command runs a whole job without the queue.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from app.auth import Principal
from app.db.engine import Database
from app.db.queries import jobs as job_queries
from app.errors import AppError, Unavailable
from app.queue import JobRef
from app.schemas.jobs import JobOut, Progress
from app.schemas.train import TrainRequest
from app.services.jobs import states, workers
from app.services.training import memory_limit, submit
from app.services.training.checkpoints import JobCheckpoints
from app.services.training.progress import JobProgress
from app.services.training.publish import publish
from app.services.training.spec import read_job
from models.choices import NO_SEASONS
from models.config import preset
from models.errors import CoreError
from models.panel import Panel
from models.training.fit import fit
from models.training.memory import needed_bytes


class TrainingFailed(AppError):
    """A training ended without a model."""

    code = "training-failed"
    title = "The training failed"


def warm_up(database: Database) -> None:
    """Connect, and let torch prepare its kernels, so that the first training of a process need not wait."""
    with suppress(Unavailable), database.read() as session:
        job_queries.find(session, "", "")
    config = preset("quick", horizon=1, seasons=NO_SEASONS, values=8, longest=8)
    fit(Panel.of([range(8)]), replace(config, steps=1, epochs=1))


def run_attempt(  # noqa: PLR0913  # the last three have a default
    database: Database,
    ref: JobRef,
    attempt: int,
    device: str,
    *,
    memory_bytes: int | None = None,
    should_pause: Callable[[], bool] = lambda: False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Run one attempt at a job, from its last checkpoint if it has one, and end the job.

    The job fails for reasons that another attempt would meet again: bad data or settings, stored data that is
    gone or damaged, or a need for more than `memory_bytes`. Raises Paused at the first checkpoint after
    `should_pause`, Superseded if the job was ended or taken over, and Unavailable without the database. Any
    other exception means that this attempt died.
    """
    progress = JobProgress(database, ref, attempt, on_progress)
    try:
        with database.read() as session:
            job = read_job(session, ref)
        spec = job.spec(device)
        if memory_bytes is not None:
            memory_limit.check(needed_bytes(spec.dataset.panel, spec.config), memory_bytes)
        checkpoints = JobCheckpoints(database, ref, attempt, job.checkpoint, should_pause)
        result = spec.train(progress.record_core, checkpoints)
        progress.record(Progress(phase="publishing", share_done=1.0))
        publish(database, job, attempt, result, checkpoints)
    except (states.Superseded, states.Paused, Unavailable):
        raise
    except (CoreError, AppError) as error:
        with database.write() as session:
            states.fail(session, ref, attempt, str(error))


def run_without_queue(
    database: Database,
    principal: Principal,
    request: TrainRequest,
    device: str,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> JobOut:
    """Store a job, run it in this process, and return it.

    Raises TrainingFailed with the job's reason.
    """
    with workers.registered(database, device) as worker_id:
        with database.write() as session:
            ref = submit.create_job(session, principal, request)
            attempt = states.begin(session, ref, worker_id, max_attempts=1) or 1
        try:
            run_attempt(database, ref, attempt, device, on_progress=on_progress)
        except BaseException as error:
            with database.write() as session:
                states.interrupt(session, ref, attempt, f"It was interrupted: {type(error).__name__}.")
            raise
    with database.read() as session:
        job = states.get(session, principal, ref.job_id)
    if job.error is not None:
        raise TrainingFailed(job.error)
    return job
