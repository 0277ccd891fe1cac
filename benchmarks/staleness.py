"""Which states a response may show while the state changes: none that is out of date."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass
class Change(Generic[Value]):
    """From `requested` on a response may show the value; from `confirmed` on it must, or a later one."""

    value: Value
    requested: float
    confirmed: float = float("inf")


@dataclass
class Changes(Generic[Value]):
    """The changes of one value, oldest first; each must show within `patience_s` of its confirmation."""

    first: Value
    patience_s: float = 0.0
    _made: list[Change[Value]] = field(default_factory=list)

    def begin(self, value: Value, now: float) -> Change[Value]:
        """Record a change that is requested now; set its `confirmed` later."""
        self._made.append(Change(value, now))
        return self._made[-1]

    def allowed(self, requested: float, received: float) -> list[Value]:
        """Return the values that a response may show, by the times of request and response."""
        settled = [
            i for i, change in enumerate(self._made) if change.confirmed + self.patience_s <= requested
        ]
        newest = settled[-1] if settled else -1
        must = self._made[newest].value if settled else self.first
        return [must] + [change.value for change in self._made[newest + 1 :] if change.requested <= received]
