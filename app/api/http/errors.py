"""Turn every error into a response: a problem document (RFC 9457)."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException  # noqa: TID251  # only the framework raises it
from starlette.responses import JSONResponse, Response

from app.api.http.allowed_methods import allowed_methods, path_exists
from app.api.http.unknown_names import MAX_NAME_SHOWN, known_fields, suggestion
from app.errors import AppError, BadInput, FieldError, NotFound, Unavailable, WrongMethod
from app.schemas.media_types import PROBLEM
from app.schemas.problem import Problem, ProblemPart

MAX_ERRORS = 20  # most errors that are reported of one body or query
# How pydantic names the members of a union in a location, and how its errors for a wrong type end.
UNION_MEMBERS = ("constrained-str", "constrained-int", "str", "int")
WRONG_TYPE = ("_type", "_parsing")
STATIC_FILE_METHODS = ("GET", "HEAD", "OPTIONS")  # of the documentation's files, which have no route
NO_CONTENT, BAD_REQUEST = 204, 400
logger = logging.getLogger(__name__)


def add_error_handlers(app: FastAPI) -> None:
    """Render every error of the app as a problem document."""
    app.add_exception_handler(AppError, app_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _framework_error)
    app.add_exception_handler(Exception, _unexpected_error)


def problem(error: AppError, instance: str) -> Response:
    """Return the problem document of an error; `instance` is the path of the request."""
    document = Problem(
        type=f"urn:gatecast:problem:{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        instance=instance,
        errors=[ProblemPart(pointer=part.pointer, detail=part.detail) for part in error.errors],
    )
    headers = {} if error.retry_after_s is None else {"retry-after": str(error.retry_after_s)}
    return Response(document.model_dump_json(), error.status, headers, media_type=PROBLEM)


def error_list(error: ValidationError) -> list[Any]:
    """Return the first of pydantic's errors, without the input values, which may be large."""
    return list(error.errors(include_url=False, include_input=False)[:MAX_ERRORS])


def field_errors(errors: Sequence[Any], shape: object = None) -> list[FieldError]:
    """Return pydantic's errors as field errors, each with a pointer and a message.

    For a union, only the errors of the member that the value has the type of are returned. For an unknown
    field, the message suggests the nearest field of `shape`.
    """
    located = [(_pointer(error["loc"]), error) for error in errors[:MAX_ERRORS]]
    of_right_type = {pointer for pointer, error in located if not error["type"].endswith(WRONG_TYPE)}
    return [
        FieldError(pointer, _message(error, shape))
        for pointer, error in located
        if pointer not in of_right_type or not error["type"].endswith(WRONG_TYPE)
    ]


def bad_fields(errors: Sequence[Any], shape: object = None) -> BadInput:
    """Return a BadInput with each of pydantic's errors in a body of this shape."""
    parts = field_errors(errors, shape)
    return BadInput("; ".join(f"{part.pointer}: {part.detail}" for part in parts), parts)


def _message(error: Any, shape: object) -> str:
    if error["type"] == "extra_forbidden":
        _, *path, name = error["loc"]
        return suggestion(str(name), known_fields(shape, path), "field")
    words = error["msg"].removeprefix("Value error, ")  # pydantic's, for what our own rules raise
    return words if words.endswith("?") else f"{words}."


def _pointer(location: Sequence[int | str]) -> str:
    place, *path = (str(part)[:MAX_NAME_SHOWN] for part in location if part not in UNION_MEMBERS)
    if place == "query":
        return f"?{'/'.join(path)}"
    if place in ("path", "header"):
        return f"{place}:{'/'.join(path)}"
    return "#/" + "/".join(path if place == "body" else [place, *path])


async def app_error(request: Request, error: Exception) -> Response:
    """Render an AppError, and log it if it is a fault of the service."""
    assert isinstance(error, AppError)  # noqa: S101  # the handler is registered for it
    cause = error.__cause__
    # An Unavailable without a cause is expected, as while a service starts; it repeats, so it is not logged.
    is_expected = cause is None and isinstance(error, Unavailable)
    if error.status >= AppError.status and not is_expected:
        logger.error("%s %s: %s", request.method, request.url.path, error.detail, exc_info=cause and error)
    return problem(error, request.url.path)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # the handler is registered for it
    body = getattr(request.scope.get("route"), "body_field", None)
    shape = body and body.field_info.annotation
    return problem(bad_fields(error.errors(), shape), request.url.path)


async def _framework_error(request: Request, error: Exception) -> Response:
    """Render what the framework refuses: an unknown path, another method, an unreadable body."""
    assert isinstance(error, HTTPException)  # noqa: S101  # the handler is registered for it
    if error.status_code == NotFound.status:
        return problem(_no_such_path(request), request.url.path)
    if error.status_code == WrongMethod.status:
        return _wrong_method(request)
    if error.status_code == BAD_REQUEST:
        detail = (
            f"The body could not be read: {error.detail.rstrip('.')}. GET /docs shows what this call takes."
        )
        return problem(BadInput(detail), request.url.path)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": error.detail,
        "status": error.status_code,
        "detail": f"{request.method} {request.url.path}: {error.detail}.",
        "instance": request.url.path,
        "errors": [],
    }
    return JSONResponse(body, error.status_code, headers=error.headers, media_type=PROBLEM)


def _no_such_path(request: Request) -> NotFound:
    path = request.url.path
    shorter = path.rstrip("/")
    if shorter != path and path_exists(request, shorter):
        return NotFound(f"There is no {path} here, but {shorter}, without the slash at its end.")
    return NotFound(f"There is no {path} here. GET /docs shows every call there is.")


def _wrong_method(request: Request) -> Response:
    """Return the methods of a path: 204 for OPTIONS, else 405."""
    methods = ", ".join(allowed_methods(request) or STATIC_FILE_METHODS)
    if request.method == "OPTIONS":
        return Response(status_code=NO_CONTENT, headers={"allow": methods})
    refusal = WrongMethod(f"{request.url.path} is called by {methods}; not by {request.method}.")
    response = problem(refusal, request.url.path)
    response.headers["allow"] = methods
    return response


async def _unexpected_error(request: Request, _error: Exception) -> Response:
    """Render an unexpected error without details, which the log has."""
    return problem(AppError("The error is in the service's log."), request.url.path)
