"""Every error that a caller can cause or meet, as a type with its HTTP status.

    AppError
    ├── BadRequest      400  bytes that are not HTTP
    ├── BadInput        422  a payload, file or parameter that cannot be used
    ├── ForeignOrigin   403  an unsafe request from a page of another origin
    ├── NotFound        404  an id that does not exist, or is not the caller's
    │   └── VersionGone 404  a version of a dataset that is no longer kept
    ├── WrongMethod     405  a method that the path does not answer
    ├── Conflict        409  a request that does not fit the present state
    │   └── Unfinished  409  what is asked for is being made, and will be there in some seconds
    ├── TooLarge        413  more bytes than the settings allow
    ├── UriTooLong      414  a request line over its limit
    ├── HeadTooLarge    431  headers over their limits
    ├── UnsupportedType 415  a body in a media type that the route does not read
    ├── NotAcceptable   406  an `Accept` that none of the offered media types fits
    ├── TooSlow         408  a body or headers that do not arrive in time
    ├── Misdirected     421  a Host that does not name this service
    ├── CannotStart     --   settings or surroundings keep the service from starting
    └── Unavailable     503  the service cannot answer now, but may in a moment
        └── InsufficientStorage 507  the database's disk is full

`app/api/http/errors.py` alone turns them into responses; the command line prints the same sentences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FieldError:
    """One mistake and its place.

    `pointer` is a JSON pointer (`#/horizon`), a query parameter (`?horizon`) or a row of an uploaded table as
    a spreadsheet numbers it (`#row=17`, RFC 7111; the header is row 1).
    """

    pointer: str
    detail: str


class AppError(Exception):
    """An error with a sentence for the person who reads it."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong inside the service"
    retry_after_s: ClassVar[int | None] = None

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)


class BadRequest(AppError):
    status = 400
    code = "bad-request"
    title = "The request cannot be read"


class BadInput(AppError):
    status = 422
    code = "bad-input"
    title = "The input cannot be used"


class ForeignOrigin(AppError):
    status = 403
    code = "foreign-origin"
    title = "A page of another origin may not change anything here"


class NotFound(AppError):
    status = 404
    code = "not-found"
    title = "There is nothing under this id"


class VersionGone(NotFound):
    """NotFound to a caller; a service that chose the newest version itself chooses again."""


class WrongMethod(AppError):
    status = 405
    code = "method-not-allowed"
    title = "The path is not called by this method"


class Conflict(AppError):
    status = 409
    code = "conflict"
    title = "The call does not fit the present state"


class Unfinished(Conflict):
    code = "unfinished"
    title = "What is asked for is not finished yet"
    retry_after_s: ClassVar[int | None] = 2


class TooLarge(AppError):
    status = 413
    code = "too-large"
    title = "The body is larger than this service accepts"


class UriTooLong(AppError):
    status = 414
    code = "uri-too-long"
    title = "The request line is longer than this service accepts"


class HeadTooLarge(AppError):
    status = 431
    code = "headers-too-large"
    title = "The headers are more than this service accepts"


class UnsupportedType(AppError):
    status = 415
    code = "unsupported-media-type"
    title = "The body is in a format this call does not read"


class NotAcceptable(AppError):
    status = 406
    code = "not-acceptable"
    title = "The answer is not offered in the media type asked for"


class TooSlow(AppError):
    status = 408
    code = "too-slow"
    title = "The request did not come in time"


class Misdirected(AppError):
    status = 421
    code = "misdirected"
    title = "This service does not go by that name"


class CannotStart(AppError):
    """Raised at the start of the service, for whoever starts it; no caller meets it."""


class Unavailable(AppError):
    retry_after_s: ClassVar[int | None] = 1
    status = 503
    code = "unavailable"
    title = "The service cannot answer just now"


class InsufficientStorage(Unavailable):
    retry_after_s = None
    status = 507
    code = "insufficient-storage"
    title = "There is no room left to store this"
