"""Cut a list into pages: one row more than asked for tells whether there is a next page."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.errors import BadInput, FieldError

CURSOR = r"^([A-Za-z0-9_-]{4})*([A-Za-z0-9_-]{2,3})?$"  # base64 without its padding
Item = TypeVar("Item")


@dataclass(frozen=True)
class PageRequest:
    """How many items, and the key of the last one already seen."""

    limit: int
    after: str | None = None


@dataclass(frozen=True)
class CountedPageRequest:
    """How many items, and how many were seen already: for lists whose items have no keys."""

    limit: int
    first: int = 0


def cut(
    items: Sequence[Item], request: PageRequest, key: Callable[[Item], str]
) -> tuple[Sequence[Item], str | None]:
    """Return at most `limit` of `items` and the key to go on after, or None at the end."""
    if len(items) <= request.limit:
        return items, None
    return items[: request.limit], key(items[request.limit - 1])


def encode_cursor(key: str | None) -> str | None:
    """Return a key as the opaque text that callers send back."""
    return None if key is None else urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> str | None:
    """Return the key inside a cursor: a place in the list, whether or not an item is just there.

    Raises BadInput if it does not have the form of one of ours.
    """
    if cursor is None:
        return None
    if not re.fullmatch(CURSOR, cursor):
        raise foreign_cursor()
    key = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode(errors="replace")
    return key.replace("\0", "\ufffd")  # no key holds NUL, and Postgres cannot look for it


def foreign_cursor() -> BadInput:
    """Return the refusal of a cursor that does not have the form of one of ours."""
    remedy = "Use the `next` of the page before, unchanged, or leave it out."
    return BadInput("The cursor is not one that this call gave.", [FieldError("?cursor", remedy)])
