"""Calls that may be repeated: the same key and the same call give the first answer again.

A key is claimed in a transaction of its own before the call begins. Its answer is stored in the call's own
transaction, so that both are there or neither; an error's answer in one of its own, since the call's is
rolled back. 5xx answers are not kept: the key is free again, and the call may be tried once more.
"""

from dataclasses import dataclass
from datetime import timedelta

from app.auth import Principal
from app.db.engine import Session
from app.db.queries import idempotency as queries
from app.db.tables import IdempotencyKey, now
from app.errors import BadInput, Conflict, FieldError

KEPT_FOR = timedelta(hours=24)
# A call that has not ended by then was cut off: its process died before it could say so.
CUT_OFF_AFTER = timedelta(minutes=10)
POINTER = "header:Idempotency-Key"


@dataclass(frozen=True)
class Answer:
    """What a call was answered with."""

    status: int
    headers: dict[str, str]
    body: bytes


def claim(session: Session, principal: Principal, key: str, fingerprint: str) -> Answer | None:
    """Claim a key for a call; if that call was already answered, return the answer.

    Raises BadInput if the key was used for another call, Conflict while the first call still runs.
    """
    workspace_id = principal.workspace_id
    queries.delete_older(session, workspace_id, now() - KEPT_FOR)
    row = IdempotencyKey(workspace_id=workspace_id, key=key, fingerprint=fingerprint, status=None)
    if queries.insert(session, row):
        return None
    return _first(session, workspace_id, key, fingerprint)


def _first(session: Session, workspace_id: str, key: str, fingerprint: str) -> Answer | None:
    first = queries.find(session, workspace_id, key)
    if first is None:
        raise Conflict("The first call with this Idempotency-Key has just failed; send the call again.")
    if first.fingerprint != fingerprint:
        remedy = "Use a new key for a new call."
        raise BadInput(
            f"This Idempotency-Key came with another call. {remedy}", [FieldError(POINTER, remedy)]
        )
    if first.status is not None:
        return Answer(first.status, first.headers or {}, first.body or b"")
    if now() - first.created_at < CUT_OFF_AFTER:
        raise Conflict("The first call with this Idempotency-Key is still running; ask again in a moment.")
    if not queries.take_over(session, first, now()):
        raise Conflict("Another call with this Idempotency-Key has just begun; ask again in a moment.")
    return None


def keep(session: Session, principal: Principal, key: str, answer: Answer) -> None:
    """Store the answer of a call."""
    queries.answer(
        session,
        principal.workspace_id,
        key,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
    )


def release(session: Session, principal: Principal, key: str) -> None:
    """Give a key free after a call that failed for a reason of ours."""
    queries.delete(session, principal.workspace_id, key)
