"""The page of a training: its progress, its end, and what to do next."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from app.api.http.identifiers import JobId
from app.services.datasets import catalog
from app.services.jobs import states
from app.web.rendering import word
from app.web.visit import PageRoute, TheVisit

router = APIRouter(prefix="/ui/jobs", include_in_schema=False, route_class=PageRoute)
PHASES = ("queued", "preparing", "backtesting", "training", "publishing")


@router.get("/{job_id}")
async def training(job_id: JobId, visit: TheVisit) -> HTMLResponse:
    """Show a training while it runs, and how it ended."""
    job = await visit.read(states.get, job_id)
    dataset = await visit.read(catalog.get, job.dataset_id)
    phases = {phase: word(phase, visit.language) for phase in PHASES}
    return visit.page("job.html", job=job, dataset=dataset, phases=phases)
