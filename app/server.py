"""Run the service: the API in this process or several, and one supervised worker beside it."""

import asyncio
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn

from app import listening
from app.db.engine import Database
from app.errors import Unavailable
from app.observability.logs import set_up_logging
from app.observability.metrics_folder import METRICS_FOLDER
from app.services.forecasting import model_loading
from app.services.shared import database_admin, devices
from app.settings import Settings
from app.version import release
from app.worker.process import set_up_process
from app.worker.supervisor import Supervisor, workers_of
from gatecast_client import Client

DRAIN_S = 2  # for running requests, once the service is told to stop
ABORT_AFTER_S = 1.6  # then requests that will not end in time are answered with 503
PAUSE_LIMIT_S = 2.5  # for a training to reach its next checkpoint; Ctrl-C must stop the service soon
GC_THRESHOLD = 20_000  # new objects between two collections; with Python's 700 they cost a fifth of the time
STOP_LIMIT_S = 4.5  # for the whole stop: a thread that parses a large upload cannot be interrupted
START_LIMIT_S = 120.0
logger = logging.getLogger(__name__)


def serve(settings: Settings, *, with_worker: bool) -> None:
    """Serve until SIGINT or SIGTERM; bind the port first, then run the migrations, then exit this process."""
    set_up_logging(settings.log_level)
    listening.raise_file_limit()
    listeners = listening.bind(settings)
    devices.resolve_for_serving(settings.device)
    _migrate(settings)
    signal.signal(signal.SIGTERM, _exit)  # uvicorn raises it again once requests have ended
    supervisor = workers_of(settings, PAUSE_LIMIT_S) if with_worker else None
    if supervisor is not None:
        supervisor.start()
    try:
        run = _run_api if settings.api_workers == 1 else _run_several
        code = _exit_status(lambda: run(settings, listeners, supervisor))
    finally:
        if supervisor is not None:
            supervisor.stop()
    logging.shutdown()
    os._exit(code)  # the interpreter takes seconds to free what torch has loaded


def _exit_status(run: Callable[[], int]) -> int:
    """Run the service and return its exit status: 0 only if it stopped because it was told to."""
    try:
        return run()
    except KeyboardInterrupt:  # SIGINT, raised again by uvicorn once requests have ended
        return 0
    except SystemExit as end:  # SIGTERM likewise, or uvicorn when it cannot start
        return end.code if isinstance(end.code, int) else 1


def _run_api(settings: Settings, listeners: list[socket.socket], supervisor: Supervisor | None = None) -> int:
    """Serve from this process and return the exit status."""
    server = _Server(settings, supervisor)
    server.run(listeners)
    return server.status if server.started else 1


def _run_several(settings: Settings, listeners: list[socket.socket], supervisor: Supervisor | None) -> int:
    """Serve from several processes that share one port and their metrics."""
    stopping = set_up_process(settings)
    with tempfile.TemporaryDirectory(prefix="gatecast-metrics-") as folder:
        os.environ[METRICS_FOLDER] = folder
        arguments = (settings, listeners)
        apis = Supervisor("API process", _run_one, arguments, settings.api_workers, STOP_LIMIT_S)
        apis.start()
        stopping.wait()
        if supervisor is not None:
            supervisor.ask_to_stop()
        apis.stop()
    return 0


def _run_one(settings: Settings, listeners: list[socket.socket]) -> None:
    """Serve from one of several processes; it ends with the process that started it."""
    set_up_process(settings)
    signal.signal(signal.SIGTERM, _exit)
    code = _exit_status(lambda: _run_api(settings, listeners))
    logging.shutdown()
    os._exit(code)


def _migrate(settings: Settings) -> None:
    database = Database(settings.database_url)
    try:
        database_admin.migrate(database)
    except Unavailable:
        logger.warning("The database is away; requests are answered with 503 until it is back.")
    finally:
        database.dispose()


class _Server(uvicorn.Server):
    """The uvicorn server of the API; it stops the worker along with itself, and within STOP_LIMIT_S."""

    def __init__(self, settings: Settings, supervisor: Supervisor | None) -> None:
        from app.api.middleware.connection_limits import Connection  # noqa: PLC0415  # imported while the worker starts
        from app.main import create_app  # noqa: PLC0415

        self._loaded = threading.Event()
        app = create_app(settings, self._loaded.is_set)
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=Connection,
                ws="none",  # there are no WebSockets, and their protocol would need limits of its own
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=DRAIN_S,
            )
        )
        self._app, self._settings, self._supervisor = app, settings, supervisor
        self.status = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept requests, and only then import what forecasts need, which takes seconds."""
        await super().startup(sockets)
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        logger.info("Gatecast listens on http://%s:%d; /docs shows every call.", host, self._settings.port)
        threading.Thread(target=self._load, name="loading", daemon=True).start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for running requests; answer with 503 those that will not end in time."""
        aborting = asyncio.create_task(self._abort_pending())
        await super().shutdown(sockets)
        aborting.cancel()

    async def _abort_pending(self) -> None:
        await asyncio.sleep(ABORT_AFTER_S)
        await self._app.state.pending.abort_all()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop on a signal, and exit after STOP_LIMIT_S at the latest."""
        self._stop_others()
        last_resort = threading.Timer(STOP_LIMIT_S, os._exit, args=(0,))
        last_resort.daemon = True
        last_resort.start()
        super().handle_exit(sig, frame)

    def _load(self) -> None:
        """Import what forecasts need; end the process if that fails, since every forecast would fail."""
        try:
            _import_forecasting()
        except BaseException:
            self.status, self.should_exit = 1, True
            logger.critical("Forecasting cannot be imported; this process ends.", exc_info=True)
            self._stop_others()
            time.sleep(STOP_LIMIT_S)
            os._exit(self.status)
        self._loaded.set()

    def _stop_others(self) -> None:
        """Ask the worker to stop, and end the event streams."""
        if self._supervisor is not None:
            self._supervisor.ask_to_stop()
        if self.started:
            self._app.state.resources.job_events.close()


def _import_forecasting() -> None:
    """Import what forecasts need, and exempt it from garbage collection: to visit it takes 0.2 s each time.

    Collect the rest less often too: requests leave almost nothing that only the collector can free.
    """
    model_loading.preload()
    release()  # reads and hashes the code once; the first forecast would do it in the event loop
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)


def _exit(_number: int, _frame: object) -> None:
    sys.exit(0)


@contextmanager
def running_service() -> Iterator[str]:
    """Start a service on a temporary database and yield its URL."""
    with tempfile.TemporaryDirectory(prefix="gatecast-") as folder:
        port = free_port()
        environment = {
            **os.environ,
            "GATECAST_DATABASE_URL": f"sqlite:///{Path(folder) / 'demo.db'}",
            "GATECAST_HOST": "127.0.0.1",
            "GATECAST_PORT": str(port),
            "GATECAST_LOG_LEVEL": "warning",
        }
        process = subprocess.Popen([sys.executable, "-m", "app", "serve"], env=environment)  # ourselves
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process)
            yield url
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    """Return a port of this machine that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_LIMIT_S
    with Client(url) as client:
        while not client.is_ready():
            if process.poll() is not None:
                raise Unavailable("The service did not start; its messages above say why.")
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The service was not ready within {START_LIMIT_S:g} seconds: is the machine busy? Start "
                    "it by `gatecast serve`, and then `gatecast demo --url http://127.0.0.1:8000`."
                )
            time.sleep(0.1)
