"""Stored models: list, show, rename, promote and delete them."""

from typing import Any

from app import blobs
from app.auth import Principal
from app.db.engine import Session
from app.db.queries import changes as change_queries
from app.db.queries import datasets as dataset_queries
from app.db.queries import models as queries
from app.db.tables import Model
from app.errors import NotFound
from app.schemas.models import ModelOut, ModelPage, ModelSummary, ModelUpdate
from app.services.registry import champions, served_method
from app.services.shared.paging import PageRequest, cut


def page(session: Session, principal: Principal, dataset_id: str | None, request: PageRequest) -> ModelPage:
    """Return a page of the caller's models, newest first, of one dataset or of all."""
    found = queries.page(session, principal.workspace_id, dataset_id, request.limit + 1, request.after)
    shown, following = cut(found, request, lambda pair: pair[0].id)
    return ModelPage(models=[_summary(*pair) for pair in shown], next=following)


def get(session: Session, principal: Principal, model_id: str) -> ModelOut:
    """Return a model.

    Raises NotFound if the caller has none under this id.
    """
    return _out(*find(session, principal, model_id))


def update(session: Session, principal: Principal, model_id: str, changes: ModelUpdate) -> ModelOut:
    """Change a model's name, or what it does on a loss, from the next forecast on."""
    model, champion = _locked(session, principal, model_id)
    if changes.on_loss is not None:
        model.on_loss = changes.on_loss
    if changes.name is not None:
        model.name = changes.name or None
    session.flush()
    change_queries.record(session, model.workspace_id, model.dataset_id)
    return _out(model, champion)


def promote(session: Session, principal: Principal, model_id: str) -> ModelOut:
    """Make a model the champion of its dataset; an earlier champion too, as a rollback."""
    model, champion = _locked(session, principal, model_id)
    if not champion:
        champions.promote(session, model)
    return _out(model, champion=True)


def delete(session: Session, principal: Principal, model_id: str) -> None:
    """Delete a model with its blobs; in place of a champion, the one before it becomes champion."""
    model, _ = _locked(session, principal, model_id)
    blobs.release(session, model.workspace_id, model.blob_keys)
    champions.withdraw(session, model)


def _locked(session: Session, principal: Principal, model_id: str) -> queries.Pair:
    """Lock the dataset of a model, and return the model and whether it is the champion."""
    model, _ = find(session, principal, model_id)
    dataset_queries.lock(session, model.workspace_id, model.dataset_id)
    return find(session, principal, model_id)  # another call may have deleted or promoted it before the lock


def find(session: Session, principal: Principal, model_id: str) -> queries.Pair:
    """Return the row of a model, and whether it is the champion.

    Raises NotFound if the caller has none under this id.
    """
    found = queries.find(session, principal.workspace_id, model_id)
    if found is None:
        raise NotFound(f"There is no model {model_id}. GET /models lists those there are.")
    return found


def season_lengths(model: Model) -> tuple[int, ...] | None:
    """Return the lengths of the seasons that a model was trained for; None where it names none."""
    lengths = ((model.lineage or {}).get("config") or {}).get("season_lengths")
    return None if lengths is None else tuple(lengths)


def _summary(model: Model, champion: bool) -> ModelSummary:  # noqa: FBT001  # the query's own pair
    return ModelSummary.model_validate(_summary_fields(model, champion=champion))


def _out(model: Model, champion: bool) -> ModelOut:  # noqa: FBT001  # the query's own pair
    return ModelOut.model_validate(
        {
            **_summary_fields(model, champion=champion),
            "weights": served_method.method(model).weights,
            "verdicts": served_method.all_of(model),
            "calibration": served_method.reliabilities(served_method.method(model)),
            "backtest": model.backtest,
            "lineage": model.lineage,
        }
    )


def _summary_fields(model: Model, *, champion: bool) -> dict[str, Any]:
    computed = {
        "champion": champion,
        "method": model.served,
        "verdict": served_method.of_served(model),
        "promotion": model.promotion_decision,
    }
    columns = {name: getattr(model, name) for name in set(ModelSummary.model_fields) - set(computed)}
    return columns | computed
