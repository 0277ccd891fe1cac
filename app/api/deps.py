"""The dependencies that routes declare by type: the caller, a session, the process's resources."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request
from fastapi.concurrency import contextmanager_in_threadpool

from app.api.database_reader import DatabaseReader
from app.auth import OWNER, Principal
from app.db.engine import Database, Session
from app.intake.files.conversion import FileLimits
from app.services.forecasting.service import ForecastService
from app.services.jobs.event_stream import JobEventStream
from app.services.shared.byte_budget import ByteBudget
from app.services.shared.heartbeats import Heartbeat
from app.services.shared.idempotency import Claims
from app.services.shared.readiness import ReadinessCheck
from app.services.training.submit import TrainingQueue


@dataclass(frozen=True)
class Resources:
    """What lives as long as the process; made by `app.main`, shared by all requests."""

    database: Database
    read: DatabaseReader
    training_queue: TrainingQueue
    forecasts: ForecastService
    job_events: JobEventStream
    heartbeat: Heartbeat
    claims: Claims
    readiness: ReadinessCheck
    # A request waits here before it takes a thread or a connection: the running writers need both to finish.
    writers: asyncio.Semaphore
    # Threads that pack uploads into blobs. Fewer than the connections for reading: each may hold one.
    packing_threads: CapacityLimiter
    keep_versions: int
    # Readiness has a thread of its own, so that it answers however busy the process is.
    readiness_thread: CapacityLimiter
    # Threads that parse uploads. An upload waits here with neither thread nor connection.
    parsing_threads: CapacityLimiter
    file_limits: FileLimits
    # Bodies with series wait here before they are read: memory grows with what is in work.
    body_bytes: ByteBudget


def resources_of(request: Request) -> Resources:
    """Return the resources of the process."""
    resources: Resources = request.app.state.resources
    return resources


# FastAPI runs sync dependencies in a thread; these functions are async to avoid that.
async def get_resources(request: Request) -> Resources:
    """Return the resources of the process."""
    return resources_of(request)


async def get_principal() -> Principal:
    """Return the caller."""
    return OWNER


async def get_reader(request: Request) -> DatabaseReader:
    """Return the reader of the database."""
    return resources_of(request).read


async def get_write_session(
    request: Request, resources: Annotated[Resources, Depends(get_resources)]
) -> AsyncIterator[Session]:
    """Yield a session for writing; the request is one transaction, committed before the response is sent."""
    async with resources.writers, contextmanager_in_threadpool(resources.database.write()) as session:
        request.state.session = session
        yield session


async def get_training_queue(request: Request) -> TrainingQueue:
    """Return the queue of trainings."""
    return resources_of(request).training_queue


async def get_forecast_service(request: Request) -> ForecastService:
    """Return the forecast service."""
    return resources_of(request).forecasts


async def get_keep_versions(request: Request) -> int:
    """Return how many of a dataset's newest versions are kept."""
    return resources_of(request).keep_versions


CurrentPrincipal = Annotated[Principal, Depends(get_principal)]
Read = Annotated[DatabaseReader, Depends(get_reader)]
# The scope "function" commits before the response is sent: no caller sees a success that a failed commit
# undoes.
WriteSession = Annotated[Session, Depends(get_write_session, scope="function")]
TheTrainingQueue = Annotated[TrainingQueue, Depends(get_training_queue)]
TheForecasts = Annotated[ForecastService, Depends(get_forecast_service)]
KeepVersions = Annotated[int, Depends(get_keep_versions)]
TheResources = Annotated[Resources, Depends(get_resources)]
