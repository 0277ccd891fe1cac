"""The shapes of what the service says of itself, and of errors."""

from gatecast_client.shapes.base import Shape


class Health(Shape):
    """The state of a process that runs."""

    status: str


class Readiness(Shape):
    """The state of a process that answers requests."""

    status: str
    detail: str | None
    worker_alive: bool
    changes_seen_s: float


class ProblemPart(Shape):
    """One mistake."""

    pointer: str
    detail: str


class Problem(Shape):
    """An error, for programs (`type`, `status`) and for people (`title`, `detail`)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[ProblemPart]
