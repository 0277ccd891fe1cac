"""Is the process alive, can it answer, and what has it done?"""

from fastapi import APIRouter, Response

from app.api.deps import TheParts
from app.observability import metrics
from app.schemas.health import Health
from app.services import storage

router = APIRouter(tags=["health"])

METRICS = {
    "description": "Every figure, in Prometheus' text format.",
    "content": {
        "text/plain": {
            "schema": {"type": "string"},
            "example": 'gatecast_forecasts_total{source="memory"} 42.0\n',
        }
    },
}


@router.get("/healthz")
async def get_health() -> Health:
    """Tell that the process is alive; asks nothing else."""
    return Health(status="alive")


@router.get("/readyz")
def get_readiness(parts: TheParts) -> Health:
    """Tell whether calls can be answered: the database is there and migrated."""
    storage.check_ready(parts.database)
    return Health(status="ready")


@router.get("/metrics", response_class=Response, responses={200: METRICS})
def get_metrics() -> Response:
    """Show what was done and what it took, as Prometheus reads it."""
    return Response(metrics.exposition(), media_type=metrics.MEDIA_TYPE)
