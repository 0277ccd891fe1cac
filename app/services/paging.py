"""Cut a list into pages: one row more than asked for tells whether there is a next page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.errors import BadInput, FieldError

Item = TypeVar("Item")
MOST_DIGITS = 18  # of a position


@dataclass(frozen=True)
class PageRequest:
    """How many items, and the key of the last one already seen."""

    limit: int
    after: str | None = None

    @property
    def position(self) -> int:
        """How many items were seen already, where they are counted and have no keys.

        Raises BadInput for a cursor of another call.
        """
        if self.after is None:
            return 0
        if not self.after.isdecimal() or len(self.after) > MOST_DIGITS:
            raise BadInput(
                "The cursor is not one that this call gave.", [FieldError("?cursor", "Leave it out.")]
            )
        return int(self.after)


def cut(
    items: Sequence[Item], request: PageRequest, key: Callable[[Item], str]
) -> tuple[Sequence[Item], str | None]:
    """Return at most `limit` of `items` and the key to go on after, or None at the end."""
    if len(items) <= request.limit:
        return items, None
    return items[: request.limit], key(items[request.limit - 1])
