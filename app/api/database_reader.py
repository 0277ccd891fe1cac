"""Run a route's database reads in threads; each holds a connection only while it reads."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread

from app.db.engine import Database, Session

CONCURRENT_READS = 3  # well below the number of connections: forecasts and uploads need some as well
Params = ParamSpec("Params")
Found = TypeVar("Found")


class DatabaseReader:
    """Runs reads in a thread: opens a session, reads and closes it without a wait in between.

    While a read waits for its turn, it holds neither thread nor connection; then it waits for nothing else.
    Use it in one event loop.
    """

    def __init__(self, database: Database) -> None:
        self._database, self._limiter = database, CapacityLimiter(CONCURRENT_READS)

    async def __call__(
        self,
        query: Callable[Concatenate[Session, Params], Found],
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Found:
        """Return `query(session, *args, **kwargs)`, run in a thread with a session for reading."""

        def run() -> Found:
            with self._database.read() as session:
                return query(session, *args, **kwargs)

        return await to_thread.run_sync(run, limiter=self._limiter)
