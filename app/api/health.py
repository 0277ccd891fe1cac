"""Is the process alive, and can it answer?"""

from fastapi import APIRouter

from app.api.deps import TheParts
from app.schemas.health import Health
from app.services import storage

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def get_health() -> Health:
    """Tell that the process is alive; asks nothing else."""
    return Health(status="alive")


@router.get("/readyz")
def get_readiness(parts: TheParts) -> Health:
    """Tell whether calls can be answered: the database is there and migrated."""
    storage.check_ready(parts.database)
    return Health(status="ready")
