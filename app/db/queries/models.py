"""Trained models, each with whether it is the champion of its dataset."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from app.db.engine import Session
from app.db.queries.scope import removable, visible
from app.db.tables import Dataset, Model

Pair = tuple[Model, bool]  # a model, and whether it is the champion


def _with_champion(workspace_id: str) -> Any:
    owner = (Dataset.workspace_id == Model.workspace_id) & (Dataset.id == Model.dataset_id)
    query = select(Model, Dataset.champion_id).join(Dataset, owner)
    return query.where(Model.workspace_id == workspace_id)


def add(session: Session, model: Model) -> None:
    """Store a new model."""
    session.add(model)
    session.flush()


def page(
    session: Session, workspace_id: str, dataset_id: str | None, limit: int, before: str | None
) -> list[Pair]:
    """Return up to `limit` models older than the id `before`, newest first."""
    unused = defer(Model.methods), defer(Model.artifact)  # long, and no list shows them
    query = _with_champion(workspace_id).options(*unused).order_by(Model.id.desc()).limit(limit)
    if dataset_id is not None:
        query = query.where(Model.dataset_id == dataset_id)
    if before is not None:
        query = query.where(Model.id < before)
    return [(model, model.id == champion_id) for model, champion_id in session.execute(query)]


def find(session: Session, workspace_id: str, model_id: str) -> Pair | None:
    """Return a model and whether it is the champion, or None."""
    row = session.execute(_with_champion(workspace_id).where(Model.id == model_id)).one_or_none()
    return None if row is None else (row[0], row[0].id == row[1])


def reaching(session: Session, workspace_id: str, dataset_id: str, horizon: int) -> list[str]:
    """Return the ids of a dataset's models with at least this horizon, newest first."""
    query = visible(Model, workspace_id).where(Model.dataset_id == dataset_id, Model.horizon >= horizon)
    return [model.id for model in session.scalars(query.order_by(Model.id.desc()))]


def of_dataset(session: Session, workspace_id: str, dataset_id: str) -> list[Model]:
    """Return all models of a dataset."""
    return list(session.scalars(visible(Model, workspace_id).where(Model.dataset_id == dataset_id)))


def promotions(session: Session, workspace_id: str, dataset_id: str) -> int:
    """Return the number of a dataset's last promotion, 0 if there was none."""
    query = select(func.max(Model.promotion)).where(
        Model.workspace_id == workspace_id, Model.dataset_id == dataset_id
    )
    return session.scalar(query) or 0


def promoted_last(session: Session, workspace_id: str, dataset_id: str) -> Model | None:
    """Return the model of a dataset's last promotion, or None."""
    query = visible(Model, workspace_id).where(Model.dataset_id == dataset_id, Model.promotion.is_not(None))
    return session.scalars(query.order_by(Model.promotion.desc()).limit(1)).one_or_none()


def delete(session: Session, model: Model) -> None:
    """Remove a model."""
    session.execute(removable(Model, model.workspace_id).where(Model.id == model.id))
