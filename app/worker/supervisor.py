"""Keep worker processes alive, beside the API or alone."""

import logging
import threading
from multiprocessing import get_context

from app.settings import Settings
from app.worker.process import PAUSE_LIMIT_S, run_worker, set_up_process

RESTART_PAUSE_S = 1.0
EXIT_S = 1.0  # for a worker that has paused its training, to be gone
CONTEXT = get_context("spawn")
logger = logging.getLogger(__name__)


class Supervisor:
    """Starts as many workers as the settings say, and another one whenever one dies, until told to stop.

    Told so, a worker has `pause_limit_s` for its training to reach a checkpoint.
    """

    def __init__(self, settings: Settings, pause_limit_s: float = PAUSE_LIMIT_S) -> None:
        self._settings, self._pause_limit_s = settings, pause_limit_s
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep_alive, name=f"supervisor {number}")
            for number in range(settings.worker_concurrency)
        ]

    def start(self) -> None:
        """Start the workers."""
        for thread in self._threads:
            thread.start()

    def ask_to_stop(self) -> None:
        """Begin to stop the workers; they are ended if they do not within the grace time."""
        self._stopping.set()

    def stop(self) -> None:
        """Stop the workers and wait until they have."""
        self.ask_to_stop()
        for thread in self._threads:
            thread.join()

    def _keep_alive(self) -> None:
        while not self._stopping.is_set():
            process = CONTEXT.Process(target=run_worker, args=(self._settings, self._pause_limit_s))
            process.start()
            while process.is_alive() and not self._stopping.is_set():
                process.join(timeout=0.2)
            if self._stopping.is_set():
                process.terminate()
                process.join(self._pause_limit_s + EXIT_S)
                process.kill()
                return
            logger.error("The worker ended with code %s; another one starts.", process.exitcode)
            self._stopping.wait(RESTART_PAUSE_S)


def run_workers(settings: Settings) -> None:
    """Run the workers of one device until SIGTERM or SIGINT."""
    if settings.worker_concurrency == 1:
        run_worker(settings)
    stopping = set_up_process(settings)
    supervisor = Supervisor(settings)
    supervisor.start()
    stopping.wait()
    supervisor.stop()
