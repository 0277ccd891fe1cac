"""Trained models."""

from typing import Any

from app import blobs
from app.auth import Principal
from app.db.engine import Session
from app.db.queries import changes as change_queries
from app.db.queries import datasets as dataset_queries
from app.db.queries import models as queries
from app.db.tables import Model
from app.errors import NotFound
from app.schemas.backtests import LevelCalibration
from app.schemas.models import ModelOut, ModelPage, ModelSummary, ModelUpdate
from app.services.registry import champions, served_method
from app.services.shared.paging import PageRequest, cut
from models.methods.calibration import LEVELS


def page(session: Session, principal: Principal, dataset_id: str | None, request: PageRequest) -> ModelPage:
    """List the caller's models, newest first; of one dataset, or of all."""
    found = queries.page(session, principal.workspace_id, dataset_id, request.limit + 1, request.after)
    shown, following = cut(found, request, lambda ranked: ranked[0].id)
    return ModelPage(models=[_summary(*ranked) for ranked in shown], next=following)


def get(session: Session, principal: Principal, model_id: str) -> ModelOut:
    """Return a model."""
    return _out(*find(session, principal, model_id))


def update(session: Session, principal: Principal, model_id: str, changes: ModelUpdate) -> ModelOut:
    """Change a model's name, or what it does when it loses; the next forecast heeds it."""
    model, champion = _locked(session, principal, model_id)
    if changes.on_loss is not None:
        model.on_loss = changes.on_loss
    if changes.name is not None:
        model.name = changes.name or None
    session.flush()
    change_queries.record(session, model.workspace_id, model.dataset_id)
    return _out(model, champion)


def promote(session: Session, principal: Principal, model_id: str) -> ModelOut:
    """Make a model the one its dataset forecasts with; a former one too, which rolls back."""
    model, champion = _locked(session, principal, model_id)
    if not champion:
        champions.promote(session, model)
    return _out(model, champion=True)


def delete(session: Session, principal: Principal, model_id: str) -> None:
    """Delete a model and what was stored for it; of a champion, the one before is champion again."""
    model, _ = _locked(session, principal, model_id)
    blobs.release(session, model.workspace_id, model.blob_keys)
    champions.withdraw(session, model)


def _locked(session: Session, principal: Principal, model_id: str) -> queries.Pair:
    """Return a model, and whether it is champion, with its dataset locked against a change of both."""
    model, _ = find(session, principal, model_id)
    dataset_queries.lock(session, model.workspace_id, model.dataset_id)
    return find(session, principal, model_id)  # whoever held the lock may have deleted or promoted it


def find(session: Session, principal: Principal, model_id: str) -> queries.Pair:
    """Return the row of a model, and whether its dataset forecasts with it.

    Raises NotFound if the caller has none under this id.
    """
    ranked = queries.find(session, principal.workspace_id, model_id)
    if ranked is None:
        raise NotFound(f"There is no model {model_id}. GET /models lists those there are.")
    return ranked


def _summary(model: Model, champion: bool) -> ModelSummary:  # noqa: FBT001  # the query's own pair
    return ModelSummary.model_validate(_in_short(model, champion=champion))


def _out(model: Model, champion: bool) -> ModelOut:  # noqa: FBT001  # the query's own pair
    return ModelOut.model_validate(
        {
            **_in_short(model, champion=champion),
            "weights": served_method.method(model).weights,
            "verdicts": served_method.all_of(model),
            "calibration": _calibration(model),
            "backtest": model.backtest,
            "lineage": model.lineage,
        }
    )


def _in_short(model: Model, *, champion: bool) -> dict[str, Any]:
    elsewhere = {"champion": champion, "method": model.served, "verdict": served_method.of_served(model)}
    columns = {name: getattr(model, name) for name in set(ModelSummary.model_fields) - set(elsewhere)}
    return columns | elsewhere


def _calibration(model: Model) -> dict[str, LevelCalibration]:
    """Tell of the method served, at each level that is calibrated."""
    holds = served_method.method(model).calibration.is_calibrated
    tested = model.backtest["measures"][model.served]["coverage"] if model.backtest else {}
    return {
        str(level): LevelCalibration(calibrated=holds(level), coverage=tested.get(str(level)))
        for level in LEVELS
    }
