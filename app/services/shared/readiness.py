"""Check whether this process can serve requests, and whether its service is degraded."""

from collections.abc import Callable
from dataclasses import dataclass

from app.db.engine import Database
from app.errors import Unavailable
from app.schemas.health import Readiness
from app.services.shared import database_admin
from app.services.shared.change_feed import SILENT_S, ChangeFeed
from app.services.shared.heartbeats import Heartbeat

NO_WORKER = "No worker is alive: trainings wait until one starts (`gatecast worker`). All else is answered."


@dataclass(frozen=True)
class ReadinessCheck:
    """Checks what requests depend on; `has_loaded` returns whether the modules of forecasts are imported."""

    database: Database
    feed: ChangeFeed
    heartbeat: Heartbeat
    has_loaded: Callable[[], bool]

    def check(self) -> Readiness:
        """Return whether this process is ready or degraded.

        Raises Unavailable with the reason if it cannot serve requests.
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
        alive = self.heartbeat.has_live_worker()
        return Readiness(
            status="ready" if alive else "degraded",
            detail=None if alive else NO_WORKER,
            worker_alive=alive,
            changes_seen_s=round(silent_s, 3),
        )
