"""Trained models."""

from app.auth import Principal
from app.db.engine import Session
from app.db.queries import models as queries
from app.db.tables import Model
from app.errors import NotFound
from app.schemas.models import ModelOut, ModelPage
from app.services.paging import PageRequest, cut


def page(session: Session, principal: Principal, dataset_id: str | None, request: PageRequest) -> ModelPage:
    """List the caller's models, newest first; of one dataset, or of all."""
    found = queries.page(session, principal.workspace_id, dataset_id, request.limit + 1, request.after)
    shown, following = cut(found, request, lambda ranked: ranked[0].id)
    return ModelPage(models=[_out(*ranked) for ranked in shown], next=following)


def get(session: Session, principal: Principal, model_id: str) -> ModelOut:
    """Return a model."""
    return _out(*find(session, principal, model_id))


def find(session: Session, principal: Principal, model_id: str) -> queries.Ranked:
    """Return the row of a model, and whether its dataset forecasts with it.

    Raises NotFound if the caller has none under this id.
    """
    ranked = queries.find(session, principal.workspace_id, model_id)
    if ranked is None:
        raise NotFound(f"There is no model {model_id}. GET /models lists those there are.")
    return ranked


def _out(model: Model, champion: bool) -> ModelOut:  # noqa: FBT001  # the query's own pair
    columns = {name: getattr(model, name) for name in ModelOut.model_fields if name != "champion"}
    return ModelOut.model_validate({**columns, "champion": champion})
