"""What has changed, in this process and in every other one: whatever is kept in memory lives by this."""

import asyncio
import logging
import time

from app.db.engine import Database, DatasetRef, Session
from app.db.queries import changes as queries
from app.observability.background_tasks import RepeatedTask

LOOK_S = 0.25
FRESH_S = 1.0
SILENT_S = 5.0  # a look may be late by a second or two where the machine has much to do
CLOSING_S = 1.0
MOST_REMEMBERED = 10_000  # datasets; past it all count as changed
MEANWHILE = "Nothing is answered from memory meanwhile."
logger = logging.getLogger(__name__)


class ChangeFeed:
    """Tells whether what was read of a dataset at some `moment` still holds.

    Changes of this process are known with their commit, those of others by a look at the database every
    quarter of a second. When the last look is older than a second, nothing counts as holding. Asked in the
    event loop alone; the looks are made by a thread of their own, which no amount of work keeps waiting.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed: dict[DatasetRef, int] = {}
        self._all_changed = 0
        self.moment = 0
        self._looked_at = float("-inf")
        self._asking_since: float | None = None
        self._seen: int | None = None

    def open(self) -> None:
        """Begin to look, on behalf of the event loop that runs."""
        loop = asyncio.get_running_loop()
        self._database.on_change = lambda refs: _soon(loop, self._note, refs)
        self._looks = RepeatedTask("The change feed", lambda: self._look(loop), LOOK_S, MEANWHILE)
        self._looks.start()

    def close(self) -> None:
        """Look no more; a look that is under way is waited for, a little."""
        self._looks.stop(CLOSING_S)

    @property
    def silent_s(self) -> float:
        """Seconds since the last look that went well; infinite before the first."""
        return time.monotonic() - self._looked_at

    @property
    def is_silent(self) -> bool:
        """Whether the database was asked for seconds and has not answered: nor will it answer anyone else.

        Where this process itself had no time to ask, as on a machine with too much to do, it is not.
        """
        since = self._asking_since
        return since is not None and time.monotonic() - since > SILENT_S

    @property
    def is_fresh(self) -> bool:
        """Whether everything that was committed until a second ago is known."""
        return self.silent_s < FRESH_S

    def holds(self, ref: DatasetRef, moment: int) -> bool:
        """Tell whether what was read of a dataset at a moment, or later, is as it was."""
        return self.is_fresh and not self.has_changed(ref, moment)

    def has_changed(self, ref: DatasetRef, moment: int) -> bool:
        """Tell whether a dataset is known to have changed since a moment, however old the last look is."""
        return self._changed.get(ref, self._all_changed) > moment

    def _note(self, refs: set[DatasetRef] | None) -> None:
        """Take note that datasets have changed; None for all of them."""
        self.moment += 1
        if refs is None or len(self._changed) > MOST_REMEMBERED:
            self._changed.clear()
            self._all_changed = self.moment
        for ref in refs or ():
            self._changed[ref] = self.moment

    def _looked(self, refs: set[DatasetRef] | None, began: float) -> None:
        if refs is None or refs:
            self._note(refs)
        self._looked_at = began

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        # What was seen counts for the next look only if this one goes well to its end. A database that was
        # away may come back in another state: then everything counts as changed.
        began, seen, self._seen = time.monotonic(), self._seen, None
        if self._asking_since is None:
            self._asking_since = began
        with self._database.watch() as session:
            newest = queries.newest(session)
            refs = _since(session, seen, newest)
        self._seen, self._asking_since = newest, None
        _soon(loop, self._looked, refs, began)


def _since(session: Session, seen: int | None, newest: int) -> set[DatasetRef] | None:
    if seen is None or newest < seen:  # the first look, or a database that was set back
        return None
    return queries.since(session, seen) if newest > seen else set()


def _soon(loop: asyncio.AbstractEventLoop, *call: object) -> None:
    try:
        loop.call_soon_threadsafe(*call)  # type: ignore[arg-type]  # a function and its arguments
    except RuntimeError:  # the loop is closed: nobody is answered any more
        logger.debug("A change was noticed after the end.")
