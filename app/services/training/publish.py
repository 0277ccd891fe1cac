"""Publish a training's result: store the model and its tables, choose the champion, end the job."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from app import blobs
from app.db.engine import Database
from app.db.queries import forecasts as forecast_queries
from app.db.tables import Model, new_id
from app.digest import sha256
from app.errors import Unavailable
from app.queue import JobRef
from app.schemas.models import Trial
from app.services.jobs import states
from app.services.registry import backtests, champions
from app.services.training import forecasts
from app.services.training.checkpoints import JobCheckpoints
from app.services.training.spec import JobInput, TrainingResult
from app.version import VERSION
from models.evaluation.assessment import Assessment
from models.evaluation.backtest import Trial as CoreTrial

MAX_WAIT_S, RETRY_INTERVAL_S = 600.0, 1.0
logger = logging.getLogger(__name__)


def publish(
    database: Database, job: JobInput, attempt: int, result: TrainingResult, checkpoints: JobCheckpoints
) -> None:
    """Publish the model and end the job; wait for a database that is away.

    Raises Superseded if the attempt is not current, and Unavailable if the database stays away.
    """
    model, promotion = _model_row(job, result), job.request.promote
    model.training_seconds = checkpoints.seconds

    def publish_once() -> None:
        # What is large belongs to the job first, so that the transaction which shows the model is short.
        for number, data in enumerate(result.blobs):
            checkpoints.store_blob(f"of the model, {number}", data)
        stored_id = forecasts.store(database, job.ref, attempt, model, result)
        with database.read() as session:
            compared = champions.compare(session, model, promotion)
        with database.write() as session:
            for key in model.blob_keys:
                blobs.hold(session, job.ref.workspace_id, key)
            states.succeed(session, job.ref, attempt, model.id)
            champions.admit(session, model, promotion, compared)
            if stored_id is not None:
                forecast_queries.belongs_to(session, job.ref.workspace_id, stored_id, model.id)
            states.record_promotion(session, job.ref, model.promotion_decision)

    _retry_while_unavailable(publish_once, job.ref)


def _retry_while_unavailable(publish_once: Callable[[], None], ref: JobRef) -> None:
    deadline = time.monotonic() + MAX_WAIT_S
    while True:
        try:
            publish_once()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            logger.warning("The database does not take the model of job %s; it is tried again.", ref.job_id)
            time.sleep(RETRY_INTERVAL_S)
        else:
            return


def _model_row(job: JobInput, result: TrainingResult) -> Model:
    lineage, trained = result.lineage(), result.trained
    return Model(
        workspace_id=job.ref.workspace_id,
        id=new_id("model"),
        dataset_id=job.dataset_id,
        dataset_version=lineage.dataset_version,
        job_id=job.ref.job_id,
        horizon=job.request.horizon,
        preset=job.request.preset,
        seed=job.request.seed,
        architecture=trained.model.config.architecture,
        trials=[_trial_out(trial).model_dump() for trial in trained.trials],
        artifact=result.artifact.metadata,
        weights_key=lineage.weights_sha256,
        backtest_key=lineage.backtest_sha256,
        series_key=sha256(result.backtest_series),
        simple_key=None if result.baseline_table is None else sha256(result.baseline_table),
        weights_bytes=len(result.artifact.weights),
        weights_sha256=lineage.weights_sha256,
        code_version=VERSION,
        on_loss=job.request.on_loss,
        lineage=lineage.model_dump(),
        methods=result.methods,
        **_assessment_columns(trained.assessment),
    )


def _assessment_columns(assessment: Assessment) -> dict[str, Any]:
    verdicts = {name: backtests.verdict_out(verdict) for name, verdict in assessment.verdicts.items()}
    return {
        "served": assessment.served,
        "verdicts": {name: verdict.model_dump() for name, verdict in verdicts.items()},
        "backtest": backtests.summary(assessment.backtest).model_dump(),
    }


def _trial_out(trial: CoreTrial) -> Trial:
    mase = None if math.isnan(trial.mase) else trial.mase  # neither JSON nor Postgres holds a NaN
    return Trial.model_validate(asdict(trial) | {"mase": mase})
