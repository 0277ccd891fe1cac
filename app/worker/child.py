"""One training in a process of its own: what it takes or breaks, the worker outlives."""

import logging
import os
import signal
import traceback
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection

from app.db.engine import Database
from app.queue import JobRef
from app.services import training
from app.services.jobs import Superseded
from app.settings import Settings
from app.worker.orphans import exit_with_parent

REASON_LIMIT = 2000  # characters; a pipe holds no more than some thousands before someone reads
NICENESS = 10  # the API on the same machine goes first
CONTEXT = get_context("forkserver")
logger = logging.getLogger(__name__)


def warm_up() -> None:
    """Start the fork server with torch and the baselines imported, so that a child begins in milliseconds.

    It imports and nothing more: a torch operation or a CUDA call would leave threads and handles behind
    that a fork cannot carry over.
    """
    CONTEXT.set_forkserver_preload([__name__, "statsforecast.models"])
    forkserver.ensure_running()


class Child:
    """A child process at one attempt."""

    def __init__(self, settings: Settings, ref: JobRef, attempt: int) -> None:
        self._reasons, sender = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(target=_main, args=(settings, ref, attempt, sender))
        self._process.start()
        sender.close()

    def wait(self) -> str | None:
        """Wait for the end and return what broke the attempt; None if it ended its job, either way."""
        self._process.join()
        if self._process.exitcode == 0:
            return None
        return self._reason()

    def kill(self) -> None:
        """End the child at once."""
        self._process.kill()

    def _reason(self) -> str:
        try:
            return str(self._reasons.recv())
        except EOFError:
            return f"its process ended with {_named(self._process.exitcode or 0)}."


def _named(exitcode: int) -> str:
    return f"signal {signal.Signals(-exitcode).name}" if exitcode < 0 else f"exit code {exitcode}"


def _main(settings: Settings, ref: JobRef, attempt: int, reasons: Connection) -> None:
    exit_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the worker decides
    os.nice(NICENESS)
    database = Database(settings.database_url)
    try:
        training.perform(database, ref, attempt, settings.device)
    except Superseded as error:
        logger.info("%s", error)
    except Exception as error:
        traceback.print_exc()
        reasons.send(f"{type(error).__name__}: {error}"[:REASON_LIMIT])
        raise SystemExit(1) from error
    finally:
        database.dispose()
