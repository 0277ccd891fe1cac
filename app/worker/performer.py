"""One job after the other: made in a child process, again after its death, until the job has ended."""

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
from app.services.shared.processes import HEARTBEAT_S
from app.services.training import memory_limit
from app.settings import Settings
from app.worker.child import Child, Task

MOST_FAULTS = 3  # of this worker's own, in a row
logger = logging.getLogger(__name__)


class NoChild(AppError):
    """This worker cannot start a process to train in: whatever the reason, it is no job's fault."""

    code = "no-child"
    title = "The worker cannot start a process"


@dataclass(frozen=True)
class AtHand:
    """An attempt, the child that makes it, and whether that has ended."""

    ref: JobRef
    attempt: int
    child: Child
    ended: threading.Event


class Performer:
    """Works on the jobs that the queue gives to a worker, one at a time.

    `give_up` is called, and no more jobs are worked on, when this worker itself is at fault for good.
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
        self._spare = ThreadPoolExecutor(1)  # the fork server keeps the first one waiting while it imports
        self._stand_by()
        self.at_hand: AtHand | None = None
        self.is_busy = False

    def perform(self, ref: JobRef, worker_id: str) -> None:
        """Attempt a job until it has ended, or this worker stops.

        Nothing is raised from here, unless the job cannot even be failed: the queue takes it for ended then.
        """
        self.is_busy = True
        last, faults = None, 0
        while not self._stopping.is_set():
            try:
                last = self._begin(ref, worker_id, last)
                if last is None:
                    self._tell_end(ref)
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
                self._heed(ref, error, faults)
        # Never returning leaves the job unfinished in the queue's books: whoever finds this worker gone
        # takes it over.
        threading.Event().wait()

    def _heed(self, ref: JobRef, error: Exception, faults: int) -> None:
        """Try again after a fault of the worker's own, but not for ever."""
        if faults < MOST_FAULTS:
            self._stopping.wait(HEARTBEAT_S)
        elif isinstance(error, NoChild):
            self._give_up()
        else:
            cause = f"Its worker failed at it {faults} times: {type(error).__name__}: {one_line(error)}"
            with self._database.write() as session:
                states.set_aside(session, [ref.job_id], cause)

    def _begin(self, ref: JobRef, worker_id: str, last: int | None) -> int | None:
        with self._database.write() as session:
            return states.begin(session, ref, worker_id, self._settings.max_attempts, last)

    def _attempt(self, ref: JobRef, attempt: int) -> None:
        """Make one attempt in a child, and keep what broke it."""
        logger.info("Job %s, attempt %d, begins.", ref.job_id, attempt)
        try:
            child = self._ready_child()
        except NoChild:
            self._write(lambda session: states.put_back(session, ref, attempt))
            raise
        self.at_hand = AtHand(ref, attempt, child, threading.Event())
        try:
            child.begin(Task(ref, attempt, self._device, self._memory_bytes))
            refusal = child.watch(self._memory_bytes, lambda: self._may_go_on(ref, attempt))
        finally:
            child.kill()  # which is nothing to one that has ended
            self.at_hand.ended.set()
            self._stand_by()
        self._record(ref, attempt, child, refusal)
        self.at_hand = None

    def _record(self, ref: JobRef, attempt: int, child: Child, refusal: str | None) -> None:
        """Write down how an attempt has ended, where it has not done so itself."""
        cause = child.cause()
        if child.was_overtaken:
            with self._database.write() as session:
                states.acquit(session, ref, attempt)
        elif refusal is not None:
            self._write(lambda session: states.fail(session, ref, attempt, refusal))
        elif child.lacked_the_database:
            logger.warning("Job %s, attempt %d, missed the database; another follows.", ref.job_id, attempt)
            self._write(lambda session: states.put_back(session, ref, attempt))
        elif cause is not None:
            logger.warning("Job %s, attempt %d, died: %s", ref.job_id, attempt, one_line(cause))
            self._write(lambda session: states.record_death(session, ref, attempt, cause))

    def _tell_end(self, ref: JobRef) -> None:
        with suppress(Unavailable), self._database.read() as session:
            outcome = states.outcome(session, ref)
            level = logging.ERROR if outcome.is_failure else logging.INFO
            logger.log(level, "Job %s %s", ref.job_id, one_line(outcome.sentence))

    def _ready_child(self) -> Child:
        """Return the one that stands by, or another one where it could not come about or is gone again."""
        try:
            if self._standby.exception() is not None or not self._standby.result().stands_by:
                self._stand_by()
            return self._standby.result()
        except Exception as error:
            raise NoChild(f"No process can be started to train in: {error!r}.") from error

    def _stand_by(self) -> None:
        self._standby: Future[Child] = self._spare.submit(Child, self._settings.database_url)

    def _may_go_on(self, ref: JobRef, attempt: int) -> bool:
        """Ask the job; with the database away, the training goes on."""
        try:
            with self._database.read() as session:
                return states.is_held(session, ref, attempt)
        except Unavailable:
            return True

    def _write(self, write: Callable[[Session], None]) -> None:
        """Write as soon as the database lets; a worker that stops gives the job back instead."""
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
    """Return a text without its line ends."""
    return " ".join(str(text).split())
