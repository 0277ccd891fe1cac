"""Checkpoints of a training, from which a later attempt resumes."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from models.errors import ArtifactDamaged, CannotResume, InvalidConfig
from models.network.artifact import Artifact
from models.training.state import BaselineState, TrainingState

State = TypeVar("State", TrainingState, BaselineState)


class Checkpoints(Protocol):
    """The store of a training's checkpoints, one for each part.

    The name of a part is short, of letters, digits and hyphens. Any exception that a method raises passes
    through the training unchanged.
    """

    def due(self) -> bool:
        """Return whether to save now; called after each epoch of a member, and every few windows."""

    def load(self, part: str) -> Artifact | None:
        """Return the last checkpoint of a part, of this attempt or an earlier one; None without one."""

    def save(self, parts: Mapping[str, Artifact]) -> None:
        """Replace the checkpoints of these parts, all of them or none."""


class NoCheckpoints:
    """Stores nothing: a training that is interrupted starts again."""

    def due(self) -> bool:
        return False

    def load(self, _: str, /) -> None:
        return None

    def save(self, parts: Mapping[str, Artifact]) -> None:
        """Store nothing."""


NO_CHECKPOINTS = NoCheckpoints()


class CheckpointManager:
    """Saves the parts of a training when a checkpoint is due, and restores those of an earlier attempt."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self._unsaved: dict[str, Callable[[], Artifact]] = {}

    def update(self, part: str, dump: Callable[[], Artifact]) -> None:
        """Record the new state of a part; if a checkpoint is due, save every part that is not saved yet."""
        self._unsaved[part] = dump
        if self._checkpoints.due():
            self._checkpoints.save({name: dump() for name, dump in self._unsaved.items()})
            self._unsaved.clear()

    def restore(self, part: str, fresh: State, load: Callable[[bytes, Mapping[str, Any]], State]) -> State:
        """Return the saved state of a part, or `fresh` if it is missing, damaged or of another training."""
        artifact = self._checkpoints.load(part)
        if artifact is None:
            return fresh
        try:
            state = load(artifact.weights, artifact.metadata)
            state.check(fresh)
        except (ArtifactDamaged, InvalidConfig, CannotResume):
            return fresh
        return state
