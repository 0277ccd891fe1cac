"""The page of a model: the verdict, its errors and its intervals, where it comes from."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from app.api.http.identifiers import NO_NUL, ModelId
from app.schemas.fields import MAX_ID_LENGTH
from app.services.datasets import catalog
from app.services.registry import models, side_by_side
from app.services.shared.paging import PageRequest
from app.web import pictures
from app.web.visit import PageRoute, TheVisit

router = APIRouter(prefix="/ui/models", include_in_schema=False, route_class=PageRoute)
OTHERS = PageRequest(25)
Other = Annotated[str, Query(max_length=MAX_ID_LENGTH, pattern=NO_NUL)]


@router.get("/{model_id}")
async def model(model_id: ModelId, visit: TheVisit) -> HTMLResponse:
    """Show whether a model beats the simple methods, by how much, and how honest its intervals are."""
    found = await visit.read(models.get, model_id)
    others = (await visit.read(models.page, found.dataset_id, OTHERS)).models
    return visit.page(
        "model.html",
        model=found,
        dataset=await visit.read(catalog.get, found.dataset_id),
        others=[each for each in others if each.id != model_id],
        errors=pictures.errors(found),
        steps=pictures.steps(found),
        coverage=pictures.coverage(found),
    )


@router.get("/{model_id}/comparison")
async def comparison(model_id: ModelId, other: Other, visit: TheVisit) -> HTMLResponse:
    """Show two models on what both were tested on, and whether the first beats the other."""
    found = await visit.read(side_by_side.compare, [other, model_id])
    dataset = await visit.read(catalog.get, found.dataset_id)
    bars = pictures.errors_of_both(found)
    return visit.page("comparison.html", found=found, dataset=dataset, bars=bars)
