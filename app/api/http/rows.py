"""Parse JSON with many rows piece by piece: the parser holds the interpreter lock for the whole of a call."""

import re
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NoReturn, Protocol, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from app.api.http.errors import MAX_ERRORS, bad_fields, error_list
from app.errors import BadInput, FieldError, TooLarge
from app.schemas.datasets import ObservationIn, ObservationsIn

PIECE = 64 * 1024  # bytes: some hundred rows, parsed in a few milliseconds
MOST_ROWS = 1_000_000  # the garbage collector visits all of them in one pause: 0.4 s
KIBIBYTE = 1024
_SPACE = rb"[ \t\n\r]*+"
_TEXT = rb'"(?:[^"\\]++|\\.)*+"'
_ROW = rb'\{(?:[^{}\[\]"]++|' + _TEXT + rb")*+\}"  # an object without a list or an object in it
TEXTS = re.compile(_TEXT, re.DOTALL)
ROW = re.compile(_ROW, re.DOTALL)
RUN = re.compile(_SPACE + rb"(?:" + _ROW + _SPACE + rb"(?:," + _SPACE + rb"|(?=\])))++", re.DOTALL)
FIELD = re.compile(rb'"observations"' + _SPACE + rb":" + _SPACE + rb"\[" + _SPACE)
ROWS = TypeAdapter(list[ObservationIn])


class WithRows(Protocol):
    """A shape with rows."""

    observations: list[ObservationIn]


Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True)
class SplitBody:
    """A body in parts: its rows in pieces, and the text before and behind them."""

    before: bytes
    pieces: list[bytes]
    behind: bytes


def read_rows(body: bytes, shape: type[Shape]) -> Shape:
    """Parse a body as a shape with `observations`.

    A short one is parsed in one call, which reports more of its mistakes. Raises ValidationError or BadInput
    for a body of another form, TooLarge for too many rows.
    """
    if len(body) <= PIECE:
        return shape.model_validate_json(body)
    parts = split(body)
    first = b"".join(parts.pieces[:1])
    result = shape.model_validate_json(parts.before + first + parts.behind)
    rows = cast("WithRows", result).observations
    for piece in parts.pieces[1:]:
        rows += _checked(piece, len(rows))
        if len(rows) > MOST_ROWS:
            raise TooLarge(f"The body has more than {MOST_ROWS:,} rows. Send a file to POST /datasets.")
    return result


def split(body: bytes) -> SplitBody:
    """Split a body between its rows, without parsing them.

    Raises BadInput if it has no rows, or anything else among them.
    """
    begin = position = _begin(body)
    pieces: list[bytes] = []
    while found := RUN.match(body, position, position + PIECE):
        position = found.end()
        pieces.append(found[0].rstrip(b", \t\n\r"))
    behind = body[position : position + 2 * PIECE]
    if not behind.startswith(b"]") or body[begin:position].rstrip(b" \t\n\r").endswith(b","):
        _refuse(sum(len(ROW.findall(piece)) for piece in pieces))
    if begin + len(behind) > PIECE or FIELD.search(behind):
        raise _unreadable()
    return SplitBody(body[:begin], pieces, behind)


def _begin(body: bytes) -> int:
    """Return the position of the first row in the list that is a field of the body itself."""
    for found in FIELD.finditer(body, 0, PIECE):
        marks = TEXTS.sub(b"", body[: found.start()])
        if sum(map(marks.count, (b"{", b"["))) - sum(map(marks.count, (b"}", b"]"))) == 1:
            return found.end()
    raise _unreadable()


def _checked(piece: bytes, first: int) -> list[ObservationIn]:
    try:
        return ROWS.validate_json(b"[" + piece + b"]")
    except ValidationError as error:
        rows = enumerate(ROW.finditer(piece), first)
        parts = chain.from_iterable(_mistakes(row[0], number) for number, row in rows)
        raise bad_fields(list(islice(parts, MAX_ERRORS)), ObservationsIn) from error


def _mistakes(row: bytes, number: int) -> list[dict[str, Any]]:
    try:
        ROWS.validate_json(b"[" + row + b"]")
    except ValidationError as error:
        place = ("body", "observations", number)
        return [{**part, "loc": (*place, *part["loc"][1:])} for part in error_list(error)]
    return []


def _refuse(number: int) -> NoReturn:
    pointer = f"#/observations/{number}"
    remedy = (
        "There is no observation here, as JSON: an object with `ds` and `y`, neither a list nor an object."
    )
    raise BadInput(f"{pointer}: {remedy}", [FieldError(pointer, remedy)])


def _unreadable() -> BadInput:
    remedy = (
        f"A body of more than {PIECE // KIBIBYTE} KiB is one JSON object with a list `observations`, and all "
        "else that it says takes less than that."
    )
    return BadInput(remedy, [FieldError("#/observations", remedy)])
