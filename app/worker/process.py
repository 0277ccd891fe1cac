"""The worker process: takes trainings from the queue, one at a time, and watches over its fellows."""

import logging
import os
import signal
import threading
import time
from datetime import timedelta
from typing import NoReturn

from app.db.engine import Database
from app.db.tables import now
from app.errors import Unavailable
from app.observability.background_tasks import RetriedTask
from app.observability.logs import set_up_logging
from app.queue import JobRef, Queue, Runner
from app.services.datasets import compaction, drafts
from app.services.jobs import states, workers
from app.services.shared import database_admin, devices
from app.services.shared.processes import HEARTBEAT_S, Heartbeat
from app.services.training import schedules
from app.services.training.submit import Trainings
from app.settings import Settings
from app.worker.child import warm_up
from app.worker.orphans import exit_with_parent
from app.worker.performer import Performer

PAUSE_LIMIT_S = 10.0  # for a training to reach its next checkpoint when the worker is told to stop
IDLE_LOOKS = 3
CLEANING_S, TIDYING_S = 3600.0, 60.0
FORGOTTEN = os.EX_TEMPFAIL  # the exit status of a worker that others took for dead
AT_FAULT = os.EX_OSERR  # and of one that cannot start a process to train in
logger = logging.getLogger(__name__)


def run_worker(settings: Settings, pause_limit_s: float = PAUSE_LIMIT_S) -> NoReturn:
    """Work until SIGTERM or SIGINT, or until the process that started this one is gone."""
    stopping = set_up_process(settings)
    device = devices.resolve(settings.device)
    database = Database(settings.database_url)
    database_admin.migrate(database)
    warm_up()
    status = Worker(settings, database, device, stopping).run(pause_limit_s)
    # What is left are threads of the engine that wait for a job which others take over.
    logging.shutdown()
    os._exit(status)


def set_up_process(settings: Settings) -> threading.Event:
    """Let this process log, and end with the one that started it; return what SIGTERM and SIGINT set."""
    set_up_logging(settings.log_level)
    exit_with_parent()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


