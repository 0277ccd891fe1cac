"""Where a training keeps how far it is, and how another attempt goes on from there."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from models.errors import ArtifactDamaged, CannotResume, InvalidConfig
from models.network.artifact import Artifact
from models.training.state import BaselineState, TrainingState

State = TypeVar("State", TrainingState, BaselineState)


class Checkpoints(Protocol):
    """Where a training keeps how far it is, by its parts.

    The name of a part is short, of letters, digits and hyphens. Whatever one of these raises comes out of the
    training unchanged.
    """

    def due(self) -> bool:
        """Whether to save now what has changed; asked after each epoch of a member, and every few windows."""

    def load(self, part: str) -> Artifact | None:
        """What was saved last of this part, by this attempt or an earlier one."""

    def save(self, parts: Mapping[str, Artifact]) -> None:
        """Keep these in place of what was saved of the same parts before, all of them or none."""


class NoCheckpoints:
    """For a training that begins anew once it is broken off."""

    def due(self) -> bool:
        return False

    def load(self, _: str, /) -> None:
        return None

    def save(self, parts: Mapping[str, Artifact]) -> None:
        """Keep nothing."""


NO_CHECKPOINTS = NoCheckpoints()


class Keeper:
    """Saves the parts of one training when that is due, and takes up those of an earlier attempt."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self._unsaved: dict[str, Callable[[], Artifact]] = {}

    def changed(self, part: str, dump: Callable[[], Artifact]) -> None:
        """If it is due, save the part, together with those that ended since something was saved."""
        self._unsaved[part] = dump
        if self._checkpoints.due():
            self._checkpoints.save({name: dump() for name, dump in self._unsaved.items()})
            self._unsaved.clear()

    def taken_up(self, part: str, fresh: State, load: Callable[[bytes, Mapping[str, Any]], State]) -> State:
        """What was saved of the part if it is whole and belongs to the same as `fresh`, else `fresh`."""
        artifact = self._checkpoints.load(part)
        if artifact is None:
            return fresh
        try:
            state = load(artifact.weights, artifact.metadata)
            state.check(fresh)
        except (ArtifactDamaged, InvalidConfig, CannotResume):
            return fresh
        return state
