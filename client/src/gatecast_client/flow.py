"""What a call does, written as a generator that does nothing by itself.

It yields an effect, such as a request to send, and is sent the outcome. So each call, its retries and its
parsing are written once, and one client performs the effects while it blocks, another while it awaits.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import httpx2

Result = TypeVar("Result")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Request:
    """A request to send; `path` begins with a slash."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    data: Mapping[str, Any] | None = None
    files: Mapping[str, tuple[str, bytes]] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return what `httpx2` takes beside the method and the address."""
        body = {"json": self.json, "data": self.data, "files": self.files}
        said = {name: value for name, value in body.items() if value is not None}
        return {"params": self.params, **said}


@dataclass(frozen=True)
class Stream:
    """An open response and the iterator over its events, blocking or not."""

    response: httpx2.Response
    events: Any


@dataclass(frozen=True)
class Send:
    """Send a request, and go on with the response."""

    request: Request


@dataclass(frozen=True)
class Open:
    """Send a request, and go on with the Stream of what comes; a refusal is read whole."""

    request: Request


@dataclass(frozen=True)
class Next:
    """Go on with the next event of a stream, or None at its end."""

    stream: Stream


@dataclass(frozen=True)
class Close:
    """Close a stream."""

    stream: Stream


@dataclass(frozen=True)
class Pause:
    """Wait."""

    seconds: float


Effect = Send | Open | Next | Close | Pause
Flow = Generator[Effect, Any, Result]


class Source(Protocol[Item]):
    """Items that come portion by portion."""

    def next(self) -> Flow[list[Item] | None]:
        """Return the next portion, or None after the last."""
        ...

    def close(self) -> Flow[None]:
        """Give up what is open."""
        ...
