"""Answers in more than one media type: which one a caller likes, and how each is sent."""

import asyncio
import logging
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from fastapi import Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Message, Receive, Scope, Send

from app.errors import AppError, NotAcceptable
from app.schemas.media_types import CONTENT_TYPES, CSV, JSON

IDLE_S = 30.0  # for the next piece of an answer to be taken
PAGE = "text/html"
logger = logging.getLogger(__name__)
WEIGHT = r"0(\.[0-9]{0,3})?|1(\.0{0,3})?"  # RFC 9110, 12.4.2


def chosen_among(*offers: str) -> Any:
    """Return the dependency of a route that has these media types to offer.

    The documentation lists them with the answer: in OpenAPI, `Accept` is no parameter.
    """

    async def choose(request: Request) -> str:
        return choice(request.headers.get("accept", "*/*"), offers)

    return Depends(choose)


@lru_cache(maxsize=100)  # programs say the same each time
def choice(accept: str, offers: tuple[str, ...]) -> str:
    """Choose the media type that `Accept` likes best among the offers, the first of those it likes alike.

    Raises NotAcceptable if it names none of them.
    """
    ranges = dict(_quality(part) for part in (accept or "*/*").split(","))
    liking = {offer: _liking(ranges, offer) for offer in offers}
    # A browser in want of a page also lists the pictures it can show: that does not ask for one.
    plain = [offer for offer in offers if not (PAGE in ranges and offer.startswith("image/"))]
    for group in (plain, offers):
        best = max(group, key=lambda offer: liking[offer])
        if liking[best] > 0:
            return best
    listed = f"{', '.join(offers[:-1])} or {offers[-1]}"
    raise NotAcceptable(f"This answer comes as {listed}; Accept names none of them: {accept}.")


def _liking(ranges: Mapping[str, float], offer: str) -> float:
    """Return the quality that `Accept` gives a media type, by its most exact range (RFC 9110, 12.5.1)."""
    matching = (offer, f"{offer.partition('/')[0]}/*", "*/*")
    return next((ranges[wanted] for wanted in matching if wanted in ranges), 0.0)


def _quality(part: str) -> tuple[str, float]:
    wanted, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    return wanted, float(weight) if re.fullmatch(WEIGHT, weight) else 0.0


def json_response(answer: BaseModel) -> Response:
    """Write an answer as JSON."""
    return Response(answer.model_dump_json(), media_type=JSON)


def csv_response(parts: Iterator[str]) -> Response:
    """Send a CSV table as it is made."""
    return streamed(parts, CSV)


class Stream(StreamingResponse):
    """An answer that is made as it is taken, and given up when it is not, or when the rest cannot be made.

    It then has no end: the server hangs up, and its caller sees that something is missing.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or as much of it as can be."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(IDLE_S):
                await send(message)

        try:
            await super().__call__(scope, receive, send_in_time)
        except TimeoutError:
            _log_cut(scope, logging.INFO, f"Nothing of it was taken for {IDLE_S:g} seconds.")
        except AppError as error:
            _log_cut(scope, logging.WARNING, error.detail)


def _log_cut(scope: Scope, level: int, reason: str) -> None:
    logger.log(level, "%s %s was cut off: %s", scope["method"], scope["path"], reason)


def streamed(
    parts: Iterator[str] | Iterator[bytes], media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Send an answer as it is made; `headers` tell what it does not."""
    return Stream(parts, media_type=CONTENT_TYPES[media_type], headers=headers)
