"""Keep one worker process alive beside the API."""

import logging
import threading
from multiprocessing import get_context

from app.settings import Settings
from app.worker.process import run_worker

RESTART_PAUSE_S = 1.0
STOP_GRACE_S = 3.0
CONTEXT = get_context("spawn")
logger = logging.getLogger(__name__)


class Supervisor:
    """Starts a worker, and another one whenever it dies, until told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, name="supervisor")

    def start(self) -> None:
        """Start the worker."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Begin to stop the worker; it is ended if it does not within the grace time."""
        self._stopping.set()

    def stop(self) -> None:
        """Stop the worker and wait until it has."""
        self.ask_to_stop()
        self._thread.join()

    def _keep_alive(self) -> None:
        while not self._stopping.is_set():
            process = CONTEXT.Process(target=run_worker, args=(self._settings,))
            process.start()
            while process.is_alive() and not self._stopping.is_set():
                process.join(timeout=0.2)
            if self._stopping.is_set():
                process.terminate()
                process.join(STOP_GRACE_S)
                process.kill()
                return
            logger.error("The worker ended with code %s; another one starts.", process.exitcode)
            self._stopping.wait(RESTART_PAUSE_S)
