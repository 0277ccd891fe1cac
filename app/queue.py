"""The one module that knows DBOS, the engine behind the jobs: enqueue, run, recover.

A job's row and its entry in the queue are written in one transaction. The entry carries no more than
the names of a workspace and a job; all else is read from our own tables.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from dbos import DBOS, DBOSClient, WorkflowSerializationFormat

from app.db.engine import Database, Session

APPLICATION = "gatecast"
# Pinned: DBOS gives a job only to workers of the version that enqueued it, and ours read the same rows.
APPLICATION_VERSION = "1"
QUEUE_NAME = "trainings"
WORKFLOW_NAME = "train"
POLLING_INTERVAL_S = 0.1  # the default of a second would be a wait on every job


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
        self._client = DBOSClient(
            system_database_engine=database.writer, application_name=APPLICATION, lazy=True
        )

    def enqueue(self, session: Session, job: JobRef) -> None:
        """Add a job in the caller's transaction: it is queued if and when that commits."""
        self._client.enqueue_in_transaction(
            session,
            {
                "queue_name": QUEUE_NAME,
                "workflow_name": WORKFLOW_NAME,
                "workflow_id": job.job_id,
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
    """The end of the queue where jobs come out: one at a time, each through `perform`."""

    def __init__(self, database: Database, worker_id: str, perform: Perform) -> None:
        DBOS(
            config={
                "name": APPLICATION,
                "application_version": APPLICATION_VERSION,
                "executor_id": worker_id,
                "system_database_url": database.url,
                "system_database_engine": database.writer,
                "run_migrations": False,
                "use_listen_notify": not database.is_sqlite,
                "log_level": "WARNING",
            },
        )

        @DBOS.workflow(name=WORKFLOW_NAME)
        def train(workspace_id: str, job_id: str) -> None:
            perform(JobRef(workspace_id, job_id))

    def start(self) -> None:
        """Begin to take jobs."""
        DBOS.launch()
        DBOS.register_queue(QUEUE_NAME, worker_concurrency=1, polling_interval_sec=POLLING_INTERVAL_S)

    def recover(self, worker_ids: list[str]) -> None:
        """Put the unfinished jobs of dead workers back into the queue; doing it twice does no harm."""
        DBOS._recover_pending_workflows(worker_ids)  # noqa: SLF001  # no public call does this in one step

    def stop(self) -> None:
        """Take no more jobs; one still running stays with this worker until it is recovered."""
        DBOS.destroy(destroy_registry=True)


def _quieten() -> None:
    """Keep the engine's greetings out of our log."""
    logging.getLogger("dbos").setLevel(logging.WARNING)
