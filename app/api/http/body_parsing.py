"""JSON bodies that are read by hand: in a thread, since a large one would hold up every other call."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request
from pydantic import BaseModel, ValidationError

from app.api.http.errors import bad_fields, error_list
from app.api.http.rows import read_rows
from app.errors import AppError, BadInput, FieldError, UnsupportedType
from app.schemas.media_types import JSON

MULTIPART = "multipart/form-data"
Shape = TypeVar("Shape", bound=BaseModel)


def content_type(request: Request) -> str:
    """Return the media type that the body says it has."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request, shape: type[Shape], turns: CapacityLimiter) -> Shape:
    """Read a body of this shape when it has its turn.

    Raises UnsupportedType for one that is not JSON, BadInput for what does not have the shape.
    """
    said = content_type(request)
    if said != JSON:
        raise UnsupportedType(f"This call reads {JSON}; the body says {said or 'nothing about its type'}.")
    return await to_thread.run_sync(parsed, await request.body(), shape, limiter=turns)


def parsed(body: bytes, shape: type[Shape]) -> Shape:
    """Return the JSON text as a shape; BadInput where it is none."""
    try:
        return read_rows(body, shape)
    except ValidationError as error:
        raise refused(error, shape) from error


def refused(error: ValidationError, shape: type[BaseModel]) -> BadInput:
    """Return the refusal that tells of each field in a body that is wrong."""
    return bad_fields([{**part, "loc": ("body", *part["loc"])} for part in error_list(error)], shape)


def inlined(shape: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a body with its parts written out, since FastAPI has no name for them."""
    schema = shape.model_json_schema()
    parts = schema.pop("$defs", {})
    text = re.sub(
        r'{"\$ref": "#/\$defs/(\w+)"}', lambda found: json.dumps(parts[found[1]]), json.dumps(schema)
    )
    whole: dict[str, Any] = json.loads(text)
    return whole


@contextmanager
def pointing_into_body() -> Iterator[None]:
    """Let errors that point at parameters (`?horizon`) point at the body's fields (`#/horizon`) instead."""
    try:
        yield
    except AppError as error:
        error.errors = tuple(
            FieldError(part.pointer.replace("?", "#/", 1), part.detail)
            if part.pointer.startswith("?")
            else part
            for part in error.errors
        )
        raise
