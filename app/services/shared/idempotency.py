"""Idempotency keys: a repeated call with the same key returns the response to the first one.

A transaction of its own claims a key for a process before the call begins. The call's own transaction stores
the response, so that both are committed or neither. A refused call rolls back, so another transaction stores
its response. A 5xx response is not stored: it frees the key, and the call may be repeated. The death of the
process frees the key too. A process wrongly taken for dead cannot store a response: its call rolls back.
"""

import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from app.auth import Principal
from app.db.engine import Database, Session
from app.db.queries import idempotency as queries
from app.db.tables import IdempotencyKey, now
from app.errors import BadInput, Conflict, FieldError
from app.services.shared.heartbeats import Heartbeat

KEPT_FOR = timedelta(hours=24)
POINTER = "header:Idempotency-Key"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredResponse:
    """The response to the first request with a key."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Claim:
    """A key that a call holds until it has a response, and the process that runs the call."""

    workspace_id: str
    key: str
    owner_id: str


class Claims:
    """Claims and releases keys for the calls of this process."""

    def __init__(self, database: Database, heartbeat: Heartbeat) -> None:
        self._database, self._heartbeat = database, heartbeat
        self._abandoned: deque[Claim] = deque()

    def claim(self, principal: Principal, key: str, fingerprint: str) -> Claim | StoredResponse:
        """Claim a key for a call, or return the response to the first call with it.

        Raises BadInput if the key belongs to a different call, Conflict while the first call still runs.
        """
        claim = Claim(principal.workspace_id, key, self._heartbeat.id)
        with self._database.write() as session:
            queries.delete_older(session, claim.workspace_id, now() - KEPT_FOR)
            row = IdempotencyKey(
                workspace_id=claim.workspace_id, key=key, owner_id=claim.owner_id, fingerprint=fingerprint
            )
            return claim if queries.insert(session, row) else self._find_response(session, claim, fingerprint)

    def refuse(self, claim: Claim, response: StoredResponse) -> None:
        """Store the response to a refused call, whose own transaction rolls back."""
        with self._database.write() as session:
            queries.store_response(session, claim.workspace_id, claim.key, claim.owner_id, _values(response))

    def abandon(self, claim: Claim) -> None:
        """Mark a key to be freed by the next `tidy`, since its call failed by a fault of ours."""
        self._abandoned.append(claim)

    def tidy(self) -> None:
        """Free abandoned keys; those left when the database fails wait for the next `tidy`."""
        with suppress(IndexError):
            while True:
                self._release(self._abandoned.popleft())

    def _release(self, claim: Claim) -> None:
        try:
            with self._database.write() as session:
                queries.release(session, claim.workspace_id, claim.key, claim.owner_id)
        except BaseException:
            self.abandon(claim)
            raise

    def _find_response(self, session: Session, claim: Claim, fingerprint: str) -> Claim | StoredResponse:
        first = queries.find(session, claim.workspace_id, claim.key)
        if first is None:
            raise Conflict("The first call with this Idempotency-Key has just failed; send the call again.")
        if first.fingerprint != fingerprint:
            remedy = "Use a new key for a new call."
            raise BadInput(
                f"This Idempotency-Key came with another call. {remedy}", [FieldError(POINTER, remedy)]
            )
        if first.status is not None:
            return StoredResponse(first.status, first.headers or {}, first.body or b"")
        if not self._heartbeat.is_dead_or_removed(session, first.owner_id):
            raise Conflict(
                "The first call with this Idempotency-Key is still running; ask again in a moment."
            )
        if not queries.take_over(session, first, claim.owner_id, now()):
            raise Conflict("Another call with this Idempotency-Key has just begun; ask again in a moment.")
        logger.warning("The process %s ended in the middle of a call, which is made again.", first.owner_id)
        return claim


def keep(session: Session, claim: Claim, response: StoredResponse) -> None:
    """Store the response of a call in the call's own transaction.

    Raises Conflict, which rolls the call back, if another call has taken the key over.
    """
    if not queries.store_response(session, claim.workspace_id, claim.key, claim.owner_id, _values(response)):
        raise Conflict("Another call with this Idempotency-Key took over from this one; ask again.")


def _values(response: StoredResponse) -> dict[str, object]:
    return {"status": response.status, "headers": response.headers, "body": response.body}
