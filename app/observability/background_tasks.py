"""Run background tasks that outlive their errors: each error is logged, and the task is tried again.

Nobody waits for such a task, so an error that ended it would go unnoticed, and all that need it would stop.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.errors import AppError

LOG_AGAIN_S = 60.0  # an error that repeats several times a second is logged once in this time
logger = logging.getLogger(__name__)


class RetriedTask:
    """A task that is tried again after an error; logs each kind of error once a minute.

    `consequence` is a sentence for the log: what the error means to those who use the service.
    """

    def __init__(self, name: str, consequence: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._consequence, self._clock = name, consequence, clock
        self._logged_at: dict[type[Exception], float] = {}
        self._is_failing = False

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Run the block; log an error in it, and go on after the block."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # whatever it is, the next attempt may succeed
            self._log(error)
        else:
            if self._is_failing:
                logger.info("%s works again.", self._name)
            self._is_failing = False

    def _log(self, error: Exception) -> None:
        now, logged_at = self._clock(), self._logged_at.get(type(error))
        if logged_at is not None and now - logged_at < LOG_AGAIN_S:
            return
        self._logged_at[type(error)], self._is_failing = now, True
        if isinstance(error, AppError):  # its text explains it without a traceback
            logger.warning("%s failed and is tried again: %s %s", self._name, error, self._consequence)
        else:
            logger.error("%s failed and is tried again. %s", self._name, self._consequence, exc_info=error)


class RepeatedTask:
    """A thread that runs a task at intervals, through errors, until it is stopped."""

    def __init__(self, name: str, run: Callable[[], None], pause_s: float, consequence: str) -> None:
        self._run, self._pause_s = run, pause_s
        self._task = RetriedTask(name, consequence)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Stop the thread; wait up to `within_s` seconds for a run that has begun."""
        self._stopping.set()
        self._thread.join(within_s)

    def _repeat(self) -> None:
        while not self._stopping.is_set():
            with self._task.attempt():
                self._run()
            self._stopping.wait(self._pause_s)
