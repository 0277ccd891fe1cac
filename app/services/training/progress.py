"""Reports: how far a training is, on its way into the job's row."""

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

REPORT_INTERVAL_S = 0.5
TELLING_SHARE = 0.02  # of a training; less than that says nothing of its pace


class Reporter:
    """Passes progress on to the job's row: seldom enough to cost nothing, but each phase at once."""

    def __init__(
        self, database: Database, ref: JobRef, attempt: int, on_progress: Callable[[Progress], None]
    ) -> None:
        self._database, self._ref, self._attempt = database, ref, attempt
        self._on_progress = on_progress
        self._phase = "preparing"
        self._due = 0.0
        self._pace: _Pace | None = None

    def core(self, progress: CoreProgress) -> None:
        """Tell of the core's progress, with an end if it goes on at this pace."""
        if self._pace is None:
            self._pace = _Pace(time.monotonic(), progress.share_done)
        overall = {name: getattr(progress, name) for name in ("phase", "architecture", "share_done")}
        end = {"estimated_end": self._pace.end(progress.share_done)}
        fit = {} if progress.fit is None else asdict(progress.fit)
        self(Progress.model_validate(fit | overall | end))

    def __call__(self, progress: Progress) -> None:
        self._on_progress(progress)
        if time.monotonic() < self._due and progress.phase == self._phase:
            return
        self._due, self._phase = time.monotonic() + REPORT_INTERVAL_S, progress.phase
        with suppress(Unavailable), self._database.write() as session:  # a look less is no reason to die
            states.report(session, self._ref, self._attempt, progress)


@dataclass(frozen=True)
class _Pace:
    """When a training was first heard of, and how much of it was done then."""

    since: float
    share_done: float

    def end(self, share_done: float) -> datetime | None:
        """Return when all will be done; None before enough is, to tell from."""
        gained = share_done - self.share_done
        if gained < TELLING_SHARE:
            return None
        left_s = (time.monotonic() - self.since) * (1 - share_done) / gained
        return now() + timedelta(seconds=left_s)
