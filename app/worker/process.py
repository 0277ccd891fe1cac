"""The worker process: takes trainings from the queue, one at a time, and watches over its fellows."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from app.db.engine import Database
from app.errors import Unavailable
from app.observability.logs import set_up_logging
from app.queue import JobRef, Runner
from app.services import jobs, storage, workers
from app.services.forecasting import check_device
from app.settings import Settings
from app.worker.child import Child, warm_up
from app.worker.orphans import exit_with_parent

HEARTBEAT_S = 1.0
logger = logging.getLogger(__name__)


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, or until the process that started this one is gone."""
    set_up_logging(settings.log_level)
    exit_with_parent()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _setter(stopping))
    check_device(settings.device)
    Worker(settings, stopping).run()
    # What is left are threads of the engine that wait for a child which has just been killed.
    logging.shutdown()
    os._exit(0)


@dataclass(frozen=True)
class _AtHand:
    """The attempt that is being made."""

    ref: JobRef
    attempt: int
    child: Child


class Worker:
    """One worker: heartbeat and watch in the main thread, the training in one of the engine's."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        self._settings = settings
        self._stopping = stopping
        self._database = Database(settings.database_url)
        self._at_hand: _AtHand | None = None

    def run(self) -> None:
        """Take jobs until asked to stop, then give back the one at hand."""
        storage.check_ready(self._database)
        warm_up()
        worker_id = workers.register(self._database, os.getpid())
        watch = workers.DeathWatch(worker_id, self._settings.worker_deadline_s)
        runner = Runner(self._database, worker_id, self._perform)
        runner.start()
        logger.info("Worker %s takes trainings.", worker_id)
        while not self._stopping.is_set():
            self._look_after(worker_id, watch, runner)
            self._stopping.wait(HEARTBEAT_S)
        self._leave(worker_id)
        logger.info("Worker %s has stopped.", worker_id)

    def _look_after(self, worker_id: str, watch: workers.DeathWatch, runner: Runner) -> None:
        """Beat, and take over from the dead; a database that is away now may be back at the next beat."""
        try:
            if not workers.beat(self._database, worker_id):
                logger.error("Others took this worker for dead; it stops, to be started afresh.")
                self._stopping.set()
                return
            if dead := watch.dead(self._database):
                logger.warning("Taking over from dead workers: %s.", ", ".join(dead))
                runner.recover(dead)
                workers.forget(self._database, dead)
        except Exception:
            logger.exception("The heartbeat failed and is tried again in %s s.", HEARTBEAT_S)

    def _perform(self, ref: JobRef) -> None:
        """Attempt a job until it has ended, or this worker stops.

        Nothing may be raised from here: the queue would take the job for ended.
        """
        last: int | None = None
        while not self._stopping.is_set():
            try:
                last = self._attempt(ref, last)
            except Exception:
                logger.exception("Job %s waits %s s for another look.", ref.job_id, HEARTBEAT_S)
                self._stopping.wait(HEARTBEAT_S)
            else:
                if last is None:
                    return
        # Never returning leaves the job unfinished in the queue's books: whoever finds this worker gone
        # takes it over.
        threading.Event().wait()

    def _attempt(self, ref: JobRef, last: int | None) -> int | None:
        """Make one attempt; return its number if it died and another is due, None if the job has ended."""
        with self._database.write() as session:
            attempt = jobs.begin(session, ref, self._settings.max_attempts, last)
        if attempt is None:
            return None
        logger.info("Job %s, attempt %d, begins.", ref.job_id, attempt)
        child = Child(self._settings, ref, attempt)
        self._at_hand = _AtHand(ref, attempt, child)
        cause = child.wait()
        logger.info("Job %s, attempt %d, has ended%s", ref.job_id, attempt, f": {cause}" if cause else ".")
        if cause is not None:
            self._record_death(ref, attempt, cause)
        self._at_hand = None
        return attempt if cause is not None else None

    def _record_death(self, ref: JobRef, attempt: int, cause: str) -> None:
        """Keep the cause as soon as the database lets it; a worker that stops gives the job back instead."""
        while not self._stopping.is_set():
            try:
                with self._database.write() as session:
                    jobs.record_death(session, ref, attempt, cause)
            except Unavailable:
                logger.warning("The database is away; this worker waits for it.")
                self._stopping.wait(HEARTBEAT_S)
            else:
                return

    def _leave(self, worker_id: str) -> None:
        """Give back the job at hand and say goodbye; with the database away, others will find out."""
        work = self._at_hand
        if work is not None:
            work.child.kill()
        try:
            with self._database.write() as session:
                if work is not None:
                    jobs.give_back(session, work.ref, work.attempt)
            workers.leave(self._database, worker_id)
        except Unavailable:
            logger.warning("The database is away; this worker's job is taken over when it is missed.")


def _setter(event: threading.Event) -> Callable[[int, FrameType | None], None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        event.set()

    return handle
