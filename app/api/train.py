"""Queue a training."""

from fastapi import APIRouter, Response

from app.api.deps import CurrentPrincipal, TheTrainingQueue, WriteSession
from app.api.http.documentation import CREATES
from app.api.http.idempotency import ClaimKey, IdempotentRoute
from app.schemas.jobs import JobOut
from app.schemas.train import TrainRequest

POLL_AFTER_S = 2
router = APIRouter(tags=["training"], route_class=IdempotentRoute)


@router.post("/train", status_code=202, responses=CREATES, dependencies=[ClaimKey])
def train(
    request: TrainRequest,
    principal: CurrentPrincipal,
    session: WriteSession,
    training_queue: TheTrainingQueue,
    response: Response,
) -> JobOut:
    """Queue the training of one architecture on a dataset, or of all to keep the best; `/jobs/{id}` has its
    progress.
    """
    job = training_queue.submit(session, principal, request)
    response.headers["Location"] = f"/jobs/{job.id}"
    response.headers["Retry-After"] = str(POLL_AFTER_S)
    return job
