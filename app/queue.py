"""The queue of jobs, and the one module that knows its engine, DBOS: enqueue, consume, requeue.

A job's row and its queue entry are written in one transaction. The entry holds only the ids of a workspace
and a job; everything else is read from our own tables.

Each row of the engine names its serializer, JSON or pickle. Anyone who can write to the database could
thereby make workers run code, so this module replaces the engine's pickle reader by a refusal.
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
QUEUE_THREAD = "queue_thread"  # the engine's function, after which Python names the thread
POLLING_INTERVAL_S = 0.1  # every job would wait for the default of a second
MIDDLE_PRIORITY = 1000  # the engine takes the lowest number from 1 first; our priorities lie around 0
FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
DELETED_AT_ONCE = 500


class PickleRefused(Exception):
    """A row of the engine is pickled; none of ours is."""


def _refuse(_serializer: DefaultSerializer, _text: str) -> NoReturn:
    raise PickleRefused("A row of the queue is pickled, which none of ours is: it is not read.")


# Replaced in the class: the engine picks the serializer by the row, not by its configuration.
DefaultSerializer.deserialize = _refuse  # type: ignore[method-assign, assignment]


@dataclass(frozen=True)
class JobRef:
    """The ids of a job and of its workspace."""

    workspace_id: str
    job_id: str


Execute = Callable[[JobRef], None]


def migrate(database: Database) -> None:
    """Create or upgrade the engine's tables."""
    _quieten()
    DBOS.migrate(database.url)


class Queue:
    """Adds jobs to the queue."""

    def __init__(self, database: Database) -> None:
        self._client = _client(database)

    def enqueue(self, session: Session, job: JobRef, priority: int = 0) -> None:
        """Add a job in the caller's transaction: it is queued when that commits.

        The highest priority goes first, and among equals the oldest job. If the job has an entry already,
        that entry stays.
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
        """Close the engine's connections."""
        self._client.destroy()


class Consumer:
    """Takes jobs from the queue, one at a time, and runs `execute` on each.

    `max_at_once` limits how many jobs run at a time over all workers.
    """

    def __init__(
        self, database: Database, worker_id: str, execute: Execute, max_at_once: int | None = None
    ) -> None:
        self._database, self._max_at_once = database, max_at_once
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

        # Our own rows count and limit the attempts, so the engine must not limit them.
        @DBOS.workflow(name=WORKFLOW_NAME, max_recovery_attempts=None)
        def train(workspace_id: str, job_id: str) -> None:
            execute(JobRef(workspace_id, job_id))

    def start(self) -> None:
        """Begin to take jobs."""
        # Registered before the engine starts, which looks for new queues once a second only.
        client = _client(self._database)
        client.register_queue(
            QUEUE_NAME,
            worker_concurrency=1,
            global_concurrency=self._max_at_once,
            polling_interval_sec=POLLING_INTERVAL_S,
        )
        client.destroy()
        DBOS.launch()

    @property
    def takes_jobs(self) -> bool:
        """Whether the engine's thread that polls the queue is alive."""
        return any(f"({QUEUE_THREAD})" in thread.name for thread in threading.enumerate())

    def workers_with_jobs(self) -> set[str]:
        """Return the ids of the workers that have unfinished jobs, by the queue's tables."""
        held = DBOS.list_workflows(
            status="PENDING", queue_name=QUEUE_NAME, load_input=False, load_output=False
        )
        return {workflow.executor_id for workflow in held if workflow.executor_id is not None}

    def failed_job_ids(self) -> set[str]:
        """Return the ids of the jobs whose entries the queue could not read; no other job is in error."""
        given_up = DBOS.list_workflows(
            status="ERROR", queue_name=QUEUE_NAME, load_input=False, load_output=False
        )
        return {workflow.workflow_id for workflow in given_up}

    def requeue_jobs_of(self, worker_ids: Iterable[str]) -> None:
        """Put the unfinished jobs of these workers back into the queue; a second call changes nothing."""
        DBOS._recover_pending_workflows(list(worker_ids))  # noqa: SLF001  # no public call does this in one step

    def delete_finished(self, age: timedelta) -> None:
        """Delete jobs from the queue's tables that finished at least `age` ago; our own rows stay."""
        before = (datetime.now(UTC) - age).isoformat()
        done = DBOS.list_workflows(
            status=FINISHED,
            queue_name=QUEUE_NAME,
            completed_before=before,
            limit=DELETED_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        DBOS.delete_workflows([workflow.workflow_id for workflow in done])

    def stop(self) -> None:
        """Take no more jobs; one that still runs stays with this worker until it is requeued."""
        DBOS.destroy(destroy_registry=True)


def _client(database: Database) -> DBOSClient:
    return DBOSClient(
        system_database_engine=database.writer,
        application_name=APPLICATION,
        serializer=DBOSPortableJSON,
        lazy=True,
    )


def _quieten() -> None:
    """Keep the engine's notices out of our log."""
    logging.getLogger("dbos").setLevel(logging.WARNING)