class Worker:
    """One worker: a thread for its heart, the main one to look after all, the training in the engine's."""

    def __init__(
        self, settings: Settings, database: Database, device: str, stopping: threading.Event
    ) -> None:
        self._settings, self._database, self._stopping = settings, database, stopping
        self._heartbeat = Heartbeat(database, "worker", device, settings.worker_deadline_s)
        self._heartbeat.look()
        self._heartbeat.open()
        self._id = self._heartbeat.id
        self._queue = Queue(database)
        self._trainings = Trainings(self._queue)
        self._performer = Performer(settings, database, device, stopping, lambda: self._end_with(AT_FAULT))
        self._runner = Runner(database, self._id, self._perform, settings.max_trainings)
        self._broken: set[str] = set()
        self._status = 0
        self._idle_looks = 0
        self._cleaning_due = self._tidying_due = 0.0
        self._leaving = RetriedTask("Leaving after others took this worker for dead", "It does nothing else.")
        self._duties = [
            (RetriedTask("Looking after the engine", "It may take no jobs."), self._end_without_engine),
            (RetriedTask("Taking over from the dead", "What they worked on waits."), self._take_over),
            (RetriedTask("Setting broken jobs aside", "They seem to wait."), self._set_broken_aside),
            (RetriedTask("Firing schedules", "Those that are due wait."), self._fire_schedules),
            (RetriedTask("Cleaning up", "What is finished stays in the queue's books."), self._clean_up),
            (RetriedTask("Tidying datasets", "They take more room than they need."), self._tidy),
        ]

    def run(self, pause_limit_s: float) -> int:
        """Take jobs until asked to stop, then give back the one at hand; return the exit status."""
        self._runner.start()
        logger.info("Worker %s takes trainings.", self._id)
        while not self._stopping.is_set():
            self._look_after()
            self._stopping.wait(HEARTBEAT_S)
        self._leave(pause_limit_s)
        logger.info("Worker %s has stopped.", self._id)
        return self._status

    def _perform(self, ref: JobRef) -> None:
        self._performer.perform(ref, self._id)

    def _look_after(self) -> None:
        """See to what comes again and again; a database that is away now may be back soon."""
        if self._heartbeat.forgotten.is_set():
            with self._leaving.attempt():
                self._end_forgotten()
            return
        for watch, duty in self._duties:
            with watch.attempt():
                duty()

    def _end_without_engine(self) -> None:
        """Stop, to be started afresh, where the thread that asks the queue for jobs is gone."""
        if not self._runner.takes_jobs:
            logger.error("The engine takes no jobs any more; this worker ends, to be started afresh.")
            self._end_with(1)

    def _end_forgotten(self) -> None:
        """Stop, to be started afresh under another name; what was at hand lives, and is charged no death."""
        if (work := self._performer.at_hand) is not None and not work.ended.is_set():
            with self._database.write() as session:
                states.acquit(session, work.ref, work.attempt)
        logger.error("Others took this worker for dead.")
        self._end_with(FORGOTTEN)

    def _end_with(self, status: int) -> None:
        logger.error("Worker %s ends with status %d, to be started afresh.", self._id, status)
        self._status = status
        self._stopping.set()

    def _take_over(self) -> None:
        """Put back into the queue what dead workers have left."""
        if dead := self._heartbeat.dead:
            buried = workers.bury(self._database, self._queue, dead)
            # Those that said goodbye have left nothing.
            if died := [each.id for each in dead if each.id in buried and not each.stopped]:
                logger.warning("Took over from the dead: %s.", ", ".join(died))
        # Asked in this order: whoever holds a job has been known before.
        holders = self._runner.holders()
        strays = workers.unknown(self._database, holders)
        if self._holds_unawares(holders):
            strays.add(self._id)
        if strays:
            self._runner.recover(strays)

    def _holds_unawares(self, holders: set[str]) -> bool:
        """Tell whether a job was given to this worker and got lost on the way, with its connection.

        For a moment it looks so at the beginning and at the end of every job.
        """
        idle = self._id in holders and not self._performer.is_busy
        self._idle_looks = self._idle_looks + 1 if idle else 0
        return self._idle_looks >= IDLE_LOOKS

    def _fire_schedules(self) -> None:
        schedules.fire_due(self._database, self._trainings, now())

    def _set_broken_aside(self) -> None:
        """Fail the jobs that the queue has given up, whose entries there cannot be read."""
        if fresh := self._runner.broken() - self._broken:
            with self._database.write() as session:
                states.set_aside(
                    session, fresh, "Its entry in the queue cannot be read. Ask for it once more."
                )
            logger.error("The queue has given up jobs: %s.", ", ".join(sorted(fresh)))
            self._broken |= fresh

    def _clean_up(self) -> None:
        if time.monotonic() >= self._cleaning_due:
            self._runner.forget_finished(timedelta(days=self._settings.keep_finished_days))
            self._cleaning_due = time.monotonic() + CLEANING_S

    def _tidy(self) -> None:
        """Keep datasets small, a few seconds at a time."""
        if time.monotonic() >= self._tidying_due:
            drafts.sweep(self._database, self._heartbeat)
            is_tidy = compaction.tidy(self._database, self._settings.keep_versions)
            self._tidying_due = time.monotonic() + (TIDYING_S if is_tidy else 0.0)

    def _leave(self, pause_limit_s: float) -> None:
        """Give back the job at hand and say goodbye; with the database away, others will find out."""
        work = self._performer.at_hand
        if work is not None:
            work.child.ask_to_pause()
            if not work.ended.wait(pause_limit_s):
                work.child.kill()
        try:
            workers.leave(self._database, self._heartbeat)
        except Unavailable:
            logger.warning("The database is away; this worker's job is taken over when it is missed.")
