"""The one place where errors become responses: problem documents by RFC 9457."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException  # noqa: TID251  # rendered here, raised by the framework alone
from starlette.responses import JSONResponse, Response

from app.api.http.allowed_methods import allowed_methods, path_exists
from app.api.http.unknown_names import MAX_NAME_SHOWN, known_fields, suggestion
from app.errors import AppError, BadInput, FieldError, NotFound, Unavailable, WrongMethod
from app.schemas.problem import Problem, ProblemPart

SHOWN = 20  # mistakes
MEDIA_TYPE = "application/problem+json"
# What pydantic calls the kinds of a field that may be of several, and a value that is of another one.
KINDS = ("constrained-str", "constrained-int", "str", "int")
OTHER_KIND = ("_type", "_parsing")
FILE_METHODS = ("GET", "HEAD", "OPTIONS")  # of what lies beside the documentation, which no route names
NO_CONTENT, BAD_REQUEST = 204, 400
logger = logging.getLogger(__name__)


def add_error_handlers(app: FastAPI) -> None:
    """Render every error of the app as a problem document."""
    app.add_exception_handler(AppError, app_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _framework_error)
    app.add_exception_handler(Exception, _unexpected_error)


def problem(error: AppError, instance: str) -> Response:
    """Return the response that tells of an error."""
    document = Problem(
        type=f"urn:gatecast:problem:{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        instance=instance,
        errors=[ProblemPart(pointer=part.pointer, detail=part.detail) for part in error.errors],
    )
    headers = {} if error.retry_after_s is None else {"retry-after": str(error.retry_after_s)}
    return Response(document.model_dump_json(), error.status, headers, media_type=MEDIA_TYPE)


def listed(error: ValidationError) -> list[Any]:
    """Return what pydantic finds wrong, without the values: they may be large."""
    return list(error.errors(include_url=False, include_input=False)[:SHOWN])


def field_errors(errors: Sequence[Any], shape: object = None) -> list[FieldError]:
    """Translate pydantic's error list: where by pointer, and what by its message.

    Of a field that may be of several kinds, what is wrong with the kind it has; of one that the shape of the
    body does not have, the nearest that it has.
    """
    found = [(_pointer(error["loc"]), error) for error in errors[:SHOWN]]
    apt = {pointer for pointer, error in found if not error["type"].endswith(OTHER_KIND)}
    return [
        FieldError(pointer, _told(error, shape))
        for pointer, error in found
        if pointer not in apt or not error["type"].endswith(OTHER_KIND)
    ]


def bad_fields(errors: Sequence[Any], shape: object = None) -> BadInput:
    """Return the refusal that tells of each of pydantic's errors in a body of this shape."""
    parts = field_errors(errors, shape)
    return BadInput("; ".join(f"{part.pointer}: {part.detail}" for part in parts), parts)


def _told(error: Any, shape: object) -> str:
    if error["type"] == "extra_forbidden":
        _, *path, name = error["loc"]
        return suggestion(str(name), known_fields(shape, path), "field")
    return f"{error['msg']}."


def _pointer(location: Sequence[int | str]) -> str:
    place, *path = (str(part)[:MAX_NAME_SHOWN] for part in location if part not in KINDS)
    if place == "query":
        return f"?{'/'.join(path)}"
    if place in ("path", "header"):
        return f"{place}:{'/'.join(path)}"
    return "#/" + "/".join(path if place == "body" else [place, *path])


async def app_error(request: Request, error: Exception) -> Response:
    """Render an error of the app, and log it where it is the service's own fault."""
    assert isinstance(error, AppError)  # noqa: S101  # what this handler is registered for
    cause = error.__cause__
    # Without a cause an Unavailable was decided, as that a service is not ready yet: no fault, and asked for
    # again and again. Where it was raised tells nothing.
    decided = cause is None and isinstance(error, Unavailable)
    if error.status >= AppError.status and not decided:
        logger.error("%s %s: %s", request.method, request.url.path, error.detail, exc_info=cause and error)
    return problem(error, request.url.path)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # what this handler is registered for
    body = getattr(request.scope.get("route"), "body_field", None)
    shape = body and body.field_info.annotation
    return problem(bad_fields(error.errors(), shape), request.url.path)


async def _framework_error(request: Request, error: Exception) -> Response:
    """Render what the framework itself refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101  # what this handler is registered for
    if error.status_code == NotFound.status:
        return problem(_no_such_path(request), request.url.path)
    if error.status_code == WrongMethod.status:
        return _other_method(request)
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
    return JSONResponse(body, error.status_code, headers=error.headers, media_type=MEDIA_TYPE)


def _no_such_path(request: Request) -> NotFound:
    path = request.url.path
    shorter = path.rstrip("/")
    if shorter != path and path_exists(request, shorter):
        return NotFound(f"There is no {path} here, but {shorter}, without the slash at its end.")
    return NotFound(f"There is no {path} here. GET /docs shows every call there is.")


def _other_method(request: Request) -> Response:
    """Tell by which methods a path is called: as a refusal, unless that is what was asked."""
    methods = ", ".join(allowed_methods(request) or FILE_METHODS)
    if request.method == "OPTIONS":
        return Response(status_code=NO_CONTENT, headers={"allow": methods})
    refusal = WrongMethod(f"{request.url.path} is called by {methods}; not by {request.method}.")
    response = problem(refusal, request.url.path)
    response.headers["allow"] = methods
    return response


async def _unexpected_error(request: Request, _error: Exception) -> Response:
    """Say nothing of what broke inside; the server's log has it."""
    return problem(AppError("The error is in the service's log."), request.url.path)
