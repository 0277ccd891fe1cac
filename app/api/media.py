"""Answers in more than one media type: which one a caller likes, and how each is sent."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from fastapi import Depends, Header, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from app.errors import NotAcceptable

JSON, CSV = "application/json", "text/csv"


def get_media_type(
    accept: Annotated[str, Header(description=f"`{JSON}` or `{CSV}`.")] = "*/*",
) -> str:
    """Choose the media type that `Accept` likes best among those offered, JSON where it likes both.

    Raises NotAcceptable if it names neither.
    """
    liking = {offer: _liking(accept, offer) for offer in (JSON, CSV)}
    best = max(liking, key=lambda offer: liking[offer])
    if liking[best] == 0:
        raise NotAcceptable(f"This answer comes as {JSON} or as {CSV}; Accept names neither: {accept}.")
    return best


def _liking(accept: str, offer: str) -> float:
    """Return the quality that `Accept` gives a media type, by its most exact range (RFC 9110, 12.5.1)."""
    ranges = dict(_quality(part) for part in (accept or "*/*").split(","))
    matching = (offer, f"{offer.partition('/')[0]}/*", "*/*")
    return next((ranges[wanted] for wanted in matching if wanted in ranges), 0.0)


def _quality(part: str) -> tuple[str, float]:
    wanted, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return wanted, float(weight)
    except ValueError:
        return wanted, 0.0


MediaType = Annotated[str, Depends(get_media_type)]


def json_response(answer: BaseModel) -> Response:
    """Write an answer as JSON."""
    return Response(answer.model_dump_json(), media_type=JSON)


def csv_response(parts: Iterator[str], headers: Mapping[str, str] | None = None) -> Response:
    """Send a CSV table as it is made; `headers` tell what its columns do not."""
    safe = {name: _header_value(text) for name, text in (headers or {}).items()}
    return StreamingResponse(parts, media_type=f"{CSV}; charset=utf-8", headers=safe)


def _header_value(text: str) -> str:
    """Return a text as every reader of headers takes it: one line of ASCII, with ? for all else."""
    return " ".join(text.split()).encode("ascii", "replace").decode()
