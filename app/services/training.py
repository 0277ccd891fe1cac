"""Trainings: asked for by a caller, carried out in a worker's child process."""

import math
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, get_args

from app import blobs
from app.auth import Principal
from app.db.engine import Database, Session
from app.db.ids import new_id
from app.db.queries import datasets as dataset_queries
from app.db.queries import jobs as job_queries
from app.db.tables import Job, Model
from app.errors import AppError, BadInput, FieldError, Unavailable
from app.queue import JobRef, Queue
from app.schemas.datasets import Profile
from app.schemas.jobs import JobOut, Progress
from app.schemas.models import Trial
from app.schemas.train import ArchitectureChoice, Promotion, TrainRequest
from app.services import backtests, champions, datasets, histories, jobs
from app.services.histories import Histories
from app.services.recipes import Recipe, Result
from app.version import VERSION
from models.assessment import Assessment
from models.backtest import Trial as CoreTrial
from models.config import Architecture, longest_horizon, preset
from models.errors import CoreError
from models.selection import Progress as CoreProgress

REPORT_INTERVAL_S = 0.5
PUBLISH_PATIENCE_S, PUBLISH_PAUSE_S = 600.0, 1.0


class TrainingFailed(AppError):
    """A training ended without a model."""

    code = "training-failed"
    title = "The training failed"


def ask(session: Session, principal: Principal, request: TrainRequest) -> JobRef:
    """Write down a training to be done; who does it is the caller's to arrange.

    Raises NotFound for an unknown dataset, BadInput for a horizon that its longest series does not allow.
    """
    dataset_queries.keep(session, principal.workspace_id, request.dataset_id)
    dataset, version = datasets.find(session, principal, request.dataset_id)
    _check_horizon(request.horizon, Profile.model_validate(version.profile))
    job = Job(
        workspace_id=principal.workspace_id,
        id=new_id("job"),
        dataset_id=dataset.id,
        dataset_version=version.version,
        request=request.model_dump(),
        state="queued",
        attempt=0,
        failures=[],
    )
    job_queries.add(session, job)
    return JobRef(principal.workspace_id, job.id)


class Trainings:
    """Takes trainings from callers and puts them into the queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def enqueue(self, session: Session, principal: Principal, request: TrainRequest) -> JobOut:
        """Ask for a training and queue it, both in the caller's transaction."""
        ref = ask(session, principal, request)
        self._queue.enqueue(session, ref)
        return jobs.get(session, principal, ref.job_id)


def perform_here(database: Database, principal: Principal, request: TrainRequest, device: str) -> JobOut:
    """Ask for a training and carry it out in this process, past the queue.

    Raises TrainingFailed with the job's reason.
    """
    with database.write() as session:
        ref = ask(session, principal, request)
        attempt = jobs.begin(session, ref, max_attempts=1)
    try:
        perform(database, ref, attempt or 1, device)
    except BaseException as error:
        with database.write() as session:
            jobs.fail(session, ref, attempt or 1, f"It was interrupted: {type(error).__name__}.")
        raise
    with database.read() as session:
        job = jobs.get(session, principal, ref.job_id)
    if job.error is not None:
        raise TrainingFailed(job.error)
    return job


def _check_horizon(horizon: int, profile: Profile) -> None:
    allowed = longest_horizon(profile.longest)
    if horizon <= allowed:
        return
    remedy = f"Ask for at most {allowed}." if allowed else "Upload at least 4 observations of one series."
    detail = f"The longest series has {profile.longest} steps, too few to train for {horizon} steps ahead."
    raise BadInput(f"{detail} {remedy}", [FieldError("#/horizon", remedy)])


@dataclass(frozen=True)
class _Work:
    """What a job asks for, and what it is to learn from."""

    ref: JobRef
    dataset_id: str
    request: TrainRequest
    histories: Histories

    def recipe(self, device: str) -> Recipe:
        """Return what is to be done, on a device."""
        config = preset(
            self.request.preset,
            horizon=self.request.horizon,
            season_length=self.histories.axis.season_length,
            values=len(self.histories.panel.values),
            longest=int(self.histories.panel.lengths.max()),
            seed=self.request.seed,
        )
        candidates = _candidates(self.request.architecture)
        return Recipe(self.histories, config, candidates, self.request.method, device)


