"""The one module that knows DBOS, the engine behind the jobs: enqueue, run, recover.

A job's row and its entry in the queue are written in one transaction. The entry carries no more than
the names of a workspace and a job; all else is read from our own tables.

The engine knows pickle as well as JSON, and which of them a row is in stands in the row: whoever can write to
the database could have every worker run code. So its way of reading pickle is replaced by a refusal.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from dbos import DBOS, DBOSClient, WorkflowSerializationFormat
from dbos._serialization import DBOSPortableJSON, DefaultSerializer

from app.db.engine import Database, Session

APPLICATION = "gatecast"
# Pinned: DBOS gives a job only to workers of the version that enqueued it, and ours read the same rows.
APPLICATION_VERSION = "1"
QUEUE_NAME = "trainings"
WORKFLOW_NAME = "train"
QUEUES_THREAD = "queue_thread"  # the engine's function, after which Python names the thread
POLLING_INTERVAL_S = 0.1  # the default of a second would be a wait on every job
MIDDLE_PRIORITY = 1000  # the engine takes the lowest number from 1 up first, ours is the highest around 0
FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
FORGOTTEN_AT_ONCE = 500


class PickleRefused(Exception):
    """A row of the engine's says that it is pickled; none of ours is."""


def _refuse(_serializer: DefaultSerializer, _text: str) -> NoReturn:
    raise PickleRefused("A row of the queue is pickled, which none of ours is: it is not read.")


# In the class: what a row says decides, and not which serializer the engine was given.
DefaultSerializer.deserialize = _refuse  # type: ignore[method-assign, assignment]


@dataclass(frozen=True)
class JobRef:
    """Which job, in whose workspace."""

    workspace_id: str
    job_id: str


Perform = Callable[[JobRef], None]


def migrate(database: Database) -> None:
    """Create or bring up to date the tables of the engine."""
    _quieten()
    DBOS.migrate(database.url)


class Queue:
    """The end of the queue where jobs go in."""

    def __init__(self, database: Database) -> None:
        self._client = _client(database)

    def enqueue(self, session: Session, job: JobRef, priority: int = 0) -> None:
        """Add a job in the caller's transaction: it is queued if and when that commits.

        Of those that wait, the highest priority goes first, and of equals the oldest. A job that is in the
        queue's books already stays as it is there.
        """
        self._client.enqueue_in_transaction(
            session,
            {
                "queue_name": QUEUE_NAME,
                "workflow_name": WORKFLOW_NAME,
                "workflow_id": job.job_id,
                "priority": MIDDLE_PRIORITY - priority,
                "app_version": APPLICATION_VERSION,
                "serialization_type": WorkflowSerializationFormat.PORTABLE,
            },
            job.workspace_id,
            job.job_id,
        )

    def close(self) -> None:
        """Let go of the engine's connections."""
        self._client.destroy()


class Runner:
    """The end of the queue where jobs come out: one at a time, each through `perform`.

    `most_at_once` limits how many are worked on over all workers.
    """

    def __init__(
        self, database: Database, worker_id: str, perform: Perform, most_at_once: int | None = None
    ) -> None:
        self._database, self._most_at_once = database, most_at_once
        DBOS(
            config={
                "name": APPLICATION,
                "application_version": APPLICATION_VERSION,
                "executor_id": worker_id,
                "system_database_url": database.url,
                "system_database_engine": database.writer,
                "run_migrations": False,
                "serializer": DBOSPortableJSON,
                "use_listen_notify": not database.is_sqlite,
                "log_level": "WARNING",
            },
        )

        # Our own rows count the attempts; the engine shall not give a job up before they do.
        @DBOS.workflow(name=WORKFLOW_NAME, max_recovery_attempts=None)
        def train(workspace_id: str, job_id: str) -> None:
            perform(JobRef(workspace_id, job_id))

    def start(self) -> None:
        """Begin to take jobs."""
        # Known before the engine starts, which looks for new queues once a second.
        client = _client(self._database)
        client.register_queue(
            QUEUE_NAME,
            worker_concurrency=1,
            global_concurrency=self._most_at_once,
            polling_interval_sec=POLLING_INTERVAL_S,
        )
        client.destroy()
        DBOS.launch()

    @property
    def takes_jobs(self) -> bool:
        """Whether the engine's thread that sees to its queues is alive."""
        return any(f"({QUEUES_THREAD})" in thread.name for thread in threading.enumerate())

    def holders(self) -> set[str]:
        """Return the workers that have unfinished jobs by the queue's books."""
        held = DBOS.list_workflows(
            status="PENDING", queue_name=QUEUE_NAME, load_input=False, load_output=False
        )
        return {workflow.executor_id for workflow in held if workflow.executor_id is not None}

    def broken(self) -> set[str]:
        """Return the ids of the jobs that the queue has given up; one that was worked on ends otherwise."""
        given_up = DBOS.list_workflows(
            status="ERROR", queue_name=QUEUE_NAME, load_input=False, load_output=False
        )
        return {workflow.workflow_id for workflow in given_up}

    def recover(self, worker_ids: Iterable[str]) -> None:
        """Put the unfinished jobs of some workers back into the queue; doing it twice does no harm."""
        DBOS._recover_pending_workflows(list(worker_ids))  # noqa: SLF001  # no public call does this in one step

    def forget_finished(self, age: timedelta) -> None:
        """Remove from the queue's books what has been finished for so long; our own rows stay."""
        before = (datetime.now(UTC) - age).isoformat()
        done = DBOS.list_workflows(
            status=FINISHED,
            queue_name=QUEUE_NAME,
            completed_before=before,
            limit=FORGOTTEN_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        DBOS.delete_workflows([workflow.workflow_id for workflow in done])

    def stop(self) -> None:
        """Take no more jobs; one still running stays with this worker until it is recovered."""
        DBOS.destroy(destroy_registry=True)


def _client(database: Database) -> DBOSClient:
    return DBOSClient(
        system_database_engine=database.writer,
        application_name=APPLICATION,
        serializer=DBOSPortableJSON,
        lazy=True,
    )


def _quieten() -> None:
    """Keep the engine's greetings out of our log."""
    logging.getLogger("dbos").setLevel(logging.WARNING)
