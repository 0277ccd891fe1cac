"""Execute jobs one after another: each attempt in a child process, until the job has ended."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from app.db.engine import Database, Session
from app.errors import AppError, Unavailable
from app.queue import JobRef
from app.services.jobs import states
from app.services.jobs.states import Superseded
from app.services.shared.heartbeats import HEARTBEAT_S
from app.services.training import memory_limit
from app.settings import Settings
from app.worker.child import Child, Task

MAX_FAULTS = 3  # faults of this worker in a row at one job
logger = logging.getLogger(__name__)


class NoChild(AppError):
    """This worker cannot start a process to train in; no job is at fault."""

    code = "no-child"
    title = "The worker cannot start a process"


@dataclass(frozen=True)
class CurrentAttempt:
    """An attempt, the child that makes it, and whether the child has ended."""

    ref: JobRef
    attempt: int
    child: Child
    ended: threading.Event


class JobExecutor:
    """Executes the jobs that a worker takes from the queue, one at a time.

    It calls `give_up`, and executes nothing more, when this worker cannot start any child process.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        device: str,
        stopping: threading.Event,
        give_up: Callable[[], None],
    ) -> None:
        self._settings, self._database, self._device = settings, database, device
        self._stopping, self._give_up = stopping, give_up
        self._memory_bytes = memory_limit.limit_bytes(settings)
        self._starter = ThreadPoolExecutor(1)  # starting the first child waits for the fork server's imports
        self._start_spare_child()
        self.current: CurrentAttempt | None = None
        self.is_busy = False

    def execute(self, ref: JobRef, worker_id: str) -> None:
        """Attempt a job until it has ended; never return once the worker stops.

        Raises only if the job cannot be marked as failed; the queue then counts it as ended.
        """
        self.is_busy = True
        last, faults = None, 0
        while not self._stopping.is_set():
            try:
                last = self._begin(ref, worker_id, last)
                if last is None:
                    self._log_outcome(ref)
                    self.is_busy = False
                    return
                self._attempt(ref, last)
                faults = 0
            except Unavailable:
                logger.warning("The database is away; job %s waits for it.", ref.job_id)
                self._stopping.wait(HEARTBEAT_S)
            except Exception as error:
                faults += 1
                logger.exception("This worker failed at job %s, for the %d. time.", ref.job_id, faults)
                self._handle_fault(ref, error, faults)
        # A return would mark the job as finished in the queue, and no other worker could take it over.
        threading.Event().wait()

    def _handle_fault(self, ref: JobRef, error: Exception, faults: int) -> None:
        """Wait for the next try; after too many, give up or fail the job."""
        if faults < MAX_FAULTS:
            self._stopping.wait(HEARTBEAT_S)
        elif isinstance(error, NoChild):
            self._give_up()
        else:
            cause = f"Its worker failed at it {faults} times: {type(error).__name__}: {one_line(error)}"
            with self._database.write() as session:
                states.fail_all(session, [ref.job_id], cause)

    def _begin(self, ref: JobRef, worker_id: str, last: int | None) -> int | None:
        with self._database.write() as session:
            return states.begin(session, ref, worker_id, self._settings.max_attempts, last)

    def _attempt(self, ref: JobRef, attempt: int) -> None:
        """Make one attempt in a child, and record how it ended."""
        logger.info("Job %s, attempt %d, begins.", ref.job_id, attempt)
        try:
            child = self._ready_child()
        except NoChild:
            self._write_when_available(lambda session: states.requeue(session, ref, attempt))
            raise
        self.current = CurrentAttempt(ref, attempt, child, threading.Event())
        try:
            child.start(Task(ref, attempt, self._device, self._memory_bytes))
            refusal = child.watch(self._memory_bytes, lambda: self._is_current(ref, attempt))
        finally:
            child.kill()  # does nothing to one that has ended
            self.current.ended.set()
            self._start_spare_child()
        self._record(ref, attempt, child, refusal)
        self.current = None

    def _record(self, ref: JobRef, attempt: int, child: Child, refusal: str | None) -> None:
        """Record the end of an attempt that has not recorded it itself."""
        cause = child.cause_of_death()
        if child.was_superseded:
            with self._database.write() as session:
                states.retract_death(session, ref, attempt)
        elif refusal is not None:
            self._write_when_available(lambda session: states.fail(session, ref, attempt, refusal))
        elif child.lacked_the_database:
            logger.warning("Job %s, attempt %d, missed the database; another follows.", ref.job_id, attempt)
            self._write_when_available(lambda session: states.requeue(session, ref, attempt))
        elif cause is not None:
            logger.warning("Job %s, attempt %d, died: %s", ref.job_id, attempt, one_line(cause))
            self._write_when_available(lambda session: states.record_death(session, ref, attempt, cause))

    def _log_outcome(self, ref: JobRef) -> None:
        with suppress(Unavailable), self._database.read() as session:
            outcome = states.outcome(session, ref)
            level = logging.ERROR if outcome.is_failure else logging.INFO
            logger.log(level, "Job %s %s", ref.job_id, one_line(outcome.sentence))

    def _ready_child(self) -> Child:
        """Return the spare child, or a new one if it could not be started or has died.

        Raises NoChild.
        """
        try:
            if self._spare.exception() is not None or not self._spare.result().is_ready:
                self._start_spare_child()
            return self._spare.result()
        except Exception as error:
            raise NoChild(f"No process can be started to train in: {error!r}.") from error

    def _start_spare_child(self) -> None:
        self._spare: Future[Child] = self._starter.submit(Child, self._settings.database_url)

    def _is_current(self, ref: JobRef, attempt: int) -> bool:
        """Return whether the attempt still has its job; assume so while the database is away."""
        try:
            with self._database.read() as session:
                return states.is_current(session, ref, attempt)
        except Unavailable:
            return True

    def _write_when_available(self, write: Callable[[Session], None]) -> None:
        """Write once the database is there; a worker that stops meanwhile leaves the job to others."""
        while not self._stopping.is_set():
            try:
                with self._database.write() as session:
                    write(session)
            except Superseded as error:
                logger.info("%s", error)
                return
            except Unavailable:
                logger.warning("The database is away; this worker waits for it.")
                self._stopping.wait(HEARTBEAT_S)
            else:
                return


def one_line(text: object) -> str:
    """Return a text with spaces in place of its line ends."""
    return " ".join(str(text).split())
