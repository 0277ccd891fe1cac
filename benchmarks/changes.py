"""What an answer may show while the truth changes, by when each change was asked for and answered."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass
class Change(Generic[Value]):
    """From `asked` on an answer may show the value; from `answered` on it must, or a later one."""

    value: Value
    asked: float
    answered: float = float("inf")


@dataclass
class Changes(Generic[Value]):
    """Of one thing, oldest first; `patience_s` is how long after it was answered a change may be unseen."""

    first: Value
    patience_s: float = 0.0
    _made: list[Change[Value]] = field(default_factory=list)

    def begin(self, value: Value, now: float) -> Change[Value]:
        """Note that a change is asked for; its `answered` is to be set when it is."""
        self._made.append(Change(value, now))
        return self._made[-1]

    def allowed(self, asked: float, received: float) -> list[Value]:
        """What an answer may show that was asked for and received at these times."""
        settled = [i for i, change in enumerate(self._made) if change.answered + self.patience_s <= asked]
        newest = settled[-1] if settled else -1
        must = self._made[newest].value if settled else self.first
        return [must] + [change.value for change in self._made[newest + 1 :] if change.asked <= received]
