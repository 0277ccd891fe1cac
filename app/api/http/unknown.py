"""Names that a call does not know, of parameters and of fields: most are misspelt."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel

LONGEST = 60  # characters of a name that are looked at and repeated


def nearest(name: str, known: Collection[str], kind: str) -> str:
    """Return the remedy for a name that is not known: the nearest of its kind that is."""
    if close := get_close_matches(name[:LONGEST], known, 1):
        return f"This call knows no such {kind}. Did you mean {close[0]}?"
    return f"This call knows no such {kind}. It takes {', '.join(known)}."


def known_fields(shape: object, path: Sequence[int | str]) -> list[str]:
    """Return the fields that a model has in this place."""
    model = _model(shape)
    for part in path:
        if model and part in model.model_fields:
            model = _model(model.model_fields[str(part)].annotation)
    return list(model.model_fields) if model else []


def _model(kind: object) -> type[BaseModel] | None:
    """Return the model that something is, or is a list of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((found for part in get_args(kind) if (found := _model(part))), None)
