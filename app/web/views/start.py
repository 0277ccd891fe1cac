"""The start page, the preview of a dropped file, the files of the page, and what is not there."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.http.body_parsing import HoldBytes
from app.api.http.uploads import RequireStorage, read_upload
from app.errors import NotFound
from app.services.datasets import catalog
from app.services.jobs import states, workers
from app.services.registry import attention
from app.services.shared.paging import PageRequest
from app.web import static_files
from app.web.visit import PageRoute, TheVisit

RECENT, NEWEST_JOBS, SHOWN_WORKERS = PageRequest(8), PageRequest(25), PageRequest(20)
router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/")
async def start(visit: TheVisit) -> HTMLResponse:
    """Show where to drop a file, what there is, what runs, and what needs attention."""
    jobs = (await visit.read(states.page, NEWEST_JOBS)).jobs
    heartbeat = visit.resources.heartbeat
    return visit.page(
        "start.html",
        datasets=(await visit.read(catalog.page, RECENT)).datasets,
        jobs=[job for job in jobs if job.finished_at is None],
        matters=await visit.read(attention.find),
        workers=(await visit.read(workers.page, SHOWN_WORKERS, heartbeat)).workers,
    )


@router.post("/ui/reading", dependencies=[RequireStorage, HoldBytes])
async def reading(request: Request, visit: TheVisit) -> HTMLResponse:
    """Show how a file is read: columns, rows, open questions; each a choice."""
    async with request.form() as form:
        preview = await read_upload(request, visit.resources, preview=True)
        said = {name: text for name, text in form.items() if isinstance(text, str) and text}
    return visit.page("parts/reading.html", preview=preview, said=said)


@router.get("/ui/static/{folder}/{name}")
async def static_file(folder: str, name: str, request: Request) -> Response:
    """Send a file of the page, compressed for callers that accept it."""
    file = static_files.find(name)
    kept = static_files.KEPT if static_files.folder().endswith(folder) else {"cache-control": "no-cache"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, headers={**kept, "content-encoding": "gzip"}, media_type=file.media_type)
    return Response(file.plain, headers=kept, media_type=file.media_type)


@router.get("/ui/{path:path}")
async def nowhere(path: str) -> HTMLResponse:
    """Say that there is no such page."""
    raise NotFound(f"There is no page /ui/{path}. The start page, /, leads to every one there is.")
