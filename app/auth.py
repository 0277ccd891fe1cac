"""Who calls, and what they may do. Knows neither HTTP nor SQL."""

from dataclasses import dataclass

DEFAULT_WORKSPACE = "default"


@dataclass(frozen=True)
class Principal:
    """The caller: every query starts from the workspace named here."""

    workspace_id: str


OWNER = Principal(workspace_id=DEFAULT_WORKSPACE)
"""The caller while there are no keys: the default workspace, with every right."""
