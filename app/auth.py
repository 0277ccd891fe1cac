"""The caller and its workspace; independent of HTTP and SQL."""

from dataclasses import dataclass

DEFAULT_WORKSPACE = "default"


@dataclass(frozen=True)
class Principal:
    """The caller; every query is limited to its workspace."""

    workspace_id: str


OWNER = Principal(workspace_id=DEFAULT_WORKSPACE)
"""The caller of every request as long as there are no keys: the default workspace."""
