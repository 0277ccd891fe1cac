"""Trained models, each with whether its dataset forecasts with it."""

from typing import Any

from sqlalchemy import select

from app.db.engine import Session
from app.db.queries.scope import visible
from app.db.tables import Dataset, Model

Ranked = tuple[Model, bool]


def _with_rank(workspace_id: str) -> Any:
    owner = (Dataset.workspace_id == Model.workspace_id) & (Dataset.id == Model.dataset_id)
    query = select(Model, Dataset.champion_id).join(Dataset, owner)
    return query.where(Model.workspace_id == workspace_id)


def add(session: Session, model: Model) -> None:
    """Store a new model."""
    session.add(model)
    session.flush()


def page(
    session: Session, workspace_id: str, dataset_id: str | None, limit: int, before: str | None
) -> list[Ranked]:
    """Return up to `limit` models, newest first, older than the id `before`."""
    query = _with_rank(workspace_id).order_by(Model.id.desc()).limit(limit)
    if dataset_id is not None:
        query = query.where(Model.dataset_id == dataset_id)
    if before is not None:
        query = query.where(Model.id < before)
    return [(model, model.id == champion_id) for model, champion_id in session.execute(query)]


def find(session: Session, workspace_id: str, model_id: str) -> Ranked | None:
    """Return a model, or nothing."""
    row = session.execute(_with_rank(workspace_id).where(Model.id == model_id)).one_or_none()
    return None if row is None else (row[0], row[0].id == row[1])


def reaching(session: Session, workspace_id: str, dataset_id: str, horizon: int) -> list[str]:
    """Return the ids of a dataset's models that forecast at least this far."""
    query = visible(Model, workspace_id).where(Model.dataset_id == dataset_id, Model.horizon >= horizon)
    return [model.id for model in session.scalars(query.order_by(Model.id.desc()))]


def weights_keys(session: Session, workspace_id: str, dataset_id: str) -> list[str]:
    """Return the keys of the weights of a dataset's models."""
    found = session.scalars(visible(Model, workspace_id).where(Model.dataset_id == dataset_id))
    return [model.weights_key for model in found]
