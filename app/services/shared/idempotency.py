"""Calls that may be repeated: the same key and the same call give the first answer again.

A key is claimed in a transaction of its own before the call begins, in the name of the process that works on
it. Its answer is stored in the call's own transaction, so that both are there or neither; an error's answer
in one of its own, since the call's is rolled back. 5xx answers are not kept: the key is free again, and the
call may be tried once more. So it is when the process has gone; one that was only taken for dead cannot
store an answer any more, and its call is undone.
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
from app.services.shared.processes import Heartbeat

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
    """A key that a call holds until it is answered, and the process that works on it."""

    workspace_id: str
    key: str
    owner_id: str


class Claims:
    """The keys that calls of this process hold."""

    def __init__(self, database: Database, heartbeat: Heartbeat) -> None:
        self._database, self._heartbeat = database, heartbeat
        self._abandoned: deque[Claim] = deque()

    def claim(self, principal: Principal, key: str, fingerprint: str) -> Claim | StoredResponse:
        """Claim a key for a call; if that call was already answered, return the answer.

        Raises BadInput if the key was used for another call, Conflict while the first call still runs.
        """
        claim = Claim(principal.workspace_id, key, self._heartbeat.id)
        with self._database.write() as session:
            queries.delete_older(session, claim.workspace_id, now() - KEPT_FOR)
            row = IdempotencyKey(
                workspace_id=claim.workspace_id, key=key, owner_id=claim.owner_id, fingerprint=fingerprint
            )
            return claim if queries.insert(session, row) else self._repeat(session, claim, fingerprint)

    def refuse(self, claim: Claim, response: StoredResponse) -> None:
        """Store the answer that refuses a call, whose own transaction is rolled back."""
        with self._database.write() as session:
            queries.answer(session, claim.workspace_id, claim.key, claim.owner_id, _values(response))

    def abandon(self, claim: Claim) -> None:
        """Let a key be given free by the next `tidy`: its call has failed for a reason of ours."""
        self._abandoned.append(claim)

    def tidy(self) -> None:
        """Give free what was abandoned, sooner or later: the database may be the reason why calls failed."""
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

    def _repeat(self, session: Session, claim: Claim, fingerprint: str) -> Claim | StoredResponse:
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
        logger.warning("The process %s has gone amid a call, which is made once more.", first.owner_id)
        return claim


def keep(session: Session, claim: Claim, response: StoredResponse) -> None:
    """Store the answer of a call, in its own transaction.

    Raises Conflict if the key was taken over meanwhile, so that the call is undone.
    """
    if not queries.answer(session, claim.workspace_id, claim.key, claim.owner_id, _values(response)):
        raise Conflict("Another call with this Idempotency-Key took over from this one; ask again.")


def _values(response: StoredResponse) -> dict[str, object]:
    return {"status": response.status, "headers": response.headers, "body": response.body}
