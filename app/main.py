"""Put the service together: the one place where its parts meet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import Lifespan

from app.api import datasets, forecast, health, jobs, models, schedules, train, workers
from app.api.deps import Parts
from app.api.errors import add_error_handlers
from app.api.limits import BodyLimit
from app.db.engine import Database
from app.queue import Queue
from app.schemas.problem import Problem
from app.services.forecasting import Oracle
from app.services.job_feed import JobFeed
from app.services.model_cache import ModelCache
from app.services.training import Trainings
from app.settings import MEBIBYTE, Settings
from app.version import VERSION

DESCRIPTION = """
Upload series with `POST /datasets`, train an LSTM on them with `POST /train` (or a GRU, an RNN or a CNN,
or all four, of which the best is kept), follow the job, see by `GET /models/{id}` whether it beats the simple
methods, and ask `GET /forecast` what comes next and how sure that is.

Every error is a problem document (RFC 9457) that says what is wrong, where, and how to mend it.
"""
WRITERS = 10  # requests that change something, at a time; SQLite has one writer in any case
PROBLEM = {"model": Problem, "description": "What is wrong, where, and how to mend it."}


def create_app(settings: Settings) -> FastAPI:
    """Return the API; it opens the database when it starts and closes it when it stops."""
    app = FastAPIOffline(
        title="Gatecast",
        description=DESCRIPTION,
        version=VERSION,
        lifespan=_lifespan(settings),
        responses={"default": PROBLEM},
    )
    for part in (datasets, train, jobs, schedules, workers, models, forecast, health):
        app.include_router(part.router)
    add_error_handlers(app)
    app.add_middleware(BodyLimit, limit_bytes=settings.max_upload_mb * MEBIBYTE)
    return app


def _lifespan(settings: Settings) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(settings.database_url)
        queue = Queue(database)
        oracle = Oracle(database, ModelCache(settings.model_cache_mb * MEBIBYTE), settings.device)
        writers = asyncio.Semaphore(1 if database.is_sqlite else WRITERS)
        app.state.parts = Parts(database, Trainings(queue), oracle, JobFeed(database), writers)
        yield
        queue.close()
        database.dispose()

    return lifespan
