"""Store what a new model forecasts for every series, before it is published: its first answers are reads."""

import time
from collections.abc import Iterator, Sequence

from app.db.engine import Database, DatasetRef, Session
from app.db.queries import datasets as dataset_queries
from app.db.queries import forecasts as queries
from app.db.queries.datasets import LastWindow
from app.db.tables import Model
from app.errors import Conflict
from app.queue import JobRef
from app.services.jobs import states
from app.services.registry import baseline_forecasts, models, served_method, stored_forecasts
from app.services.registry.baseline_forecasts import BaselineForecasts
from app.services.registry.quantile_forecasts import LoadedModel, compute
from app.services.training.spec import TrainingResult
from models.network import artifact

PATIENCE_S = 60.0  # beside the time that the training took; then a worker stores the rest


def store(database: Database, ref: JobRef, attempt: int, model: Model, result: TrainingResult) -> str | None:
    """Store the forecasts of all series and return their id; None for a model that is set to refuse.

    Raises Superseded if the attempt is not current, and Unavailable.
    """
    try:
        served = served_method.of_model(model)
    except Conflict:
        return None
    axis, loaded = result.spec.dataset.axis.with_seasons(models.season_lengths(model)), _loaded(model, result)
    with database.write() as session:
        _refuse_superseded(session, ref, attempt)
        stored_id = stored_forecasts.begin(session, model, served, axis)
    deadline = time.monotonic() + PATIENCE_S + model.training_seconds
    for rows in _portions(database, model, stored_forecasts.portion_of(served)):
        if time.monotonic() > deadline:
            return stored_id
        series = compute(served.method, axis, loaded, rows)
        with database.write() as session:
            _refuse_superseded(session, ref, attempt)
            if queries.hold(session, model.workspace_id, stored_id, ref.job_id):
                stored_forecasts.write(session, model.workspace_id, stored_id, series)
    with database.write() as session:
        queries.complete(session, model.workspace_id, stored_id, model.dataset_version)
    return stored_id


def _portions(database: Database, model: Model, size: int) -> Iterator[Sequence[LastWindow]]:
    """Yield the last windows of all series that a model has learned from, so many at a time."""
    ref, after = DatasetRef(model.workspace_id, model.dataset_id), None
    while True:
        with database.read() as session:
            version = dataset_queries.version(session, *ref, model.dataset_version)
            rows = [] if version is None else dataset_queries.window_page(session, version, size, after)
        if rows:
            yield rows
        if len(rows) < size:
            return
        after = rows[-1].unique_id


def _loaded(model: Model, result: TrainingResult) -> LoadedModel:
    """Return the model as requests load it: from its bytes, on their device."""
    made, table = result.artifact, result.baseline_table
    kept = BaselineForecasts(model.dataset_version, {}, {})
    if table is not None:
        kept = baseline_forecasts.read(table, model.dataset_version)
    return LoadedModel(artifact.load(made.weights, made.metadata, device=stored_forecasts.DEVICE), kept)


def _refuse_superseded(session: Session, ref: JobRef, attempt: int) -> None:
    """Raise Superseded if the job was ended or taken over: a later attempt stores for itself."""
    if not states.is_current(session, ref, attempt):
        raise states.Superseded(f"Attempt {attempt} at job {ref.job_id} may store nothing any more.")
