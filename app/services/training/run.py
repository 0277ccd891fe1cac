"""Attempts at jobs: a training as it is carried out, in a worker's child process or by a command."""

import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

from app import blobs
from app.auth import Principal
from app.db.engine import Database, Session
from app.db.queries import datasets as dataset_queries
from app.db.queries import jobs as job_queries
from app.db.tables import Model, new_id
from app.digest import sha256
from app.errors import AppError, Unavailable
from app.queue import JobRef
from app.schemas.choices import ArchitectureChoice, Promotion
from app.schemas.jobs import JobOut, Progress
from app.schemas.models import Trial
from app.schemas.train import TrainRequest
from app.services.datasets import panels
from app.services.datasets.panels import DatasetPanel
from app.services.jobs import states, workers
from app.services.registry import backtests, champions
from app.services.training import memory_limit, submit
from app.services.training.checkpoints import JobCheckpoints
from app.services.training.progress import Reporter
from app.services.training.spec import Recipe, Result
from app.version import VERSION
from models.choices import Architecture
from models.config import preset
from models.errors import CoreError
from models.evaluation.assessment import Assessment
from models.evaluation.backtest import Trial as CoreTrial
from models.panel import Panel
from models.training.fit import fit
from models.training.memory import needed_bytes

PUBLISH_PATIENCE_S, PUBLISH_PAUSE_S = 600.0, 1.0
logger = logging.getLogger(__name__)


class Unreadable(AppError):
    """What a job is to be made of is gone, or is not what this version reads."""

    code = "unreadable"
    title = "What the job is made of cannot be read"


class TrainingFailed(AppError):
    """A training ended without a model."""

    code = "training-failed"
    title = "The training failed"


