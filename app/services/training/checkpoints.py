"""Store a training's checkpoints in the database, where a worker on any machine finds them."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from app import blobs
from app.db.engine import Database
from app.digest import sha256
from app.errors import Unavailable
from app.queue import JobRef
from app.services.jobs import states
from models.network.artifact import Artifact

SHORTEST_INTERVAL_S = 2.0
SHARE_OF_TIME = 0.02
logger = logging.getLogger(__name__)


class JobCheckpoints:
    """The checkpoints of one attempt at a job; each part of the training is a blob.

    `stored` is the checkpoint of earlier attempts from the job's row. A checkpoint is due once the last one
    took at most `SHARE_OF_TIME` of the time since then, and at once when the training must pause.
    """

    def __init__(
        self,
        database: Database,
        ref: JobRef,
        attempt: int,
        stored: Mapping[str, Any] | None,
        should_pause: Callable[[], bool],
    ) -> None:
        self._database, self._ref, self._attempt = database, ref, attempt
        self._should_pause = should_pause
        stored = stored or {}
        self._parts: dict[str, Any] = stored.get("parts", {})
        self._began = time.monotonic() - float(stored.get("seconds", 0.0))
        self._due = time.monotonic() + SHORTEST_INTERVAL_S

    @property
    def seconds(self) -> float:
        """Seconds of training so far, those of earlier attempts included."""
        return time.monotonic() - self._began

    def due(self) -> bool:
        """Return whether it is time to save."""
        return self._should_pause() or time.monotonic() >= self._due

    def load(self, part: str) -> Artifact | None:
        """Return what was last saved of a part; None if nothing was, or if it is damaged."""
        if part not in self._parts:
            return None
        saved = self._parts[part]
        with suppress(blobs.BlobDamaged), self._database.read() as session:
            return Artifact(blobs.get(session, self._ref.workspace_id, saved["key"]), saved["metadata"])
        logger.warning("The checkpoint %s is damaged; that part is trained anew.", saved["key"])
        return None

    def save(self, parts: Mapping[str, Artifact]) -> None:
        """Save parts in place of what was saved of them before; ignore an unavailable database.

        Raises Superseded if the attempt is not current, and Paused if it must stop here.
        """
        began = time.monotonic()
        with suppress(Unavailable):
            self._store(parts)
        took = time.monotonic() - began
        self._due = time.monotonic() + max(SHORTEST_INTERVAL_S, took / SHARE_OF_TIME)
        if self._should_pause():
            raise states.Paused(f"Attempt {self._attempt} at job {self._ref.job_id} stops at a checkpoint.")

    def store_blob(self, part: str, data: bytes) -> None:
        """Store a blob of the model, unless it is stored; it belongs to the job until the model is published.

        Raises Unavailable, and Superseded if the attempt is not current.
        """
        if self._parts.get(part, {}).get("key") != sha256(data):
            self._store({part: Artifact(data, {})})

    def _store(self, parts: Mapping[str, Artifact]) -> None:
        workspace_id = self._ref.workspace_id
        fresh = {
            part: {"key": sha256(artifact.weights), "metadata": artifact.metadata}
            for part, artifact in parts.items()
        }
        replaced = [self._parts[part]["key"] for part in parts if part in self._parts]
        all_parts = {**self._parts, **fresh}
        with self._database.write() as session:
            checkpoint = {"seconds": self.seconds, "parts": all_parts}
            states.store_checkpoint(session, self._ref, self._attempt, checkpoint)
            for artifact in parts.values():
                blobs.put(session, workspace_id, artifact.weights)
            blobs.release(session, workspace_id, replaced)
        self._parts = all_parts
