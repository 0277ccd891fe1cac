"""Follow which datasets change, in this process and in all others, so that caches hold nothing stale."""

import asyncio
import logging
import time

from app.db.engine import Database, DatasetRef, Session
from app.db.queries import changes as queries
from app.observability.background_tasks import RepeatedTask

POLL_S = 0.25
FRESH_S = 1.0
SILENT_S = 5.0  # a busy machine may delay a poll by a second or two
CLOSING_S = 1.0
MOST_REMEMBERED = 10_000  # datasets; beyond that, all count as changed
MEANWHILE = "Nothing is answered from memory meanwhile."
logger = logging.getLogger(__name__)


class ChangeFeed:
    """Decides whether data read from a dataset at some `moment` are still current.

    It learns of this process's changes at their commit, and of other processes' by polling the database every
    quarter of a second. When the last poll is older than a second, nothing counts as current. Call it in the
    event loop alone; a thread of its own polls, so that no load delays it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed: dict[DatasetRef, int] = {}
        self._all_changed = 0
        self.moment = 0
        self._polled_at = float("-inf")
        self._polling_since: float | None = None
        self._seen: int | None = None

    def open(self) -> None:
        """Start to poll, for the running event loop."""
        loop = asyncio.get_running_loop()
        self._database.on_change = lambda refs: _soon(loop, self._record, refs)
        self._polls = RepeatedTask("The change feed", lambda: self._poll(loop), POLL_S, MEANWHILE)
        self._polls.start()

    def close(self) -> None:
        """Stop polling; wait up to a second for a poll under way."""
        self._polls.stop(CLOSING_S)

    @property
    def silent_s(self) -> float:
        """Return the seconds since the last successful poll; infinite before the first."""
        return time.monotonic() - self._polled_at

    @property
    def is_silent(self) -> bool:
        """Return whether a poll has waited for the database for seconds, as any query would.

        False where this process merely found no time to poll, as on an overloaded machine.
        """
        since = self._polling_since
        return since is not None and time.monotonic() - since > SILENT_S

    @property
    def is_fresh(self) -> bool:
        """Return whether all changes are known that were committed over a second ago."""
        return self.silent_s < FRESH_S

    def is_current(self, ref: DatasetRef, moment: int) -> bool:
        """Return whether data read from a dataset at a moment, or later, are current."""
        return self.is_fresh and not self.has_changed(ref, moment)

    def has_changed(self, ref: DatasetRef, moment: int) -> bool:
        """Return whether a change of a dataset since a moment is known, however old the last poll is."""
        return self._changed.get(ref, self._all_changed) > moment

    def count_as_changed(self, ref: DatasetRef) -> None:
        """Let a dataset count as changed, in this process alone. For any thread."""
        self._database.on_change({ref})

    def _record(self, refs: set[DatasetRef] | None) -> None:
        """Record that datasets have changed; None means all of them."""
        self.moment += 1
        if refs is None or len(self._changed) > MOST_REMEMBERED:
            self._changed.clear()
            self._all_changed = self.moment
        for ref in refs or ():
            self._changed[ref] = self.moment

    def _polled(self, refs: set[DatasetRef] | None, began: float) -> None:
        if refs is None or refs:
            self._record(refs)
        self._polled_at = began

    def _poll(self, loop: asyncio.AbstractEventLoop) -> None:
        # The number is kept only if the poll succeeds. After an outage the database may be in another state,
        # so everything counts as changed.
        began, seen, self._seen = time.monotonic(), self._seen, None
        if self._polling_since is None:
            self._polling_since = began
        with self._database.watch() as session:
            newest = queries.newest(session)
            refs = _since(session, seen, newest)
        self._seen, self._polling_since = newest, None
        _soon(loop, self._polled, refs, began)


def _since(session: Session, seen: int | None, newest: int) -> set[DatasetRef] | None:
    if seen is None or newest < seen:  # the first poll, or a database restored to an earlier state
        return None
    return queries.since(session, seen) if newest > seen else set()


def _soon(loop: asyncio.AbstractEventLoop, *call: object) -> None:
    try:
        loop.call_soon_threadsafe(*call)  # type: ignore[arg-type]  # a function and its arguments
    except RuntimeError:  # the loop is closed, and no request is left
        logger.debug("A change was noticed after the end.")
