"""Parse JSON bodies in a thread: on the event loop, a large one would delay every other request."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from app.api.deps import resources_of
from app.api.http.errors import bad_fields, error_list
from app.api.http.rows import read_rows
from app.errors import AppError, BadInput, FieldError, UnsupportedType
from app.schemas.media_types import JSON
from app.settings import MEBIBYTE

SMALL = MEBIBYTE  # bytes; a body that is known to be no larger does not wait
Shape = TypeVar("Shape", bound=BaseModel)


async def hold_bytes(request: Request) -> AsyncIterator[None]:
    """Hold the bytes of a body until the response is sent; all there are, if nothing tells its size."""
    declared, budget = request.headers.get("content-length", ""), resources_of(request).body_bytes
    size = int(declared) if declared.isdecimal() else budget.total
    if size <= SMALL:
        yield
        return
    async with budget.taken(size):
        yield


HoldBytes = Depends(hold_bytes)


def content_type(request: Request) -> str:
    """Return the media type of the body by its `Content-Type`; empty if it has none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request, shape: type[Shape], threads: CapacityLimiter) -> Shape:
    """Return the body as a model of type `shape`, parsed in one of the threads.

    Raises UnsupportedType if it is not JSON, BadInput if it does not have the shape.
    """
    media_type = content_type(request)
    if media_type != JSON:
        stated = media_type or "nothing about its type"
        raise UnsupportedType(f"This call reads {JSON}; the body says {stated}.")
    return await to_thread.run_sync(parse_json, await request.body(), shape, limiter=threads)


def parse_json(body: bytes, shape: type[Shape]) -> Shape:
    """Return a JSON text as a model of type `shape`. Raises BadInput."""
    try:
        return read_rows(body, shape)
    except ValidationError as error:
        raise bad_body(error, shape) from error


def bad_body(error: ValidationError, shape: type[BaseModel]) -> BadInput:
    """Return a BadInput that points at each wrong field of a body."""
    return bad_fields([{**part, "loc": ("body", *part["loc"])} for part in error_list(error)], shape)


@contextmanager
def pointers_into_body() -> Iterator[None]:
    """Turn pointers at query parameters (`?horizon`) into pointers at fields of the body (`#/horizon`)."""
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
