"""The `limit` and `cursor` of every list."""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, Protocol, Self, TypeVar

from fastapi import Depends, Query

from app.errors import BadInput, FieldError
from app.services.paging import PageRequest


class _Page(Protocol):
    """What the schemas of all pages have in common."""

    next: str | None

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...


AnyPage = TypeVar("AnyPage", bound=_Page)

Limit = Annotated[int, Query(ge=1, le=1000, description="Most items on the page.")]
Cursor = Annotated[
    str | None,
    Query(min_length=1, description="`next` of the page before; leave it out for the first page."),
]


def encode_cursor(key: str | None) -> str | None:
    """Return a key as the opaque text that callers hand back."""
    return None if key is None else base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def handed_out(page: AnyPage) -> AnyPage:
    """Return a page whose `next` is opaque."""
    return page.model_copy(update={"next": encode_cursor(page.next)})


def decode_cursor(cursor: str | None) -> str | None:
    """Return the key inside a cursor.

    Raises BadInput if it is not one of ours.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars="-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        remedy = "Use the `next` of the page before, unchanged, or leave it out."
        raise BadInput(
            "The cursor is not one that this call gave.", [FieldError("?cursor", remedy)]
        ) from error


async def get_page_request(limit: Limit = 100, cursor: Cursor = None) -> PageRequest:
    """Read the two parameters."""
    return PageRequest(limit, decode_cursor(cursor))


Page = Annotated[PageRequest, Depends(get_page_request)]
