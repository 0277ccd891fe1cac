"""Run the service: the API in this process, and one supervised worker beside it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from app.client import Client
from app.db.engine import Database
from app.errors import Unavailable
from app.main import create_app
from app.observability.logs import set_up_logging
from app.services import storage
from app.settings import Settings
from app.worker.supervisor import Supervisor

DRAIN_S = 2  # for requests in work when the service is told to stop
START_LIMIT_S = 60.0


def serve(settings: Settings, *, with_worker: bool) -> None:
    """Serve until SIGINT or SIGTERM. With a worker, the migrations are run first."""
    set_up_logging(settings.log_level)
    signal.signal(signal.SIGTERM, _exit)  # uvicorn raises it again when it has drained
    if not with_worker:
        _run_api(settings)
        return
    database = Database(settings.database_url)
    storage.migrate(database)
    database.dispose()
    supervisor = Supervisor(settings)
    supervisor.start()
    try:
        _run_api(settings)
    finally:
        supervisor.stop()


def _run_api(settings: Settings) -> None:
    try:
        uvicorn.run(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=DRAIN_S,
        )
    except KeyboardInterrupt:
        return  # Ctrl-C, raised again by uvicorn once it has drained


def _exit(_number: int, _frame: object) -> None:
    sys.exit(0)


@contextmanager
def running_service() -> Iterator[str]:
    """Start a service of its own on a database that is thrown away, and give its address."""
    with tempfile.TemporaryDirectory(prefix="gatecast-") as folder:
        port = _free_port()
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


def _free_port() -> int:
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
