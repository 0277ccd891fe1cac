"""Document in OpenAPI what routes leave out: errors, bodies that they read by themselves, tags, summaries."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.api.http.upload_fields import FileFields, UploadFields
from app.errors import (
    AppError,
    BadInput,
    Conflict,
    InsufficientStorage,
    Misdirected,
    NotAcceptable,
    NotFound,
    TooLarge,
    Unavailable,
    UnsupportedType,
)
from app.schemas import media_types
from app.schemas.datasets import DatasetCreate, ObservationsIn
from app.schemas.forecast import AdHocRequest
from app.schemas.problem import Problem

Responses = dict[int | str, dict[str, Any]]
SHAPES_OF = "app.schemas."
COMPONENTS = "#/components/schemas/{model}"
UNROUTED = (Problem, AdHocRequest, DatasetCreate, ObservationsIn, UploadFields, FileFields)
"""The shapes that no signature of a route names, so that FastAPI does not define them."""

TAGS = [
    {"name": "forecast", "description": "What comes next, and how sure that is."},
    {"name": "datasets", "description": "Series: upload, append, look, export, delete."},
    {"name": "training", "description": "Trainings: queue, follow, cancel, schedule; and who does them."},
    {"name": "models", "description": "Trained models: how good they are, and which of them forecasts."},
    {"name": "health", "description": "For operators: alive, ready, metrics."},
]
TEXT: dict[str, Any] = {"schema": {"type": "string"}}
FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


def operation_id(route: APIRoute) -> str:
    """Return the operation id of a route: the name of its function, which is unique."""
    return route.name


def reference(shape: type[BaseModel]) -> dict[str, str]:
    """Return the reference to the schema of a shape."""
    return {"$ref": COMPONENTS.format(model=shape.__name__)}


PROBLEM_CONTENT = {media_types.PROBLEM: {"schema": reference(Problem)}}


def request_body(shapes: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """Return what describes a body that a route reads by itself, by its media types."""
    content = {media_type: {"schema": reference(shape)} for media_type, shape in shapes.items()}
    return {"requestBody": {"required": True, "content": content}}


def table_content(csv: str) -> dict[str, Any]:
    """Return the content of a response that comes as a table as well, with its beginning as CSV."""
    files = (media_types.ARROW, media_types.PARQUET, media_types.XLSX)
    return {
        media_types.CSV: {**TEXT, "example": csv},
        media_types.NDJSON: TEXT,
        **dict.fromkeys(files, FILE),
    }


def problems(*errors: type[AppError]) -> Responses:
    """Return the responses of a route that raises these errors."""
    return {error.status: {"description": f"{error.title}.", "content": PROBLEM_CONTENT} for error in errors}


EVERYWHERE: Responses = {
    "default": {"description": "What else is wrong, where, and how to mend it.", "content": PROBLEM_CONTENT},
    **problems(BadInput, Misdirected, Unavailable),
}
"""The responses that every route may have."""
FINDS = problems(NotFound)
NOT_MODIFIED: Responses = {304: {"description": "The response that `If-None-Match` names is current."}}
CHANGES = problems(NotFound, InsufficientStorage)
EDITS = CHANGES | problems(TooLarge)
CREATES = problems(NotFound, Conflict, TooLarge, InsufficientStorage)
READS_SERIES = problems(TooLarge, UnsupportedType)
TABLES = problems(NotFound, NotAcceptable, TooLarge)


def complete_documentation(app: FastAPI) -> None:
    """Add to the schema of an app what its routes leave out."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(describe())
        return describe()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents this way of extending it


def _complete(schema: dict[str, Any]) -> None:
    _, definitions = models_json_schema(
        [(shape, "validation") for shape in UNROUTED], ref_template=COMPONENTS
    )
    components = {**definitions["$defs"], **schema["components"]["schemas"]}
    for shape in _shapes(BaseModel):
        if shape.__name__ in components and isinstance(
            extra := shape.model_config.get("json_schema_extra"), dict
        ):
            components[shape.__name__] |= {"example": extra["example"]}  # FastAPI's is without its nulls
    schema["components"]["schemas"] = dict(sorted(components.items()))
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["summary"] = _summary(operation["description"])
            operation["responses"] = dict(sorted(operation["responses"].items()))


def _shapes(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield every shape of a request or a response that is loaded."""
    for shape in base.__subclasses__():
        if shape.__module__.startswith(SHAPES_OF):
            yield shape
        yield from _shapes(shape)


def _summary(description: str) -> str:
    """Return the first clause of a description."""
    return " ".join(re.split(r"[.;:](?:\s|$)", description, maxsplit=1)[0].split())
