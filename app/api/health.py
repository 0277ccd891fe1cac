"""Is the process alive, can it answer, and what has it done?"""

from anyio import fail_after, to_thread
from fastapi import APIRouter, Response

from app.api.deps import TheResources
from app.errors import Unavailable
from app.observability import metrics
from app.schemas.health import Health, Readiness

router = APIRouter(tags=["health"])

LOOK_LIMIT_S = 3.0

METRICS = {
    "description": "Every figure, in Prometheus' text format.",
    "content": {
        "text/plain": {
            "schema": {"type": "string"},
            "example": 'gatecast_forecasts_total{source="response_cache"} 42.0\n',
        }
    },
}


@router.get("/healthz")
async def get_health() -> Health:
    """Tell that the process is alive; asks nothing else."""
    return Health(status="alive")


@router.get("/readyz")
async def get_readiness(resources: TheResources) -> Readiness:
    """Tell whether calls can be answered, and whether anything is amiss all the same.

    It takes a database that is there and migrated, all loaded that forecasts need, and a look at what changes
    in the last seconds; else the answer is 503 with the reason. Without a worker it is `degraded`.
    """
    check, thread = resources.readiness.check, resources.readiness_thread
    try:
        with fail_after(LOOK_LIMIT_S):
            return await to_thread.run_sync(check, limiter=thread, abandon_on_cancel=True)
    except TimeoutError:
        raise Unavailable(f"The database has not answered for {LOOK_LIMIT_S:g} seconds.") from None


@router.get("/metrics", response_class=Response, responses={200: METRICS})
def get_metrics() -> Response:
    """Show what was done and what it took, as Prometheus reads it."""
    return Response(metrics.exposition(), media_type=metrics.MEDIA_TYPE)
