"""Trained models."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.deps import CurrentPrincipal, ReadSession, WriteSession
from app.api.pagination import Page, encode_cursor
from app.api.paths import ModelId
from app.schemas.models import ModelOut, ModelPage, ModelUpdate
from app.services import models

router = APIRouter(prefix="/models", tags=["models"])


@router.get("")
def list_models(
    page: Page,
    principal: CurrentPrincipal,
    session: ReadSession,
    dataset_id: Annotated[str | None, Query(description="Only the models of this dataset.")] = None,
) -> ModelPage:
    """List models, newest first."""
    found = models.page(session, principal, dataset_id, page)
    return found.model_copy(update={"next": encode_cursor(found.next)})


@router.get("/{model_id}")
def get_model(model_id: ModelId, principal: CurrentPrincipal, session: ReadSession) -> ModelOut:
    """Show a model and where it came from."""
    return models.get(session, principal, model_id)


@router.patch("/{model_id}")
def update_model(
    model_id: ModelId, changes: ModelUpdate, principal: CurrentPrincipal, session: WriteSession
) -> ModelOut:
    """Name a model, or change what it does when it loses against a simple method; at once."""
    return models.update(session, principal, model_id, changes)


@router.post("/{model_id}/promote")
def promote_model(model_id: ModelId, principal: CurrentPrincipal, session: WriteSession) -> ModelOut:
    """Let the dataset forecast with this model from now on; with a former champion, that is the way back."""
    return models.promote(session, principal, model_id)


@router.delete("/{model_id}", status_code=204)
def delete_model(model_id: ModelId, principal: CurrentPrincipal, session: WriteSession) -> None:
    """Delete a model; after a champion, the model promoted before it forecasts again, if there is one."""
    models.delete(session, principal, model_id)
