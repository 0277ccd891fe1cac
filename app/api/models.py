"""Trained models."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.deps import CurrentPrincipal, ReadSession
from app.api.pagination import Page, encode_cursor
from app.api.paths import ModelId
from app.schemas.models import ModelOut, ModelPage
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
