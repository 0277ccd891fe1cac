"""The worker process: execute the jobs of the queue one at a time, and take over those of dead workers."""

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
from app.queue import Consumer, JobRef, Queue
from app.services.datasets import compaction, drafts
from app.services.jobs import states, workers
from app.services.registry import stored_forecasts
from app.services.shared import database_admin, devices
from app.services.shared.heartbeats import HEARTBEAT_S, Heartbeat
from app.services.training import schedules
from app.services.training.submit import TrainingQueue
from app.settings import Settings
from app.worker.child import warm_up
from app.worker.executor import JobExecutor
from app.worker.parent_watch import exit_with_parent
from app.worker.storing import ForecastStoring

PAUSE_LIMIT_S = 10.0  # for a training to reach its next checkpoint when the worker is told to stop
MAX_IDLE_CHECKS = 3
CLEAN_UP_INTERVAL_S, COMPACT_INTERVAL_S = 3600.0, 60.0
REMOVED = os.EX_TEMPFAIL  # the exit status of a worker that others took for dead and removed
NO_CHILD = os.EX_OSERR  # the exit status of a worker that cannot start a process to train in
logger = logging.getLogger(__name__)


def run_worker(settings: Settings, pause_limit_s: float = PAUSE_LIMIT_S) -> NoReturn:
    """Run a worker until SIGTERM or SIGINT, or until its parent process is gone."""
    stopping = set_up_process(settings)
    device = devices.resolve(settings.device)
    database = Database(settings.database_url)
    database_admin.migrate(database)
    warm_up()
    status = Worker(settings, database, device, stopping).run(pause_limit_s)
    # Only the engine's threads are left; one may block for ever in a job that another worker takes over.
    logging.shutdown()
    os._exit(status)


def set_up_process(settings: Settings) -> threading.Event:
    """Set up logs, the watch over the parent, and signals; return the event that SIGTERM and SIGINT set."""
    set_up_logging(settings.log_level)
    exit_with_parent()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


