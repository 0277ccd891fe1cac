"""Send JSON, and stream tables: compute each part when it is sent, and stop when nobody reads it."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from itertools import chain

import pyarrow as pa
from anyio import to_thread
from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Message, Receive, Scope, Send

from app.api.http.content_negotiation import Form
from app.errors import AppError
from app.schemas.media_types import CONTENT_TYPES, JSON, file_headers
from app.services.shared.table_files import table_parts

PART_ROWS = 5000  # of a table that is at hand
IDLE_S = 30.0  # longest time for the caller to read the next part
logger = logging.getLogger(__name__)


def json_response(body: BaseModel) -> Response:
    """Return a JSON response."""
    return Response(body.model_dump_json(), media_type=JSON)


async def streamed_response(
    parts: Iterator[bytes], media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response that computes each part but the first when it is sent.

    The first one is computed before the response begins, so that an error still becomes a problem document.
    """
    first = await to_thread.run_sync(next, parts, b"")
    return _StreamedResponse(chain([first], parts), media_type=CONTENT_TYPES[media_type], headers=headers)


async def table_response(table: pa.Table, form: Form, stem: str) -> Response:
    """Return a table as a file of this name."""
    batches = table.to_batches(max_chunksize=PART_ROWS)
    parts = table_parts(form.media_type, table.schema, batches, quote_formulas=form.quote_formulas)
    return await streamed_response(parts, form.media_type, file_headers(stem, form.media_type))


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
