"""Run the service: the API in this process, and one supervised worker beside it."""

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from app.client import Client
from app.db.engine import Database
from app.errors import Unavailable
from app.observability.logs import set_up_logging
from app.services import devices, storage
from app.settings import Settings
from app.worker.supervisor import Supervisor

if TYPE_CHECKING:
    from fastapi import FastAPI

DRAIN_S = 2  # for requests in work when the service is told to stop
PAUSE_LIMIT_S = 2.5  # for a training to reach its next checkpoint; Ctrl-C shall not be waited for
STOP_LIMIT_S = 4.5  # for everything: a thread that parses a large upload cannot be interrupted
START_LIMIT_S = 60.0
logger = logging.getLogger(__name__)


def serve(settings: Settings, *, with_worker: bool) -> None:
    """Serve until SIGINT or SIGTERM; the migrations are run first."""
    set_up_logging(settings.log_level)
    devices.resolve(settings.device)
    _migrate(settings)
    signal.signal(signal.SIGTERM, _exit)  # uvicorn raises it again when it has drained
    supervisor = Supervisor(settings, PAUSE_LIMIT_S) if with_worker else None
    if supervisor is not None:
        supervisor.start()
    try:
        code = _run_api(settings, supervisor)
    except (KeyboardInterrupt, SystemExit):  # the signal, raised again by uvicorn once it has drained
        code = 0
    finally:
        if supervisor is not None:
            supervisor.stop()
    logging.shutdown()
    os._exit(code)  # the interpreter would take seconds to clear away what torch has loaded


def _run_api(settings: Settings, supervisor: Supervisor | None) -> int:
    """Serve, and return the exit status. The API is imported only now, while the workers start as well."""
    from app.main import create_app  # noqa: PLC0415
    from app.services.forecasting import warm_up  # noqa: PLC0415

    api = _Api(create_app(settings), settings, supervisor)
    threading.Thread(target=warm_up, daemon=True).start()
    api.run()
    return 0 if api.started else 1


def _migrate(settings: Settings) -> None:
    database = Database(settings.database_url)
    try:
        storage.migrate(database)
    except Unavailable:
        logger.warning("The database is away; what is asked meanwhile is answered with 503.")
    finally:
        database.dispose()


class _Api(uvicorn.Server):
    """The API's server; told to stop, it takes the worker along and is gone in time whatever it is doing."""

    def __init__(self, app: "FastAPI", settings: Settings, supervisor: Supervisor | None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=DRAIN_S,
            )
        )
        self._app, self._supervisor = app, supervisor

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, on the first signal and on any other."""
        if self._supervisor is not None:
            self._supervisor.ask_to_stop()
        if self.started:
            self._app.state.parts.feed.close()
        last_resort = threading.Timer(STOP_LIMIT_S, os._exit, args=(0,))
        last_resort.daemon = True
        last_resort.start()
        super().handle_exit(sig, frame)


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
