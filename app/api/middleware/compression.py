"""Compress large responses for callers that accept gzip."""

from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.schemas.media_types import PARQUET, XLSX

FROM = 32 * 1024  # bytes
LEVEL = 1  # of 9: a quarter of the size at ten times the speed of the last


class Compression(GZipMiddleware):
    """ASGI middleware: lets the responses of all other callers pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            app, FROM, LEVEL, exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, PARQUET, XLSX)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; compress the response if it is large and the caller takes that."""
        if scope["type"] == "http" and _takes_gzip(scope):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _takes_gzip(scope: Scope) -> bool:
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
