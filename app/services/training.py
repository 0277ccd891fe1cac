"""Trainings: asked for by a caller, carried out in a worker's child process."""

import math
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import get_args

import numpy as np

from app import blobs
from app.auth import Principal
from app.db.engine import Database, Session
from app.db.ids import new_id
from app.db.queries import datasets as dataset_queries
from app.db.queries import jobs as job_queries
from app.db.tables import DatasetVersion, Job, Model
from app.errors import AppError, BadInput, FieldError, Unavailable
from app.intake.frame import TimeAxis
from app.queue import JobRef, Queue
from app.schemas.datasets import Profile
from app.schemas.jobs import JobOut, Progress
from app.schemas.models import Trial
from app.schemas.train import ArchitectureChoice, Promotion, TrainRequest
from app.services import champions, datasets, jobs
from app.services import series as store
from app.version import VERSION
from models.backtest import Trial as CoreTrial
from models.checkpoint import Artifact, dump
from models.config import Architecture, TrainingConfig, longest_horizon, preset
from models.errors import CoreError
from models.selection import Progress as CoreProgress
from models.selection import Trained, train
from models.windows import Panel

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
    """All that a training needs, read in one go."""

    dataset_id: str
    dataset_version: int
    request: TrainRequest
    panel: Panel
    season_length: int


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
    trained = train(
        work.panel,
        _config(work),
        _candidates(work.request.architecture),
        device=device,
        on_progress=_Reporter(database, ref, attempt),
    )
    product = _product(work, ref, trained)
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
    return _Work(
        dataset_id=job.dataset_id,
        dataset_version=job.dataset_version,
        request=TrainRequest.model_validate(job.request),
        panel=_panel(session, version),
        season_length=TimeAxis.from_dict(version.axis).season_length,
    )


def _panel(session: Session, version: DatasetVersion) -> Panel:
    rows = dataset_queries.series_page(session, version, limit=2**31 - 1, after=None)
    rows.sort(key=lambda row: (row.blob, row.first_row))
    starts = np.array([row.start for row in rows], dtype=np.int64)
    lengths = np.array([0, *(row.length for row in rows)], dtype=np.int64)
    return Panel(
        values=store.read_all(session, version),
        offsets=np.cumsum(lengths),
        phases=TimeAxis.from_dict(version.axis).phase(starts),
    )


def _config(work: _Work) -> TrainingConfig:
    return preset(
        work.request.preset,
        horizon=work.request.horizon,
        season_length=work.season_length,
        values=len(work.panel.values),
        longest=int(work.panel.lengths.max()),
        seed=work.request.seed,
    )


def _candidates(choice: ArchitectureChoice) -> tuple[Architecture, ...]:
    return get_args(Architecture) if choice == "all" else (choice,)


@dataclass(frozen=True)
class _Product:
    """All that a training leaves."""

    model: Model
    blobs: dict[str, bytes]
    promotion: Promotion


def _product(work: _Work, ref: JobRef, trained: Trained) -> _Product:
    artifact = dump(trained.model)
    model = _model(work, ref, trained, artifact)
    return _Product(model, {model.weights_key: artifact.weights}, work.request.promote)


def _model(work: _Work, ref: JobRef, trained: Trained, artifact: Artifact) -> Model:
    model_id = new_id("model")
    return Model(
        workspace_id=ref.workspace_id,
        id=model_id,
        dataset_id=work.dataset_id,
        dataset_version=work.dataset_version,
        job_id=ref.job_id,
        horizon=work.request.horizon,
        preset=work.request.preset,
        seed=work.request.seed,
        architecture=trained.model.config.architecture,
        trials=[_trial_out(trial).model_dump() for trial in trained.trials],
        artifact=artifact.metadata,
        weights_key=f"{model_id}/weights",
        weights_bytes=len(artifact.weights),
        weights_sha256=blobs.digest(artifact.weights),
        code_version=VERSION,
        on_loss=work.request.on_loss,
        served=trained.model.config.architecture,
    )


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
