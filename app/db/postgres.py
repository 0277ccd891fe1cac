"""Postgres, never waited for without end: not for a lock, a server that hangs, or one that cannot be reached.

The server is told how long a statement, a lock and a transaction may take. What it cannot tell us itself, the
driver finds out: that a connection is dead, or that nothing answers on one that seems to live.
"""

import os
from typing import Any, NamedTuple

from psycopg import Connection, OperationalError
from psycopg.pq import TransactionStatus
from sqlalchemy import URL

WAIT_S = 5  # for a connection, or for a server to let one in
PING_S = 3.0  # for the answer that a connection gives before it is used again
GRACE_S = 5.0  # for a server to say itself that a statement took too long
UNREACHABLE_MS = 10_000  # for what was sent to arrive
KEEPALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
# For the server to find out that a process was cut off; else it would keep the connection for two hours.
SERVER_KEEPALIVE = {f"tcp_{name}": value for name, value in KEEPALIVE.items()}


class Limits(NamedTuple):
    """Seconds, at most: for a statement, for a lock, and for a transaction in which nothing is asked.

    None for as long as it takes.
    """

    statement_s: float | None
    lock_s: float | None
    idle_s: float | None

    @property
    def patience_s(self) -> float | None:
        """How long an answer is waited for."""
        return None if self.statement_s is None else self.statement_s + GRACE_S


# A transaction that looks holds no lock that others wait for, except while tables are changed.
LOOKING = Limits(60, 10, 300)
WATCHING = Limits(5, 5, 10)
# A process that is frozen in a transaction holds its locks for ten seconds; those who wait get them then.
CHANGING = Limits(60, 12, 10)
MIGRATING = Limits(None, None, None)


class PatientConnection(Connection[Any]):
    """A connection that ends itself when the server has not answered in time."""

    patience_s: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait as every connection does, but not for ever."""
        limit = timeout if timeout is not None or self.patience_s is None else self._limit_s
        try:
            return super().wait(gen, interval, limit)
        except OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()  # what was asked may still be answered, and nobody must read that
            raise

    def notifies(self, *, timeout: float | None = None, stop_after: int | None = None) -> Any:
        """Listen, from then on for as long as nobody says anything."""
        self.patience_s = None
        return super().notifies(timeout=timeout, stop_after=stop_after)

    @property
    def _limit_s(self) -> float | None:
        return PING_S if self.autocommit else self.patience_s  # so are they asked whether they live


def connect(limits: Limits, arguments: list[Any], options: dict[str, Any]) -> PatientConnection:
    """Open a connection that keeps to the limits."""
    connection = PatientConnection.connect(*arguments, **options)
    connection.patience_s = limits.patience_s
    return connection


def connect_args(url: URL, limits: Limits) -> dict[str, Any]:
    """Return how to connect; what the URL says of it has its way."""
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
        "options": " ".join([*_options(limits), *own]).strip(),  # of two that differ, the last counts
    }


def _options(limits: Limits) -> list[str]:
    """Return what a session says to the server of the times it has."""
    timeouts = {
        "statement_timeout": limits.statement_s,
        "lock_timeout": limits.lock_s,
        "idle_in_transaction_session_timeout": limits.idle_s,
    }
    said = {name: int(1000 * (seconds or 0)) for name, seconds in timeouts.items()} | SERVER_KEEPALIVE
    return [f"-c {name}={value}" for name, value in said.items()]
