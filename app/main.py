"""Assemble the API: routes, middleware, errors, and the resources that requests share."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from anyio import CapacityLimiter
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import Lifespan

from app.api import datasets, forecast, health, jobs, models, schedules, train, workers
from app.api.database_reader import DatabaseReader
from app.api.deps import Resources
from app.api.http.documentation import EVERYWHERE, TAGS, complete_documentation, operation_id
from app.api.http.errors import add_error_handlers
from app.api.http.unknown_names import RefuseUnknownParameters
from app.api.middleware.body_limit import BodyLimit
from app.api.middleware.cached_forecasts import CachedForecasts
from app.api.middleware.compression import Compression
from app.api.middleware.concurrency_limit import ConcurrencyLimit
from app.api.middleware.fast_path import FastPath
from app.api.middleware.graceful_shutdown import GracefulShutdown, PendingRequests
from app.api.middleware.head_requests import HeadRequests
from app.api.middleware.host_and_origin import with_host_and_origin_check
from app.db.engine import WRITING, Database
from app.intake.files.conversion import FileLimits
from app.queue import Queue
from app.services.forecasting.service import ForecastService
from app.services.jobs.event_stream import JobEventStream
from app.services.shared import devices
from app.services.shared.byte_budget import ByteBudget
from app.services.shared.heartbeats import Heartbeat
from app.services.shared.idempotency import Claims
from app.services.shared.readiness import ReadinessCheck
from app.services.training.submit import TrainingQueue
from app.settings import MEBIBYTE, Settings
from app.version import VERSION
from app.web import views

DESCRIPTION = """
Upload series with `POST /datasets` and ask `GET /forecast` what comes next and how sure that is: a pretrained
LSTM answers at once.

Train one on the series themselves with `POST /train` (or a GRU, an RNN or a CNN, or all four, of which the
best is kept), follow the job, and see by `GET /models/{id}` whether it beats the simple methods. From then on
it answers.

Every error is a problem document (RFC 9457) that says what is wrong, where, and how to mend it.
"""
PACKING_THREADS = 2
PARSING_THREADS = 2  # with more, Python parses no faster and answers other requests slower
DEFAULT_THREADS = 32  # enough that a few slow tables do not delay short forecasts
WRITERS = WRITING - 1  # on Postgres; one connection is left for the heartbeat. SQLite has one writer


def create_app(settings: Settings, has_loaded: Callable[[], bool] = lambda: True) -> FastAPI:
    """Return the API; it opens the database when it starts and closes it when it stops.

    `has_loaded` returns whether forecasting is imported; until then the service is not ready.
    """
    app = FastAPIOffline(
        title="Gatecast",
        description=DESCRIPTION,
        version=VERSION,
        lifespan=_lifespan(settings, has_loaded),
        responses=EVERYWHERE,
        openapi_tags=TAGS,
        dependencies=[RefuseUnknownParameters],
        redirect_slashes=False,  # a redirect would go to whatever Host the caller sent
        generate_unique_id_function=operation_id,
        swagger_ui_parameters={"tryItOutEnabled": True},
    )
    # The most frequent first, since a request is matched against the routes in this order.
    for part in (forecast, datasets, train, jobs, schedules, workers, models, health):
        app.include_router(part.router)
    for page in views.PAGES:
        app.include_router(page.router)
    add_error_handlers(app)
    complete_documentation(app)
    _add_middleware(app, settings)
    return app


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """Add the middleware; the one added last runs first."""
    app.add_middleware(BodyLimit, file_mb=settings.max_upload_mb, json_mb=settings.max_json_mb)
    app.add_middleware(FastPath, path="/forecast", handler=forecast.get_forecast)
    app.add_middleware(Compression)  # within the response cache, whose answers are sent as they are
    app.state.pending = PendingRequests()
    app.add_middleware(GracefulShutdown, pending=app.state.pending)
    app.add_middleware(
        ConcurrencyLimit,
        limit=settings.max_requests,
        log_all=settings.access_log,
        database_is_silent=lambda: app.state.resources.forecasts.feed.is_silent,
    )
    app.add_middleware(HeadRequests)
    app.add_middleware(CachedForecasts, log_all=settings.access_log)
    # Outside of the framework's own middleware, so that its error page has the security headers too.
    app.middleware_stack = with_host_and_origin_check(app.build_middleware_stack(), settings)


def _lifespan(settings: Settings, has_loaded: Callable[[], bool]) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(DEFAULT_THREADS))
        async with _open_resources(settings, has_loaded) as resources:
            app.state.resources = resources
            yield

    return lifespan


@asynccontextmanager
async def _open_resources(settings: Settings, has_loaded: Callable[[], bool]) -> AsyncIterator[Resources]:
    """Open what lives as long as the process; close it again in the opposite order."""
    database = Database(settings.database_url)
    queue = Queue(database)
    device = devices.resolve_for_serving(settings.device)
    heartbeat = Heartbeat(database, "api", device, settings.worker_deadline_s)
    claims = Claims(database, heartbeat)
    await asyncio.to_thread(heartbeat.open, claims.tidy)  # it writes, which must not block the event loop
    forecasts = ForecastService(database, settings, device)
    forecasts.open()
    yield Resources(
        database=database,
        read=DatabaseReader(database),
        training_queue=TrainingQueue(queue),
        forecasts=forecasts,
        job_events=JobEventStream(database),
        heartbeat=heartbeat,
        claims=claims,
        readiness=ReadinessCheck(database, forecasts.feed, heartbeat, has_loaded),
        writers=asyncio.Semaphore(1 if database.is_sqlite else WRITERS),
        readiness_thread=CapacityLimiter(1),
        packing_threads=CapacityLimiter(PACKING_THREADS),
        keep_versions=settings.keep_versions,
        parsing_threads=CapacityLimiter(PARSING_THREADS),
        file_limits=FileLimits.of(settings),
        body_bytes=ByteBudget(max(settings.max_upload_mb, settings.max_json_mb) * MEBIBYTE),
    )
    await asyncio.to_thread(heartbeat.close)  # requests that are being aborted need the event loop
    forecasts.close()
    queue.close()
    database.dispose()