def perform(database: Database, ref: JobRef, attempt: int, device: str) -> None:
    """Carry out one attempt at a job: read, train with no session open, publish.

    Ends the job as succeeded, or as failed with a reason when the data or the settings are at fault; any
    other exception passes and counts as an attempt that died. Raises Superseded, and writes nothing, once
    the attempt has no say over its job.
    """
    try:
        _perform(database, ref, attempt, device)
    except CoreError as error:
        with database.write() as session:
            jobs.fail(session, ref, attempt, str(error))


def _perform(database: Database, ref: JobRef, attempt: int, device: str) -> None:
    with database.read() as session:
        work = _read(session, ref)
    began = time.monotonic()
    result = work.recipe(device).follow(_Reporter(database, ref, attempt))
    product = _product(work, result)
    product.model.training_seconds = time.monotonic() - began
    _publish(database, ref, attempt, product)


def _publish(database: Database, ref: JobRef, attempt: int, product: "_Product") -> None:
    """Store the model and end the job, in one transaction; wait for a database that is away."""
    deadline = time.monotonic() + PUBLISH_PATIENCE_S
    while True:
        try:
            with database.write() as session:
                jobs.succeed(session, ref, attempt, product.model.id)
                for key, data in product.blobs.items():
                    blobs.put(session, ref.workspace_id, key, data)
                champions.admit(session, product.model, product.promotion)
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(PUBLISH_PAUSE_S)
        else:
            return


def _read(session: Session, ref: JobRef) -> _Work:
    job = job_queries.find(session, ref.workspace_id, ref.job_id)
    if job is None:
        raise jobs.Superseded(f"Job {ref.job_id} is gone.")
    version = dataset_queries.version(session, ref.workspace_id, job.dataset_id, job.dataset_version)
    if version is None:
        raise jobs.Superseded(f"The dataset of job {ref.job_id} is gone.")
    request = TrainRequest.model_validate(job.request)
    return _Work(ref, job.dataset_id, request, histories.read(session, version))


def _candidates(choice: ArchitectureChoice) -> tuple[Architecture, ...]:
    return get_args(Architecture) if choice == "all" else (choice,)


@dataclass(frozen=True)
class _Product:
    """All that a training leaves."""

    model: Model
    blobs: dict[str, bytes]
    promotion: Promotion


def _product(work: _Work, result: Result) -> _Product:
    model = _model(work, result)
    parts = {
        model.weights_key: result.artifact.weights,
        model.backtest_key: result.rows,
        model.series_key: result.series,
    }
    return _Product(model, parts, work.request.promote)


def _model(work: _Work, result: Result) -> Model:
    model_id, lineage, trained = new_id("model"), result.lineage(), result.trained
    return Model(
        workspace_id=work.ref.workspace_id,
        id=model_id,
        dataset_id=work.dataset_id,
        dataset_version=lineage.dataset_version,
        job_id=work.ref.job_id,
        horizon=work.request.horizon,
        preset=work.request.preset,
        seed=work.request.seed,
        architecture=trained.model.config.architecture,
        trials=[_trial_out(trial).model_dump() for trial in trained.trials],
        artifact=result.artifact.metadata,
        weights_key=f"{model_id}/weights",
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


class _Reporter:
    """Passes progress on to the job's row, seldom enough to cost nothing."""

    def __init__(self, database: Database, ref: JobRef, attempt: int) -> None:
        self._database, self._ref, self._attempt = database, ref, attempt
        self._due = 0.0

    def __call__(self, progress: CoreProgress) -> None:
        if time.monotonic() < self._due and progress.share_done < 1:
            return
        self._due = time.monotonic() + REPORT_INTERVAL_S
        with suppress(Unavailable), self._database.write() as session:  # a look less is no reason to die
            jobs.report(session, self._ref, self._attempt, _progress_out(progress))


def _progress_out(progress: CoreProgress) -> Progress:
    overall = {name: getattr(progress, name) for name in ("phase", "architecture", "share_done")}
    return Progress.model_validate(asdict(progress.fit) | overall)


def _trial_out(trial: CoreTrial) -> Trial:
    mase = None if math.isnan(trial.mase) else trial.mase  # neither JSON nor Postgres knows a NaN
    return Trial.model_validate(asdict(trial) | {"mase": mase})
