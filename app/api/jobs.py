"""Jobs: the trainings that are queued, running or done."""

from fastapi import APIRouter

from app.api.deps import CurrentPrincipal, ReadSession, WriteSession
from app.api.pagination import Page, handed_out
from app.api.paths import JobId
from app.schemas.jobs import JobOut, JobPage
from app.services import jobs

router = APIRouter(prefix="/jobs", tags=["training"])


@router.get("")
def list_jobs(page: Page, principal: CurrentPrincipal, session: ReadSession) -> JobPage:
    """List jobs, newest first."""
    return handed_out(jobs.page(session, principal, page))


@router.get("/{job_id}")
def get_job(job_id: JobId, principal: CurrentPrincipal, session: ReadSession) -> JobOut:
    """Show a job: its state, how far it is, and what came of it."""
    return jobs.get(session, principal, job_id)


@router.post("/{job_id}/cancel")
def cancel_job(job_id: JobId, principal: CurrentPrincipal, session: WriteSession) -> JobOut:
    """Cancel a job that waits or runs; a running one stops within two seconds, and leaves nothing."""
    return jobs.cancel(session, principal, job_id)
