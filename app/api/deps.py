"""What routes ask for by type: the caller, a session, the long-lived parts of the service."""

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
from app.services.forecasting.service import ForecastService
from app.services.jobs.event_stream import JobFeed
from app.services.shared.idempotency import Claims
from app.services.shared.processes import Presence
from app.services.shared.readiness import Condition
from app.services.training.submit import Trainings


@dataclass(frozen=True)
class Parts:
    """What lives as long as the process; `app.main` makes it, every request finds it."""

    database: Database
    read: DatabaseReader
    trainings: Trainings
    forecasts: ForecastService
    feed: JobFeed
    presence: Presence
    claims: Claims
    condition: Condition
    # Writers wait here, where they hold neither thread nor connection: those at work need both to get on.
    writers: asyncio.Semaphore
    # Threads that pack what is sent: fewer than there are connections for looking, since each may hold one.
    packers: CapacityLimiter
    keep_versions: int
    # A thread for readiness alone, which no amount of work keeps waiting.
    lookout: CapacityLimiter
    # Uploads wait here to be read, without thread or connection: nothing else waits for them.
    desk: CapacityLimiter
    max_columns: int


def parts_of(request: Request) -> Parts:
    """Return the long-lived parts."""
    parts: Parts = request.app.state.parts
    return parts


# Here and below async, though nothing is waited for: FastAPI sends whatever is not to a thread.
async def get_parts(request: Request) -> Parts:
    """Return the long-lived parts."""
    return parts_of(request)


async def get_principal() -> Principal:
    """Return the caller."""
    return OWNER


async def get_reader(request: Request) -> DatabaseReader:
    """Return what looks into the database."""
    return parts_of(request).read


async def get_write_session(
    request: Request, parts: Annotated[Parts, Depends(get_parts)]
) -> AsyncIterator[Session]:
    """Give a session for changing: the request is one transaction, committed before the answer is sent."""
    async with parts.writers, contextmanager_in_threadpool(parts.database.write()) as session:
        request.state.session = session
        yield session


async def get_trainings(request: Request) -> Trainings:
    """Return what takes trainings."""
    return parts_of(request).trainings


async def get_forecast_service(request: Request) -> ForecastService:
    """Return what answers forecasts."""
    return parts_of(request).forecasts


async def get_keep_versions(request: Request) -> int:
    """Return how many of a dataset's newest versions stay."""
    return parts_of(request).keep_versions


CurrentPrincipal = Annotated[Principal, Depends(get_principal)]
Read = Annotated[DatabaseReader, Depends(get_reader)]
# The scope "function" ends the transaction before the answer goes out: nobody is told of what a failing
# commit then takes back.
WriteSession = Annotated[Session, Depends(get_write_session, scope="function")]
TheTrainings = Annotated[Trainings, Depends(get_trainings)]
TheForecasts = Annotated[ForecastService, Depends(get_forecast_service)]
KeepVersions = Annotated[int, Depends(get_keep_versions)]
TheParts = Annotated[Parts, Depends(get_parts)]
