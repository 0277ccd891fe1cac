"""The `limit` and `cursor` of every list."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Annotated, Any, Protocol, Self, TypeVar

from fastapi import Depends, Query

from app.errors import BadInput, FieldError
from app.services.shared.paging import CountedPageRequest, PageRequest


class _Page(Protocol):
    """What the schemas of all pages have in common."""

    next: str | None

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...


AnyPage = TypeVar("AnyPage", bound=_Page)

CURSOR = r"^([A-Za-z0-9_-]{4})*([A-Za-z0-9_-]{2,3})?$"  # base64 without its padding
POSITION = r"^[0-9]{1,18}$"
LONGEST = 4000  # characters; the longest key there is takes 2,700
NEXT = "`next` of the page before; leave it out for the first page."
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items on the page.")]
Cursor = Annotated[
    str | None,
    Query(min_length=1, max_length=LONGEST, json_schema_extra={"pattern": CURSOR}, description=NEXT),
]
PositionCursor = Annotated[
    str | None, Query(min_length=1, max_length=18, json_schema_extra={"pattern": POSITION}, description=NEXT)
]


def encode_cursor(key: str | None) -> str | None:
    """Return a key as the opaque text that callers hand back."""
    return None if key is None else urlsafe_b64encode(key.encode()).decode().rstrip("=")


def handed_out(page: AnyPage) -> AnyPage:
    """Return a page whose `next` is opaque."""
    return page.model_copy(update={"next": encode_cursor(page.next)})


def decode_cursor(cursor: str | None) -> str | None:
    """Return the key inside a cursor: a place in the list, whether or not an item is just there.

    Raises BadInput if it does not have the form of one of ours.
    """
    if cursor is None:
        return None
    if not re.fullmatch(CURSOR, cursor):
        raise _foreign()
    key = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode(errors="replace")
    return key.replace("\0", "\ufffd")  # no key holds NUL, and Postgres cannot look for it


async def get_page_request(limit: Limit = 100, cursor: Cursor = None) -> PageRequest:
    """Read the two parameters."""
    return PageRequest(limit, decode_cursor(cursor))


async def get_counted_page_request(limit: Limit = 100, cursor: PositionCursor = None) -> CountedPageRequest:
    """Read the two parameters, where the cursor counts what was seen."""
    if cursor is not None and not re.fullmatch(POSITION, cursor):
        raise _foreign()
    return CountedPageRequest(limit, int(cursor or 0))


def _foreign() -> BadInput:
    remedy = "Use the `next` of the page before, unchanged, or leave it out."
    return BadInput("The cursor is not one that this call gave.", [FieldError("?cursor", remedy)])


Page = Annotated[PageRequest, Depends(get_page_request)]
CountedPage = Annotated[CountedPageRequest, Depends(get_counted_page_request)]
