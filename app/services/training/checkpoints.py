"""Checkpoints: how far a training is, kept where a worker on another machine finds it."""

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
    """The checkpoints of one attempt at a job, each part of the training as a blob.

    `kept` is what the job's row keeps of the attempts before. A checkpoint is due when the last has cost at
    most `SHARE_OF_TIME` of the time since, and at once when the training is to pause.
    """

    def __init__(
        self,
        database: Database,
        ref: JobRef,
        attempt: int,
        kept: Mapping[str, Any] | None,
        should_pause: Callable[[], bool],
    ) -> None:
        self._database, self._ref, self._attempt = database, ref, attempt
        self._should_pause = should_pause
        kept = kept or {}
        self._parts: dict[str, Any] = kept.get("parts", {})
        self._began = time.monotonic() - float(kept.get("seconds", 0.0))
        self._due = time.monotonic() + SHORTEST_INTERVAL_S

    @property
    def seconds(self) -> float:
        """How long the training has taken so far, earlier attempts included."""
        return time.monotonic() - self._began

    def due(self) -> bool:
        """Tell whether it is time to save."""
        return self._should_pause() or time.monotonic() >= self._due

    def load(self, part: str) -> Artifact | None:
        """Return what was saved last of a part; nothing where that is damaged, for then it is begun anew."""
        if part not in self._parts:
            return None
        kept = self._parts[part]
        with suppress(blobs.BlobDamaged), self._database.read() as session:
            return Artifact(blobs.get(session, self._ref.workspace_id, kept["key"]), kept["metadata"])
        logger.warning("The checkpoint %s is damaged; that part is trained anew.", kept["key"])
        return None

    def save(self, parts: Mapping[str, Artifact]) -> None:
        """Put parts in the place of what was saved of them before.

        Raises Superseded if the attempt has no say any more, Paused if it is to stop here.
        """
        began = time.monotonic()
        with suppress(Unavailable):  # the training goes on, and the next one is as good
            self._store(parts)
        took = time.monotonic() - began
        self._due = time.monotonic() + max(SHORTEST_INTERVAL_S, took / SHARE_OF_TIME)
        if self._should_pause():
            raise states.Paused(f"Attempt {self._attempt} at job {self._ref.job_id} stops at a checkpoint.")

    def keep(self, part: str, data: bytes) -> None:
        """Store bytes that a model is to take over, unless they are stored; until then they go with the job.

        Raises Unavailable, and Superseded if the attempt has no say any more.
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
        kept = {**self._parts, **fresh}
        with self._database.write() as session:
            checkpoint = {"seconds": self.seconds, "parts": kept}
            states.keep_checkpoint(session, self._ref, self._attempt, checkpoint)
            for artifact in parts.values():
                blobs.put(session, workspace_id, artifact.weights)
            blobs.release(session, workspace_id, replaced)
        self._parts = kept
