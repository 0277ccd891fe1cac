"""Streamed responses that nobody takes."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import Message

from app.api.http import responses
from app.schemas.media_types import CSV
from tests.app.api.middleware.test_concurrency_limit import nothing_more, scope


def test_response_that_nobody_takes_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "IDLE_S", 0.01)
    taken: list[bytes] = []

    def parts() -> Iterator[bytes]:
        for part in (b"first", b"second"):
            taken.append(part)
            yield part

    async def never_taken(message: Message) -> None:
        if message.get("body"):
            await asyncio.Future()

    async def send() -> None:
        response = await responses.streamed_response(parts(), CSV)
        await response(scope(), nothing_more, never_taken)

    asyncio.run(send())
    assert taken == [b"first"]
