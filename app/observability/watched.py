"""Work in the background, watched: an error in it is logged, and it goes on.

Nobody waits for such work, so an error that ended it would go unseen, and all that lives by it stand still.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.errors import AppError

TOLD_AGAIN_S = 60.0  # of an error that comes a few times a second, a line a minute is enough
logger = logging.getLogger(__name__)


class Watch:
    """Lets something fail that is tried again later; each kind of error is logged once a minute.

    `meanwhile` says what an error means to those who use the service.
    """

    def __init__(self, name: str, meanwhile: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._meanwhile, self._clock = name, meanwhile, clock
        self._told: dict[type[Exception], float] = {}
        self._is_down = False

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Log whatever error comes up, and go on after the block."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # whatever it is, the next attempt may do
            self._tell(error)
        else:
            if self._is_down:
                logger.info("%s goes on again.", self._name)
            self._is_down = False

    def _tell(self, error: Exception) -> None:
        now, told = self._clock(), self._told.get(type(error))
        if told is not None and now - told < TOLD_AGAIN_S:
            return
        self._told[type(error)], self._is_down = now, True
        if isinstance(error, AppError):  # a sentence that says all
            logger.warning("%s failed and is tried again: %s %s", self._name, error, self._meanwhile)
        else:
            logger.error("%s failed and is tried again. %s", self._name, self._meanwhile, exc_info=error)


class Repeating:
    """A thread that does something again and again, watched, until it is stopped."""

    def __init__(self, name: str, do: Callable[[], None], pause_s: float, meanwhile: str) -> None:
        self._do, self._pause_s = do, pause_s
        self._watch = Watch(name, meanwhile)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Do it no more; what is under way is waited for, a little."""
        self._stopping.set()
        self._thread.join(within_s)

    def _repeat(self) -> None:
        while not self._stopping.is_set():
            with self._watch.attempt():
                self._do()
            self._stopping.wait(self._pause_s)
