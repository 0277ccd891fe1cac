"""Cut a list into pages: one row more than asked for tells whether there is a next page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

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
