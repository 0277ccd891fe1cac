"""Query parameters that a call does not know are refused, as fields of a body are: most are misspelt."""

from collections.abc import Collection, Iterable, Iterator

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.api.http.unknown import LONGEST, nearest
from app.errors import BadInput, FieldError

SHOWN = 10  # of those that are unknown


def refuse_unknown(names: Iterable[str], known: Collection[str]) -> None:
    """Raise BadInput for names that are not known; it tells the nearest of those that are."""
    unknown = list(dict.fromkeys(name for name in names if name not in known))[:SHOWN]
    if unknown:
        parts = [FieldError(f"?{name[:LONGEST]}", _remedy(name, known)) for name in unknown]
        raise BadInput("; ".join(f"{part.pointer}: {part.detail}" for part in parts), parts)


def _remedy(name: str, known: Collection[str]) -> str:
    if not known:
        return "This call takes no query parameters. Leave it out."
    return nearest(name, known, "query parameter")


async def check_parameters(request: Request) -> None:
    """Refuse the query parameters that a route neither declares nor describes."""
    if request.scope["query_string"]:
        refuse_unknown(request.query_params, _known(request.scope["route"]))


def _known(route: APIRoute) -> list[str]:
    described = (route.openapi_extra or {}).get("parameters", [])
    return [*_declared(route.dependant), *(each["name"] for each in described if each["in"] == "query")]


def _declared(dependant: Dependant) -> Iterator[str]:
    """Yield the query parameters of a function and of all it depends on."""
    yield from (field.alias for field in dependant.query_params)
    for part in dependant.dependencies:
        yield from _declared(part)


KnownParameters = Depends(check_parameters)
