"""Services and workers with real processes, and a look at who they are."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.db.engine import Database
from app.db.tables import Process
from app.server import free_port
from benchmarks.process_tree import descendants, eventually, grandchildren, is_running
from gatecast_client import Client


@dataclass(frozen=True)
class Service:
    """`gatecast serve`, running."""

    process: "subprocess.Popen[bytes]"
    url: str
    database_url: str
    log: Path

    def worker_pid(self) -> int:
        """Return the pid of the newest worker that has reported."""
        return eventually(self._newest_worker)

    def training_pid(self) -> int:
        """Return the pid of the process that trains: the fork server's child."""
        return eventually(lambda: next(iter(grandchildren(self.worker_pid())), None))

    def kill_everything(self) -> None:
        """End every process of it as a power cut would."""
        everyone = [self.process.pid, *descendants(self.process.pid)]
        for pid in everyone:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        eventually(lambda: not any(is_running(pid) for pid in everyone))

    def _newest_worker(self) -> int | None:
        database = Database(self.database_url)
        try:
            with database.read() as session:
                workers = session.query(Process).filter_by(role="worker", stopped=False)
                newest = workers.order_by(Process.id.desc()).first()
                return newest.pid if newest else None
        finally:
            database.dispose()


@contextmanager
def running_service(database_url: str, folder: Path, **settings: Any) -> Iterator[Service]:
    """Start the service and stop it afterwards, whatever a test did to its processes."""
    with _running("serve", database_url, folder, **settings) as service:
        yield service


@contextmanager
def running_api(
    database_url: str, folder: Path, within: Sequence[str] = (), **settings: Any
) -> Iterator[Service]:
    """Start an API without a worker, `within` another command."""
    with _running("api", database_url, folder, within, **settings) as service:
        yield service


@contextmanager
def _running(
    command: str, database_url: str, folder: Path, within: Sequence[str] = (), **settings: Any
) -> Iterator[Service]:
    port = free_port()
    log = folder / f"{command}-{port}.log"
    with started(command, database_url, log, within=within, port=port, **settings) as process:
        service = Service(process, f"http://127.0.0.1:{port}", database_url, log)
        with Client(service.url) as client:
            eventually(lambda: client.is_ready() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield service


@contextmanager
def running_worker(
    database_url: str, folder: Path, *options: str, **settings: Any
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start one more worker on a database."""
    log = folder / f"worker-{uuid.uuid4().hex}.log"
    with started("worker", database_url, log, *options, **settings) as process:
        yield process


@contextmanager
def started(
    command: str,
    database_url: str,
    log: Path,
    *options: str,
    within: Sequence[str] = (),
    **settings: Any,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a command of the service, `within` another one, and end it afterwards if a test has not."""
    ours = {"DATABASE_URL": database_url, "DEVICE": "cpu", **{k.upper(): v for k, v in settings.items()}}
    environment = {**os.environ, **{f"GATECAST_{name}": str(value) for name, value in ours.items()}}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*within, sys.executable, "-m", "app", command, *options],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=15)


def kill(pid: int) -> None:
    """End a process as the kernel would when memory runs out."""
    os.kill(pid, signal.SIGKILL)
