"""The columns that were chosen for a role, and what the choice rests on."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.intake.options import as_option
from app.intake.problems import Question, listed


@dataclass(frozen=True)
class Choice:
    """The columns of a role; where a question is open, the likeliest ones."""

    names: tuple[str, ...]
    reason: str
    question: Question | None = None
    notes: tuple[str, ...] = ()


def ask(option: str, what: str, candidates: Sequence[str], *, advice: str = "") -> Choice:
    """Return the first candidate with the question which column it is."""
    detail = f"Several columns could hold the {what}: {listed(candidates)}. Say which with {option}.{advice}"
    question = Question(option, detail, tuple(candidates), "several columns fit")
    return Choice((candidates[0],), f"the first that could hold the {what}", question)


def together(columns: Sequence[str]) -> str:
    """Return how an option names several columns at once, as a reader would type it."""
    return f"`{as_option(columns)}`"
