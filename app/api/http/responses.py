"""Send JSON, and stream tables: compute each part when it is sent, and stop when nobody reads it."""

import asyncio
import logging
from collections.abc import Iterator, Mapping

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Message, Receive, Scope, Send

from app.errors import AppError
from app.schemas.media_types import CONTENT_TYPES, CSV, JSON

IDLE_S = 30.0  # longest time for the caller to read the next part
logger = logging.getLogger(__name__)


def json_response(body: BaseModel) -> Response:
    """Return a JSON response."""
    return Response(body.model_dump_json(), media_type=JSON)


def csv_response(parts: Iterator[str]) -> Response:
    """Return a streamed response of CSV."""
    return streamed_response(parts, CSV)


def streamed_response(
    parts: Iterator[str] | Iterator[bytes], media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response that computes each part when it is sent."""
    return _StreamedResponse(parts, media_type=CONTENT_TYPES[media_type], headers=headers)


class _StreamedResponse(StreamingResponse):
    """Breaks off when the caller reads nothing for IDLE_S, or when a part cannot be computed.

    The server then closes the connection without the end of the response, so that the caller notices.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the parts; log why, if they are broken off."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(IDLE_S):
                await send(message)

        try:
            await super().__call__(scope, receive, send_in_time)
        except TimeoutError:
            _log_broken_off(scope, logging.INFO, f"Nothing of it was taken for {IDLE_S:g} seconds.")
        except AppError as error:
            _log_broken_off(scope, logging.WARNING, error.detail)


def _log_broken_off(scope: Scope, level: int, reason: str) -> None:
    logger.log(level, "%s %s was broken off: %s", scope["method"], scope["path"], reason)
