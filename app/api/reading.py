"""How routes look things up: with a thread and a connection for no longer than the look takes."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread

from app.db.engine import Database, Session

READERS = 3  # looks at a time, well below the connections there are: forecasts and bodies find some as well
Params = ParamSpec("Params")
Found = TypeVar("Found")


class Reader:
    """Does what looks into the database: a session is opened, asked and closed in one turn of a thread.

    Who holds a connection so waits for nothing else, and who waits for a turn holds neither thread nor
    connection. To be used in one event loop.
    """

    def __init__(self, database: Database) -> None:
        self._database, self._turns = database, CapacityLimiter(READERS)

    async def __call__(
        self,
        look: Callable[Concatenate[Session, Params], Found],
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Found:
        """Return what is found."""

        def in_one_turn() -> Found:
            with self._database.read() as session:
                return look(session, *args, **kwargs)

        return await to_thread.run_sync(in_one_turn, limiter=self._turns)
