"""Train in a child process, so that the worker survives a training that crashes or takes too much memory.

A spare child with torch imported waits for the next job, which then begins at once.
`Child` is the worker's end; `_main` runs in the child.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection

from app.db.engine import Database
from app.errors import Unavailable
from app.observability.logs import set_up_logging
from app.queue import JobRef
from app.services.jobs.states import Paused, Superseded
from app.services.training import memory_limit
from app.worker.parent_watch import exit_with_parent

MAX_CAUSE = 2000  # most characters of a cause, which must fit into the pipe's buffer
NICENESS = 10  # the API on the same machine goes first
POLL_INTERVAL_S = 0.5
NO_DATABASE = os.EX_TEMPFAIL  # the exit status of a child that gave up because the database was away
# Also modules that would be imported on first use: by Arrow's reader, the database's engine, and
# multiprocessing, which runs the main module again.
PRELOADED = [
    __name__,
    "app.services.training.run",
    "app.worker.storing",
    "statsforecast.models",
    "pyarrow.dataset",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "sqlalchemy.dialects.postgresql.psycopg",
    "typer",
]
CONTEXT = get_context("forkserver")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """One attempt at a job, and what it may use."""

    ref: JobRef
    attempt: int
    device: str
    memory_bytes: int


def warm_up() -> None:
    """Start the fork server with torch and the baselines imported, so that a child starts in milliseconds.

    It only imports: a torch operation or a CUDA call would leave threads and handles that a fork cannot
    carry over.
    """
    CONTEXT.set_forkserver_preload(PRELOADED)
    forkserver.ensure_running()


class Child:
    """A child process that waits for its task, and makes one attempt at a job."""

    def __init__(self, database_url: str) -> None:
        self._pipe, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_main, args=(database_url, theirs))
        self._process.start()
        theirs.close()
        self.was_superseded = False  # it was killed since its job had been ended or taken over

    @property
    def is_ready(self) -> bool:
        """Whether the process is alive."""
        return self._process.is_alive()

    def start(self, task: Task) -> None:
        """Send the task; if the process has just died, `cause_of_death` says why."""
        with suppress(OSError):
            self._pipe.send(task)

    def watch(self, memory_bytes: int, is_current: Callable[[], bool]) -> str | None:
        """Wait until the child ends; kill it if it takes too much memory or its attempt is not current.

        Returns the reason to make no other attempt, if there is one.
        """
        while not self._has_ended(within_s=POLL_INTERVAL_S):
            if memory_limit.resident_bytes(self._process.pid or 0) > memory_bytes:
                self._kill_and_wait()
                return memory_limit.exceeded(memory_bytes)
            if not is_current():
                self.was_superseded = True
                self._kill_and_wait()
        return None

    def cause_of_death(self) -> str | None:
        """Return why the attempt died; None if it ended in order or because the database was away."""
        if self._process.exitcode in (0, NO_DATABASE):
            return None
        try:
            return str(self._pipe.recv())
        except (EOFError, ConnectionError):
            return f"its process ended with {_named(self._process.exitcode or 0)}."

    @property
    def lacked_the_database(self) -> bool:
        """Whether it ended because the database was away."""
        return self._process.exitcode == NO_DATABASE

    def ask_to_pause(self) -> None:
        """Ask the training to stop at its next checkpoint."""
        self._process.terminate()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def _has_ended(self, within_s: float) -> bool:
        self._process.join(within_s)
        return not self._process.is_alive()

    def _kill_and_wait(self) -> None:
        self.kill()
        self._process.join()


def _named(exitcode: int) -> str:
    return f"signal {signal.Signals(-exitcode).name}" if exitcode < 0 else f"exit code {exitcode}"


def _main(database_url: str, worker: Connection) -> None:
    """Set the process up, wait for a task, and run it."""
    pausing = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: pausing.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the worker decides
    exit_with_parent()
    os.nice(NICENESS)
    set_up_logging("warning")
    from app.services.training import run  # noqa: PLC0415  # preloaded here; the worker itself needs no torch

    database = Database(database_url)
    run.warm_up(database)
    try:
        task: Task = worker.recv()
    except EOFError:
        return  # the worker is gone, and nothing was begun
    try:
        run.run_attempt(
            database,
            task.ref,
            task.attempt,
            task.device,
            memory_bytes=task.memory_bytes,
            should_pause=pausing.is_set,
        )
    except (Superseded, Paused) as error:
        logger.info("%s", error)
    except Unavailable as error:
        logger.warning("%s", error)
        raise SystemExit(NO_DATABASE) from error
    except Exception as error:
        logger.exception("Job %s, attempt %d, broke off.", task.ref.job_id, task.attempt)
        worker.send(f"{type(error).__name__}: {error}"[:MAX_CAUSE])
        raise SystemExit(1) from error
    finally:
        database.dispose()
