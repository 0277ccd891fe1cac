"""One training in a process of its own: what it takes or breaks, the worker outlives.

The process stands by before there is a training for it, with all done that takes time: a job then begins as
soon as it is taken from the queue.
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
from app.worker.orphans import exit_with_parent

REASON_LIMIT = 2000  # characters; a pipe holds no more than some thousands before someone reads
NICENESS = 10  # the API on the same machine goes first
LOOK_S = 0.5  # between two looks at a child
NO_DATABASE = os.EX_TEMPFAIL  # the exit status of one that could not go on for the lack of its database
# Also what is otherwise imported when it is first used, by torch's optimizers (two seconds), Arrow's reader,
# the database's engine, and multiprocessing, which runs the main module again.
PRELOADED = [
    __name__,
    "app.services.training.run",
    "statsforecast.models",
    "torch._dynamo",
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
    """Start the fork server with torch and the baselines imported, so that a child is there in milliseconds.

    It imports and nothing more: a torch operation or a CUDA call would leave threads and handles behind
    that a fork cannot carry over.
    """
    CONTEXT.set_forkserver_preload(PRELOADED)
    forkserver.ensure_running()


class Child:
    """A child process that stands by, and makes one attempt when it is told to."""

    def __init__(self, database_url: str) -> None:
        self._pipe, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_main, args=(database_url, theirs))
        self._process.start()
        theirs.close()
        self.was_overtaken = False  # that is: alive when it was found to have no say any more

    @property
    def stands_by(self) -> bool:
        """Whether it is there."""
        return self._process.is_alive()

    def begin(self, task: Task) -> None:
        """Make an attempt; of one that has just died, `cause` tells."""
        with suppress(OSError):
            self._pipe.send(task)

    def watch(self, memory_bytes: int, may_go_on: Callable[[], bool]) -> str | None:
        """Wait for the end, and bring it about where the child may not go on or takes too much memory.

        Returns why there shall be no other attempt, if so.
        """
        while not self._has_ended(within_s=LOOK_S):
            if memory_limit.resident_bytes(self._process.pid or 0) > memory_bytes:
                self._end()
                return memory_limit.exceeded(memory_bytes)
            if not may_go_on():
                self.was_overtaken = True
                self._end()
        return None

    def cause(self) -> str | None:
        """Return what broke the attempt that has ended; None if nothing did, or the lack of the database."""
        if self._process.exitcode in (0, NO_DATABASE):
            return None
        try:
            return str(self._pipe.recv())
        except (EOFError, ConnectionError):
            return f"its process ended with {_named(self._process.exitcode or 0)}."

    @property
    def lacked_the_database(self) -> bool:
        """Whether it ended because the database did not answer."""
        return self._process.exitcode == NO_DATABASE

    def ask_to_pause(self) -> None:
        """Let the training stop at its next checkpoint."""
        self._process.terminate()

    def kill(self) -> None:
        """End the child at once."""
        self._process.kill()

    def _has_ended(self, within_s: float) -> bool:
        self._process.join(within_s)
        return not self._process.is_alive()

    def _end(self) -> None:
        self.kill()
        self._process.join()


def _named(exitcode: int) -> str:
    return f"signal {signal.Signals(-exitcode).name}" if exitcode < 0 else f"exit code {exitcode}"


def _main(database_url: str, worker: Connection) -> None:
    pausing = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: pausing.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the worker decides
    exit_with_parent()
    os.nice(NICENESS)
    set_up_logging("warning")
    from app.services.training import run  # noqa: PLC0415  # there already; the worker does without torch

    database = Database(database_url)
    run.warm_up(database)
    try:
        task: Task = worker.recv()
    except EOFError:
        return  # the worker has gone, and nothing was begun
    try:
        run.perform(
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
        worker.send(f"{type(error).__name__}: {error}"[:REASON_LIMIT])
        raise SystemExit(1) from error
    finally:
        database.dispose()
