"""Store forecasts in a process of its own beside the worker, which itself needs no torch."""

import logging
import os
import signal
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess

from app.db.engine import Database, DatasetRef
from app.errors import Unavailable
from app.observability.logs import set_up_logging
from app.services.forecasting import storing
from app.worker.child import CONTEXT, NICENESS
from app.worker.parent_watch import exit_with_parent

PAUSE_S = 5.0  # between two runs, so that many appends in a row share one
PAUSE_AFTER_FAILURE_S = 30.0
DONE, WAIT = os.EX_OK, os.EX_TEMPFAIL
logger = logging.getLogger(__name__)


class ForecastStoring:
    """Stores what champions forecast for changed series: one process at a time, when something is due."""

    def __init__(self, database: Database, holder_id: str) -> None:
        self._database, self._holder_id = database, holder_id
        self._process: BaseProcess | None = None
        self._found = storing.Due(0, [])
        self._stored_until: int | None = None  # a number of the change sequence
        self._due_at = 0.0

    def run(self) -> None:
        """Start a process if something is due and none runs; look after one that has ended."""
        if self._process is not None and self._process.is_alive():
            return
        if self._process is not None:
            self._settle(self._process.exitcode)
        if time.monotonic() < self._due_at:
            return
        self._found = storing.due(self._database, self._stored_until)
        if not self._found.datasets:
            self._stored_until = self._found.number
            return
        arguments = (self._database.url, self._found.datasets, self._holder_id)
        self._process = CONTEXT.Process(target=_main, args=arguments)
        self._process.start()

    def stop(self) -> None:
        """End the process, if one runs; another worker goes on."""
        if self._process is not None:
            self._process.kill()

    def _settle(self, exitcode: int | None) -> None:
        self._process = None
        if exitcode == DONE:
            self._stored_until = self._found.number
        elif exitcode != WAIT:
            logger.warning("The process that stores forecasts ended with code %s; another follows.", exitcode)
        self._due_at = time.monotonic() + (PAUSE_S if exitcode == DONE else PAUSE_AFTER_FAILURE_S)


def _main(database_url: str, datasets: Sequence[DatasetRef], holder_id: str) -> None:
    """Store what is due of datasets; end with a status that says whether some of it has to wait."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the worker decides
    exit_with_parent()
    os.nice(NICENESS)
    set_up_logging("warning")
    try:
        is_done = storing.store_all(Database(database_url), datasets, holder_id)
    except Unavailable as error:
        logger.warning("%s", error)
        is_done = False
    raise SystemExit(DONE if is_done else WAIT)
