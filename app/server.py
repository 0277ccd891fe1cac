"""Run the service: the API in this process, and one supervised worker beside it."""

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
from app.client import Client
from app.db.engine import Database
from app.errors import Unavailable
from app.observability.logs import set_up_logging
from app.observability.metrics_folder import METRICS_FOLDER
from app.services.forecasting import model_loading
from app.services.shared import database_admin, devices
from app.settings import Settings
from app.worker.process import set_up_process
from app.worker.supervisor import Supervisor, workers_of

DRAIN_S = 2  # for requests in work when the service is told to stop
ANSWER_AFTER_S = 1.6  # those that will not end in time are told so before they are cut off
PAUSE_LIMIT_S = 2.5  # for a training to reach its next checkpoint; Ctrl-C shall not be waited for
YOUNG = 20_000  # objects made before the collector looks at them; Python's 700 cost a fifth of the time
STOP_LIMIT_S = 4.5  # for everything: a thread that parses a large upload cannot be interrupted
START_LIMIT_S = 60.0
logger = logging.getLogger(__name__)


def serve(settings: Settings, *, with_worker: bool) -> None:
    """Serve until SIGINT or SIGTERM; the port is taken first, then the migrations are run."""
    set_up_logging(settings.log_level)
    listening.raise_file_limit()
    listeners = listening.bind(settings)
    devices.resolve(settings.device)
    _migrate(settings)
    signal.signal(signal.SIGTERM, _exit)  # uvicorn raises it again when it has drained
    supervisor = workers_of(settings, PAUSE_LIMIT_S) if with_worker else None
    if supervisor is not None:
        supervisor.start()
    try:
        run = _run_api if settings.api_workers == 1 else _run_several
        code = _status_of(lambda: run(settings, listeners, supervisor))
    finally:
        if supervisor is not None:
            supervisor.stop()
    logging.shutdown()
    os._exit(code)  # the interpreter would take seconds to clear away what torch has loaded


def _status_of(run: Callable[[], int]) -> int:
    """Return the exit status of what serves: 0 only if it was told to stop, and did."""
    try:
        return run()
    except KeyboardInterrupt:  # the signal, raised again by uvicorn once it has drained
        return 0
    except SystemExit as end:  # SIGTERM likewise, or uvicorn's own end when it cannot start
        return end.code if isinstance(end.code, int) else 1


def _run_api(settings: Settings, listeners: list[socket.socket], supervisor: Supervisor | None = None) -> int:
    """Serve, and return the exit status."""
    api = _Api(settings, supervisor)
    api.run(listeners)
    return api.status if api.started else 1


def _run_several(settings: Settings, listeners: list[socket.socket], supervisor: Supervisor | None) -> int:
    """Serve by several processes that share one port and their figures."""
    stopping = set_up_process(settings)
    with tempfile.TemporaryDirectory(prefix="gatecast-figures-") as figures:
        os.environ[METRICS_FOLDER] = figures
        arguments = (settings, listeners)
        apis = Supervisor("API process", _run_one, arguments, settings.api_workers, STOP_LIMIT_S)
        apis.start()
        stopping.wait()
        if supervisor is not None:
            supervisor.ask_to_stop()
        apis.stop()
    return 0


def _run_one(settings: Settings, listeners: list[socket.socket]) -> None:
    """Be one of several API processes; gone with the one that started it."""
    set_up_process(settings)
    signal.signal(signal.SIGTERM, _exit)
    code = _status_of(lambda: _run_api(settings, listeners))
    logging.shutdown()
    os._exit(code)


def _migrate(settings: Settings) -> None:
    database = Database(settings.database_url)
    try:
        database_admin.migrate(database)
    except Unavailable:
        logger.warning("The database is away; what is asked meanwhile is answered with 503.")
    finally:
        database.dispose()


class _Api(uvicorn.Server):
    """The API's server; told to stop, it takes the worker along and is gone in time whatever it is doing."""

    def __init__(self, settings: Settings, supervisor: Supervisor | None) -> None:
        from app.api.middleware.connection import Connection  # noqa: PLC0415  # imported while the workers start as well
        from app.main import create_app  # noqa: PLC0415

        self._loaded = threading.Event()
        app = create_app(settings, self._loaded.is_set)
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=Connection,
                ws="none",  # there are none here, and its protocol has bounds of its own
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=DRAIN_S,
            )
        )
        self._app, self._settings, self._supervisor = app, settings, supervisor
        self.status = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and only then import what the first forecast needs, which takes seconds."""
        await super().startup(sockets)
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        logger.info("Gatecast listens on http://%s:%d; /docs shows every call.", host, self._settings.port)
        threading.Thread(target=self._load, name="loading", daemon=True).start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for the calls in work, and answer those that are about to be cut off."""
        giving_up = asyncio.create_task(self._give_up())
        await super().shutdown(sockets)
        giving_up.cancel()

    async def _give_up(self) -> None:
        await asyncio.sleep(ANSWER_AFTER_S)
        await self._app.state.pending.abort_all()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, on the first signal and on any other."""
        self._let_go()
        last_resort = threading.Timer(STOP_LIMIT_S, os._exit, args=(0,))
        last_resort.daemon = True
        last_resort.start()
        super().handle_exit(sig, frame)

    def _load(self) -> None:
        """Load what forecasts need, or end: a process that cannot would fail at each of them."""
        try:
            _settle()
        except BaseException:
            self.status, self.should_exit = 1, True
            logger.critical("What forecasts need cannot be loaded; this process ends.", exc_info=True)
            self._let_go()
            time.sleep(STOP_LIMIT_S)
            os._exit(self.status)
        self._loaded.set()

    def _let_go(self) -> None:
        """Take the worker along, and let those go who follow a job."""
        if self._supervisor is not None:
            self._supervisor.ask_to_stop()
        if self.started:
            self._app.state.resources.feed.close()


def _settle() -> None:
    """Import what comes later, and never look through all that for garbage again: that takes 0.2 s a time.

    Nor so often through the rest: requests leave next to nothing that only the collector finds.
    """
    model_loading.preload()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)


def _exit(_number: int, _frame: object) -> None:
    sys.exit(0)


@contextmanager
def running_service() -> Iterator[str]:
    """Start a service of its own on a database that is thrown away, and give its address."""
    with tempfile.TemporaryDirectory(prefix="gatecast-") as folder:
        port = free_port()
        environment = {
            **os.environ,
            "GATECAST_DATABASE_URL": f"sqlite:///{Path(folder) / 'demo.db'}",
            "GATECAST_HOST": "127.0.0.1",
            "GATECAST_PORT": str(port),
            "GATECAST_LOG_LEVEL": "warning",
        }
        process = subprocess.Popen([sys.executable, "-m", "app.cli", "serve"], env=environment)  # ourselves
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process)
            yield url
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    """Return a port of this machine that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_LIMIT_S
    with Client(url) as client:
        while not client.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable("The service did not start; its messages above say why.")
            time.sleep(0.1)
