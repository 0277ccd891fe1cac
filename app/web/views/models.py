"""The page of a model: the verdict, its errors and its intervals, where it comes from."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from app.api.http.identifiers import ModelId
from app.services.datasets import catalog
from app.services.registry import models
from app.services.shared.paging import PageRequest
from app.web import pictures
from app.web.visit import PageRoute, TheVisit

router = APIRouter(prefix="/ui/models", include_in_schema=False, route_class=PageRoute)
OTHERS = PageRequest(25)


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
