"""Workers: the processes that train."""

from fastapi import APIRouter

from app.api.deps import CurrentPrincipal, Read, TheResources
from app.api.http.paging import Page, with_opaque_cursor
from app.schemas.health import WorkerPage
from app.services.jobs import workers

router = APIRouter(prefix="/workers", tags=["training"])


@router.get("")
async def list_workers(
    page: Page, principal: CurrentPrincipal, read: Read, resources: TheResources
) -> WorkerPage:
    """List the workers, newest first: machine and device of each, its job, and whether it is alive."""
    return with_opaque_cursor(await read(workers.page, principal, page, resources.heartbeat))
