"""Record a training's progress in its job's row."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from app.db.engine import Database
from app.db.tables import now
from app.errors import Unavailable
from app.queue import JobRef
from app.schemas.jobs import Progress
from app.services.jobs import states
from models.training.train import Progress as CoreProgress

RECORD_INTERVAL_S = 0.5
MIN_SHARE = 0.02  # least share done in an attempt from which the end is estimated


class JobProgress:
    """Records the progress of one attempt: at most twice a second, but each new phase at once."""

    def __init__(
        self, database: Database, ref: JobRef, attempt: int, on_progress: Callable[[Progress], None]
    ) -> None:
        self._database, self._ref, self._attempt = database, ref, attempt
        self._on_progress = on_progress
        self._phase = "preparing"
        self._due = 0.0
        self._pace: _Pace | None = None

    def record_core(self, progress: CoreProgress) -> None:
        """Record the core's progress, with the time at which it will end at this pace.

        Raises Superseded if the attempt is not current.
        """
        if self._pace is None:
            self._pace = _Pace(time.monotonic(), progress.share_done)
        overall = {name: getattr(progress, name) for name in ("phase", "architecture", "share_done")}
        end = {"estimated_end": self._pace.end(progress.share_done)}
        fit = {} if progress.fit is None else asdict(progress.fit)
        self.record(Progress.model_validate(fit | overall | end))

    def record(self, progress: Progress) -> None:
        """Report progress to the caller and, when due, store it; ignore an unavailable database.

        Raises Superseded if the attempt is not current.
        """
        self._on_progress(progress)
        if time.monotonic() < self._due and progress.phase == self._phase:
            return
        self._due, self._phase = time.monotonic() + RECORD_INTERVAL_S, progress.phase
        with suppress(Unavailable), self._database.write() as session:
            states.record_progress(session, self._ref, self._attempt, progress)


@dataclass(frozen=True)
class _Pace:
    """The time and the share done at the first progress of an attempt."""

    since: float
    share_done: float

    def end(self, share_done: float) -> datetime | None:
        """Return when all will be done; None before the attempt has done `MIN_SHARE`."""
        gained = share_done - self.share_done
        if gained < MIN_SHARE:
            return None
        left_s = (time.monotonic() - self.since) * (1 - share_done) / gained
        return now() + timedelta(seconds=left_s)
