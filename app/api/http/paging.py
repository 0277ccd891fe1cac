"""The query parameters `limit` and `cursor` of every list."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Protocol, Self, TypeVar

from fastapi import Depends, Query

from app.services.shared.paging import (
    CURSOR,
    CountedPageRequest,
    PageRequest,
    decode_cursor,
    encode_cursor,
    foreign_cursor,
)


class _Page(Protocol):
    """What all pages have in common."""

    next: str | None

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...


AnyPage = TypeVar("AnyPage", bound=_Page)

POSITION = r"^[0-9]{1,18}$"
MAX_PAGE_SIZE = 1000
MAX_CURSOR_LENGTH = 4000  # the longest key takes 2,700 characters
CURSOR_TEXT = "`next` of the page before; leave it out for the first page."
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Most items on the page.")]
Cursor = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=MAX_CURSOR_LENGTH,
        json_schema_extra={"pattern": CURSOR},
        description=CURSOR_TEXT,
    ),
]
PositionCursor = Annotated[
    str | None,
    Query(min_length=1, max_length=18, json_schema_extra={"pattern": POSITION}, description=CURSOR_TEXT),
]


def with_opaque_cursor(page: AnyPage) -> AnyPage:
    """Return a page whose `next` is encoded."""
    return page.model_copy(update={"next": encode_cursor(page.next)})


async def get_page_request(limit: Limit = 100, cursor: Cursor = None) -> PageRequest:
    """Return the requested page of a list that is paged by key."""
    return PageRequest(limit, decode_cursor(cursor))


async def get_counted_page_request(limit: Limit = 100, cursor: PositionCursor = None) -> CountedPageRequest:
    """Return the requested page of a list whose cursor is a position."""
    if cursor is not None and not re.fullmatch(POSITION, cursor):
        raise foreign_cursor()
    return CountedPageRequest(limit, int(cursor or 0))


Page = Annotated[PageRequest, Depends(get_page_request)]
CountedPage = Annotated[CountedPageRequest, Depends(get_counted_page_request)]