def perform(  # noqa: PLR0913  # the last three have a default
    database: Database,
    ref: JobRef,
    attempt: int,
    device: str,
    *,
    memory_bytes: int | None = None,
    should_pause: Callable[[], bool] = lambda: False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Carry out one attempt at a job: read, train with no session open, publish.

    Ends the job as succeeded, or as failed with a reason that another attempt would meet as well: the data or
    the settings are at fault, what is stored is gone or damaged, or it would need more than `memory_bytes`.
    Any other exception passes and counts as an attempt that died, except Unavailable.
    Goes on from the job's checkpoint if it has one. Raises Paused at the next checkpoint once it should
    pause, and Superseded, having written nothing, once the attempt has no say over its job.
    """
    attempted = _Attempt(database, ref, attempt, device, memory_bytes)
    try:
        attempted.make(Reporter(database, ref, attempt, on_progress), should_pause)
    except (states.Superseded, states.Paused, Unavailable):
        raise
    except (CoreError, AppError) as error:
        with database.write() as session:
            states.fail(session, ref, attempt, str(error))


def warm_up(database: Database) -> None:
    """Do what the first training in a process would wait for: connect, and let torch prepare its kernels."""
    with suppress(Unavailable), database.read() as session:
        job_queries.find(session, "", "")
    config = preset("quick", horizon=1, season_length=1, values=8, longest=8)
    fit(Panel.of([range(8)]), replace(config, steps=1, epochs=1))


@dataclass(frozen=True)
class _Attempt:
    """One attempt at a job, and what it has to work with."""

    database: Database
    ref: JobRef
    number: int
    device: str
    memory_bytes: int | None

    def make(self, reporter: Reporter, should_pause: Callable[[], bool]) -> None:
        """Read, train and publish."""
        with self.database.read() as session:
            work = _read(session, self.ref)
        recipe = work.recipe(self.device)
        if self.memory_bytes is not None:
            memory_limit.check(needed_bytes(recipe.dataset.panel, recipe.config), self.memory_bytes)
        checkpoints = JobCheckpoints(self.database, self.ref, self.number, work.checkpoint, should_pause)
        result = recipe.follow(reporter.core, checkpoints)
        reporter(Progress(phase="publishing", share_done=1.0))
        product = _product(work, result)
        product.model.training_seconds = checkpoints.seconds
        _publish(self.database, self.ref, self.number, product, checkpoints)


def perform_here(
    database: Database,
    principal: Principal,
    request: TrainRequest,
    device: str,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> JobOut:
    """Ask for a training and carry it out in this process, past the queue.

    Raises TrainingFailed with the job's reason.
    """
    with workers.on_duty(database, device) as worker_id:
        with database.write() as session:
            ref = submit.ask(session, principal, request)
            attempt = states.begin(session, ref, worker_id, max_attempts=1) or 1
        try:
            perform(database, ref, attempt, device, on_progress=on_progress)
        except BaseException as error:
            with database.write() as session:
                states.interrupt(session, ref, attempt, f"It was interrupted: {type(error).__name__}.")
            raise
    with database.read() as session:
        job = states.get(session, principal, ref.job_id)
    if job.error is not None:
        raise TrainingFailed(job.error)
    return job


@dataclass(frozen=True)
class _Work:
    """What a job asks for, what it is to learn from, and where it goes on from, if it was begun before."""

    ref: JobRef
    dataset_id: str
    request: TrainRequest
    dataset: DatasetPanel
    checkpoint: dict[str, Any] | None

    def recipe(self, device: str) -> Recipe:
        """Return what is to be done, on a device."""
        config = preset(
            self.request.preset,
            horizon=self.request.horizon,
            season_length=self.dataset.axis.season_length,
            values=len(self.dataset.panel.values),
            longest=int(self.dataset.panel.lengths.max()),
            seed=self.request.seed,
            start=self.request.start,
        )
        candidates = _candidates(self.request.architecture)
        return Recipe(self.dataset, config, candidates, self.request.method, device)


def _publish(
    database: Database, ref: JobRef, attempt: int, product: "_Product", checkpoints: JobCheckpoints
) -> None:
    """Store the model's bytes, then the model and the end of the job in one short transaction.

    Until then the bytes go with the job, whatever becomes of it. A database that is away is waited for.
    """
    deadline = time.monotonic() + PUBLISH_PATIENCE_S
    while True:
        try:
            for number, data in enumerate(product.blobs):
                checkpoints.keep(f"of the model, {number}", data)
            with database.read() as session:
                compared = champions.compare(session, product.model, product.promotion)
            with database.write() as session:
                for key in product.model.blob_keys:
                    blobs.hold(session, ref.workspace_id, key)
                states.succeed(session, ref, attempt, product.model.id)
                champions.admit(session, product.model, product.promotion, compared)
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            logger.warning("The database does not take the model of job %s; it is tried again.", ref.job_id)
            time.sleep(PUBLISH_PAUSE_S)
        else:
            return


def _read(session: Session, ref: JobRef) -> _Work:
    job = job_queries.find(session, ref.workspace_id, ref.job_id)
    if job is None:
        raise states.Superseded(f"Job {ref.job_id} is gone.")
    version = dataset_queries.version(session, ref.workspace_id, job.dataset_id, job.dataset_version)
    if version is None:
        raise Unreadable(f"Version {job.dataset_version} of its dataset {job.dataset_id} is gone.")
    try:
        request = TrainRequest.model_validate(job.request)
        return _Work(ref, job.dataset_id, request, panels.read(session, version), job.checkpoint)
    except (ValueError, LookupError, TypeError) as error:  # of pydantic, numpy and Arrow
        raise Unreadable(
            f"What it asks for, or dataset {job.dataset_id}, cannot be read by version {VERSION}: {error}. "
            "`gatecast check` tells what is damaged."
        ) from error


def _candidates(choice: ArchitectureChoice) -> tuple[Architecture, ...]:
    return get_args(Architecture) if choice == "all" else (choice,)


@dataclass(frozen=True)
class _Product:
    """All that a training leaves."""

    model: Model
    blobs: list[bytes]
    promotion: Promotion


def _product(work: _Work, result: Result) -> _Product:
    parts = [result.artifact.weights, result.rows, result.series]
    if result.simple is not None:
        parts.append(result.simple)
    return _Product(_model(work, result), parts, work.request.promote)


def _model(work: _Work, result: Result) -> Model:
    lineage, trained = result.lineage(), result.trained
    return Model(
        workspace_id=work.ref.workspace_id,
        id=new_id("model"),
        dataset_id=work.dataset_id,
        dataset_version=lineage.dataset_version,
        job_id=work.ref.job_id,
        horizon=work.request.horizon,
        preset=work.request.preset,
        seed=work.request.seed,
        architecture=trained.model.config.architecture,
        trials=[_trial_out(trial).model_dump() for trial in trained.trials],
        artifact=result.artifact.metadata,
        weights_key=lineage.weights_sha256,
        backtest_key=lineage.backtest_sha256,
        series_key=sha256(result.series),
        simple_key=None if result.simple is None else sha256(result.simple),
        weights_bytes=len(result.artifact.weights),
        weights_sha256=lineage.weights_sha256,
        code_version=VERSION,
        on_loss=work.request.on_loss,
        lineage=lineage.model_dump(),
        methods=result.methods,
        **_judgement(trained.assessment),
    )


def _judgement(assessment: Assessment) -> dict[str, Any]:
    verdicts = {name: backtests.verdict_out(verdict) for name, verdict in assessment.verdicts.items()}
    return {
        "served": assessment.served,
        "verdicts": {name: verdict.model_dump() for name, verdict in verdicts.items()},
        "backtest": backtests.summary(assessment.backtest).model_dump(),
    }


def _trial_out(trial: CoreTrial) -> Trial:
    mase = None if math.isnan(trial.mase) else trial.mase  # neither JSON nor Postgres knows a NaN
    return Trial.model_validate(asdict(trial) | {"mase": mase})
