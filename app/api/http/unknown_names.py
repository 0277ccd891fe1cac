"""Refuse query parameters and body fields that a route does not have, and suggest the nearest name it has.

Most unknown names are misspelt, and ignoring one would answer another request than the caller meant.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import get_args

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.errors import BadInput, FieldError

MAX_NAME_SHOWN = 60  # characters of an unknown name that are compared and repeated
MAX_NAMES_SHOWN = 10


async def check_query_parameters(request: Request) -> None:
    """Raise BadInput for query parameters that the route neither declares nor documents."""
    if request.scope["query_string"]:
        refuse_unknown(request.query_params, _known_parameters(request.scope["route"]))


RefuseUnknownParameters = Depends(check_query_parameters)


def refuse_unknown(names: Iterable[str], known: Collection[str]) -> None:
    """Raise BadInput for each name that is not known, with the nearest known one."""
    unknown = list(dict.fromkeys(name for name in names if name not in known))[:MAX_NAMES_SHOWN]
    if unknown:
        parts = [FieldError(f"?{name[:MAX_NAME_SHOWN]}", _remedy(name, known)) for name in unknown]
        raise BadInput("; ".join(f"{part.pointer}: {part.detail}" for part in parts), parts)


def suggestion(name: str, known: Collection[str], kind: str) -> str:
    """Return how to mend an unknown name: the nearest known one, or all of them."""
    if close := get_close_matches(name[:MAX_NAME_SHOWN], known, 1):
        return f"This call knows no such {kind}. Did you mean {close[0]}?"
    return f"This call knows no such {kind}. It takes {', '.join(known)}."


def known_fields(shape: object, path: Sequence[int | str]) -> list[str]:
    """Return the fields of the model that `path` leads to in the annotation `shape`; empty if none."""
    model = _model_in(shape)
    for part in path:
        if model and part in model.model_fields:
            model = _model_in(model.model_fields[str(part)].annotation)
    return list(model.model_fields) if model else []


def _remedy(name: str, known: Collection[str]) -> str:
    if not known:
        return "This call takes no query parameters. Leave it out."
    return suggestion(name, known, "query parameter")


def _known_parameters(route: APIRoute) -> list[str]:
    documented = (route.openapi_extra or {}).get("parameters", [])
    in_query = (each["name"] for each in documented if each["in"] == "query")
    return [*_declared_parameters(route.dependant), *in_query]


def _declared_parameters(dependant: Dependant) -> Iterator[str]:
    """Yield the query parameters of a function and of all its dependencies."""
    yield from (field.alias for field in dependant.query_params)
    for part in dependant.dependencies:
        yield from _declared_parameters(part)


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the first pydantic model in an annotation such as `list[Model] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
