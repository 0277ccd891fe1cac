"""Health, readiness and metrics of the process."""

from anyio import fail_after, to_thread
from fastapi import APIRouter, Response

from app.api.deps import TheResources
from app.errors import Unavailable
from app.observability import metrics
from app.schemas.health import Health, Readiness

router = APIRouter(tags=["health"])

READINESS_TIMEOUT_S = 3.0

METRICS = {
    "description": "All metrics, in Prometheus' text format.",
    "content": {
        "text/plain": {
            "schema": {"type": "string"},
            "example": 'gatecast_forecasts_total{source="response_cache"} 42.0\n',
        }
    },
}


@router.get("/healthz")
async def get_health() -> Health:
    """Report that the process is alive; checks nothing else."""
    return Health(status="alive")


@router.get("/readyz")
async def get_readiness(resources: TheResources) -> Readiness:
    """Report whether the process can answer requests; `degraded` while no worker is alive.

    It needs a migrated database that answers, forecasting imported, and the newest changes read within
    seconds; otherwise the response is 503 with the reason.
    """
    check, thread = resources.readiness.check, resources.readiness_thread
    try:
        with fail_after(READINESS_TIMEOUT_S):
            return await to_thread.run_sync(check, limiter=thread, abandon_on_cancel=True)
    except TimeoutError:
        raise Unavailable(f"The database has not answered for {READINESS_TIMEOUT_S:g} seconds.") from None


@router.get("/metrics", response_class=Response, responses={200: METRICS})
def get_metrics() -> Response:
    """Show all metrics in Prometheus' text format."""
    return Response(metrics.exposition(), media_type=metrics.MEDIA_TYPE)
