"""Can this process answer calls, and is anything amiss that it answers in spite of?"""

from collections.abc import Callable
from dataclasses import dataclass

from app.db.engine import Database
from app.errors import Unavailable
from app.schemas.health import Readiness
from app.services.shared import database_admin
from app.services.shared.change_feed import SILENT_S, ChangeFeed
from app.services.shared.processes import Heartbeat

NO_WORKER = "No worker is alive: trainings wait until one starts (`gatecast worker`). All else is answered."


@dataclass(frozen=True)
class ReadinessCheck:
    """What answering depends on; `has_loaded` tells whether all is imported that forecasts need."""

    database: Database
    feed: ChangeFeed
    heartbeat: Heartbeat
    has_loaded: Callable[[], bool]

    def check(self) -> Readiness:
        """Tell how this process is.

        Raises Unavailable with the reason if it cannot answer.
        """
        database_admin.check_ready(self.database)
        if not self.has_loaded():
            raise Unavailable("What forecasts need is still being loaded, which takes some seconds.")
        silent_s = self.feed.silent_s
        if silent_s > SILENT_S:
            raise Unavailable(
                "This process has not seen for some seconds what changes in the database, so that nothing is "
                "answered from memory; its log says why."
            )
        alive = self.heartbeat.sees_a_worker()
        return Readiness(
            status="ready" if alive else "degraded",
            detail=None if alive else NO_WORKER,
            worker_alive=alive,
            changes_seen_s=round(silent_s, 3),
        )
