"""Cut lists into pages; a query for one row more than the limit shows whether there is a next page."""

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
    """The number of items, and the key of the last item of the page before."""

    limit: int
    after: str | None = None


@dataclass(frozen=True)
class CountedPageRequest:
    """The number of items, and of those on earlier pages, for lists whose items have no keys."""

    limit: int
    first: int = 0


def cut(
    items: Sequence[Item], request: PageRequest, key: Callable[[Item], str]
) -> tuple[Sequence[Item], str | None]:
    """Return at most `limit` of `items`, and the key of the last one; None on the last page."""
    if len(items) <= request.limit:
        return items, None
    return items[: request.limit], key(items[request.limit - 1])


def encode_cursor(key: str | None) -> str | None:
    """Return a key as the opaque text that callers send back."""
    return None if key is None else urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> str | None:
    """Return the key in a cursor, whether or not its item still exists.

    Raises BadInput if the service cannot have issued it.
    """
    if cursor is None:
        return None
    if not re.fullmatch(CURSOR, cursor):
        raise foreign_cursor()
    key = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode(errors="replace")
    return key.replace("\0", "\ufffd")  # no key holds NUL, and Postgres cannot look for it


def foreign_cursor() -> BadInput:
    """Return the error for a cursor that the service cannot have issued."""
    remedy = "Use the `next` of the page before, unchanged, or leave it out."
    return BadInput("The cursor is not one that this call gave.", [FieldError("?cursor", remedy)])