class Worker:
    """One worker in three threads: its heartbeat, its side tasks, and the engine's, which executes jobs."""

    def __init__(
        self, settings: Settings, database: Database, device: str, stopping: threading.Event
    ) -> None:
        self._settings, self._database, self._stopping = settings, database, stopping
        self._heartbeat = Heartbeat(database, "worker", device, settings.worker_deadline_s)
        self._heartbeat.poll()
        self._heartbeat.open()
        self._id = self._heartbeat.id
        self._queue = Queue(database)
        self._training_queue = TrainingQueue(self._queue)
        self._executor = JobExecutor(settings, database, device, stopping, lambda: self._stop_with(NO_CHILD))
        self._consumer = Consumer(database, self._id, self._execute, settings.max_trainings)
        self._storing = ForecastStoring(database, self._id)
        self._failed_job_ids: set[str] = set()
        self._status = 0
        self._idle_checks = 0
        self._clean_up_due = self._compact_due = 0.0
        self._stop_task = RetriedTask("Stopping after others removed this worker", "It does nothing else.")
        self._side_tasks = [
            (RetriedTask("Checking the engine", "It may take no jobs."), self._stop_without_engine),
            (RetriedTask("Requeuing orphaned jobs", "Jobs of dead workers wait."), self._requeue_orphaned),
            (RetriedTask("Failing unreadable jobs", "They seem to wait."), self._fail_unreadable),
            (RetriedTask("Firing schedules", "Those that are due wait."), self._fire_schedules),
            (RetriedTask("Cleaning up", "Finished jobs stay in the queue's tables."), self._clean_up),
            (RetriedTask("Compacting datasets", "They take more room than they need."), self._compact),
            (RetriedTask("Storing forecasts", "Those of changed series are computed."), self._storing.run),
        ]

    def run(self, pause_limit_s: float) -> int:
        """Take jobs until asked to stop, then requeue the current one; return the exit status."""
        self._consumer.start()
        logger.info("Worker %s takes trainings.", self._id)
        while not self._stopping.is_set():
            self._run_side_tasks()
            self._stopping.wait(HEARTBEAT_S)
        self._leave(pause_limit_s)
        logger.info("Worker %s has stopped.", self._id)
        return self._status

    def _execute(self, ref: JobRef) -> None:
        self._executor.execute(ref, self._id)

    def _run_side_tasks(self) -> None:
        """Run each side task; log an error in one, and still run the others."""
        if self._heartbeat.removed.is_set():
            with self._stop_task.attempt():
                self._stop_removed()
            return
        for retried, side_task in self._side_tasks:
            with retried.attempt():
                side_task()

    def _stop_without_engine(self) -> None:
        """Stop, to be started again, if the engine's thread that polls the queue has died."""
        if not self._consumer.takes_jobs:
            logger.error("The engine takes no jobs any more; this worker ends, to be started afresh.")
            self._stop_with(1)

    def _stop_removed(self) -> None:
        """Stop, to be started again under another id; retract the death of the live attempt."""
        if (work := self._executor.current) is not None and not work.ended.is_set():
            with self._database.write() as session:
                states.retract_death(session, work.ref, work.attempt)
        logger.error("Others took this worker for dead.")
        self._stop_with(REMOVED)

    def _stop_with(self, status: int) -> None:
        logger.error("Worker %s ends with status %d, to be started afresh.", self._id, status)
        self._status = status
        self._stopping.set()

    def _requeue_orphaned(self) -> None:
        """Remove dead workers and put their jobs back into the queue."""
        if dead := self._heartbeat.dead:
            removed = workers.remove_dead(self._database, self._queue, dead)
            # Workers that stopped in order have requeued their jobs themselves.
            if died := [each.id for each in dead if each.id in removed and not each.stopped]:
                logger.warning("Took over from the dead: %s.", ", ".join(died))
        # Read the queue first, then the workers: a worker registers before it takes a job.
        holders = self._consumer.workers_with_jobs()
        orphaned = workers.unregistered(self._database, holders)
        if self._misses_a_job(holders):
            orphaned.add(self._id)
        if orphaned:
            self._consumer.requeue_jobs_of(orphaned)

    def _misses_a_job(self, holders: set[str]) -> bool:
        """Return whether the queue gave this worker a job that never arrived, because a connection broke.

        A single check may be wrong while a job begins or ends, so several in a row decide.
        """
        idle = self._id in holders and not self._executor.is_busy
        self._idle_checks = self._idle_checks + 1 if idle else 0
        return self._idle_checks >= MAX_IDLE_CHECKS

    def _fire_schedules(self) -> None:
        schedules.fire_due(self._database, self._training_queue, now())

    def _fail_unreadable(self) -> None:
        """Fail the jobs that the queue has given up because it cannot read their entries."""
        if fresh := self._consumer.failed_job_ids() - self._failed_job_ids:
            with self._database.write() as session:
                states.fail_all(
                    session, fresh, "Its entry in the queue cannot be read. Ask for it once more."
                )
            logger.error("The queue has given up jobs: %s.", ", ".join(sorted(fresh)))
            self._failed_job_ids |= fresh

    def _clean_up(self) -> None:
        """Delete finished jobs from the queue's tables, once an hour."""
        if time.monotonic() >= self._clean_up_due:
            self._consumer.delete_finished(timedelta(days=self._settings.keep_finished_days))
            self._clean_up_due = time.monotonic() + CLEAN_UP_INTERVAL_S

    def _compact(self) -> None:
        """Delete abandoned drafts and forecasts, and compact datasets, a few seconds at a time."""
        if time.monotonic() >= self._compact_due:
            drafts.sweep(self._database, self._heartbeat)
            stored_forecasts.sweep(self._database)
            is_tidy = compaction.tidy(self._database, self._settings.keep_versions)
            self._compact_due = time.monotonic() + (COMPACT_INTERVAL_S if is_tidy else 0.0)

    def _leave(self, pause_limit_s: float) -> None:
        """Pause the current training and requeue its job; without the database, other workers do so later."""
        self._storing.stop()
        work = self._executor.current
        if work is not None:
            work.child.ask_to_pause()
            if not work.ended.wait(pause_limit_s):
                work.child.kill()
        try:
            workers.leave(self._database, self._heartbeat)
        except Unavailable:
            logger.warning("The database is away; this worker's job is taken over when it is missed.")
