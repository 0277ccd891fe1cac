"""Time limits for Postgres: on a lock, a statement, a server that hangs, and one that cannot be reached.

The server enforces the limits on statements, locks and transactions. The driver detects what the server
cannot report: a dead connection, and one that no longer responds.
"""

import os
from typing import Any, NamedTuple

from psycopg import Connection, OperationalError
from psycopg.pq import TransactionStatus
from sqlalchemy import URL

WAIT_S = 5  # for a free connection, or for the server to accept one
PING_S = 3.0  # for the response of a connection that is checked before its next use
GRACE_S = 5.0  # for the server to end a statement that took too long
UNREACHABLE_MS = 10_000  # for sent data to be acknowledged
KEEPALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
# Lets the server notice a process that was cut off; by default it keeps such a connection for two hours.
SERVER_KEEPALIVE = {f"tcp_{name}": value for name, value in KEEPALIVE.items()}


class Limits(NamedTuple):
    """The most seconds for a statement, for a lock, and for an idle transaction; None sets no limit."""

    statement_s: float | None
    lock_s: float | None
    idle_s: float | None

    @property
    def patience_s(self) -> float | None:
        """Return the most seconds to wait for a response."""
        return None if self.statement_s is None else self.statement_s + GRACE_S


# A reading transaction holds no lock that others wait for, except during migrations.
READING = Limits(60, 10, 300)
WATCHING = Limits(5, 5, 10)
# A process that hangs in a transaction holds its locks for ten seconds; then waiting processes get them.
WRITING = Limits(60, 12, 10)
MIGRATING = Limits(None, None, None)


class PatientConnection(Connection[Any]):
    """A connection that closes itself if the server does not respond in time."""

    patience_s: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for a response, but no longer than the limit."""
        limit = timeout if timeout is not None or self.patience_s is None else self._limit_s
        try:
            return super().wait(gen, interval, limit)
        except OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()  # a late response must not be read as that to the next query
            raise

    def notifies(self, *, timeout: float | None = None, stop_after: int | None = None) -> Any:
        """Listen for notifications, from then on without a limit."""
        self.patience_s = None
        return super().notifies(timeout=timeout, stop_after=stop_after)

    @property
    def _limit_s(self) -> float | None:
        return (
            PING_S if self.autocommit else self.patience_s
        )  # SQLAlchemy checks a connection in autocommit mode


def connect(limits: Limits, arguments: list[Any], options: dict[str, Any]) -> PatientConnection:
    """Open a connection with these limits."""
    connection = PatientConnection.connect(*arguments, **options)
    connection.patience_s = limits.patience_s
    return connection


def connect_args(url: URL, limits: Limits) -> dict[str, Any]:
    """Return the arguments to connect with; those in the URL take precedence."""
    ours = {
        "connect_timeout": WAIT_S,
        "keepalives": 1,
        **KEEPALIVE,
        "tcp_user_timeout": UNREACHABLE_MS,
    }
    given = url.normalized_query
    own = given.get("options") or (os.environ.get("PGOPTIONS", ""),)
    return {
        **{name: value for name, value in ours.items() if name not in given},
        "options": " ".join([*_options(limits), *own]).strip(),  # the last of two settings wins
    }


def _options(limits: Limits) -> list[str]:
    """Return the server settings of a session's limits."""
    timeouts = {
        "statement_timeout": limits.statement_s,
        "lock_timeout": limits.lock_s,
        "idle_in_transaction_session_timeout": limits.idle_s,
    }
    settings = {name: int(1000 * (seconds or 0)) for name, seconds in timeouts.items()} | SERVER_KEEPALIVE
    return [f"-c {name}={value}" for name, value in settings.items()]
