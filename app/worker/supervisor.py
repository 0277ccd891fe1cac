"""Keep worker and API processes alive: start another one when one dies."""

import logging
import threading
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

from app.observability.background_tasks import RetriedTask
from app.settings import Settings
from app.worker.process import PAUSE_LIMIT_S, run_worker, set_up_process

RESTART_PAUSE_S = 1.0
EXIT_S = 1.0  # after the grace time, before a process is killed
CONTEXT = get_context("spawn")
logger = logging.getLogger(__name__)


class Supervisor:
    """Keeps `count` processes alive that run `target`, until it is stopped.

    Each process then has `grace_s` to finish before it is killed.
    """

    def __init__(
        self, name: str, target: Callable[..., None], arguments: tuple[Any, ...], count: int, grace_s: float
    ) -> None:
        self._name, self._target, self._arguments, self._grace_s = name, target, arguments, grace_s
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep_alive, name=f"supervisor of {name} {number}")
            for number in range(count)
        ]

    def start(self) -> None:
        """Start the processes."""
        for thread in self._threads:
            thread.start()

    def ask_to_stop(self) -> None:
        """Begin to stop the processes, without waiting for them."""
        self._stopping.set()

    def stop(self) -> None:
        """Stop the processes and wait until they have."""
        self.ask_to_stop()
        for thread in self._threads:
            thread.join()

    def _keep_alive(self) -> None:
        watch = RetriedTask(f"Starting the {self._name}", "It is missing meanwhile.")
        while not self._stopping.is_set():
            with watch.attempt():
                self._run_one()
            self._stopping.wait(RESTART_PAUSE_S)

    def _run_one(self) -> None:
        process = CONTEXT.Process(target=self._target, args=self._arguments)
        process.start()
        while process.is_alive() and not self._stopping.is_set():
            process.join(timeout=0.2)
        if self._stopping.is_set():
            process.terminate()
            process.join(self._grace_s + EXIT_S)
            process.kill()
        else:
            logger.error("The %s ended with code %s; another one starts.", self._name, process.exitcode)


def workers_of(settings: Settings, pause_limit_s: float = PAUSE_LIMIT_S) -> Supervisor:
    """Return a supervisor of `worker_concurrency` workers."""
    arguments = (settings, pause_limit_s)
    return Supervisor("worker", run_worker, arguments, settings.worker_concurrency, pause_limit_s)


def run_workers(settings: Settings) -> None:
    """Run the workers of one device until SIGTERM or SIGINT."""
    if settings.worker_concurrency == 1:
        run_worker(settings)
    stopping = set_up_process(settings)
    supervisor = workers_of(settings)
    supervisor.start()
    stopping.wait()
    supervisor.stop()
