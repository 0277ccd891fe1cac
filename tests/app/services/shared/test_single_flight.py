"""One computation serves all simultaneous callers, whatever becomes of it."""

import asyncio

import pytest

from app.services.shared.lru import Lru
from app.services.shared.single_flight import SingleFlight


def single_flight() -> SingleFlight[str, str]:
    return SingleFlight(Lru(10))


def fail() -> str:
    raise MemoryError


def test_simultaneous_callers_share_one_computation() -> None:
    made: list[str] = []

    def make() -> str:
        made.append("value")
        return "value"

    async def main() -> list[str]:
        values = single_flight()
        return await asyncio.gather(*(values.get("key", make) for _ in range(5)))

    assert asyncio.run(main()) == ["value"] * 5
    assert made == ["value"]


def test_error_reaches_all_callers_and_the_next_call_computes_again() -> None:
    async def main() -> None:
        values = single_flight()
        calls = (values.get("key", fail) for _ in range(2))
        failed = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(error) for error in failed] == [MemoryError, MemoryError]
        assert await values.get("key", lambda: "value") == "value"

    asyncio.run(asyncio.wait_for(main(), 10))


def test_cancelled_caller_does_not_cancel_the_computation() -> None:
    async def main() -> None:
        values = single_flight()
        gone = asyncio.create_task(values.get("key", lambda: "value"))
        stays = asyncio.create_task(values.get("key", fail))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == "value"

    asyncio.run(asyncio.wait_for(main(), 10))


def test_task_cancelled_before_it_starts_is_computed_again() -> None:
    async def main() -> None:
        values = single_flight()
        call = asyncio.create_task(values.get("key", lambda: "value"))
        await asyncio.sleep(0)
        values._in_flight["key"].cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await values.get("key", lambda: "value") == "value"

    asyncio.run(asyncio.wait_for(main(), 10))


def test_who_is_called_at_the_end_finds_the_value() -> None:
    async def main() -> list[str]:
        values, found = single_flight(), list[str]()

        def look() -> None:
            found.append(values._cache.get("key") or "nothing")

        await values.get("key", lambda: "value", look)
        await asyncio.sleep(0)
        return found

    assert asyncio.run(main()) == ["value"]


def test_who_is_called_after_an_error_can_compute_again() -> None:
    async def main() -> None:
        values, again = single_flight(), list[asyncio.Task[str]]()

        def compute_again() -> None:
            again.append(asyncio.create_task(values.get("key", lambda: "value")))

        with pytest.raises(MemoryError):
            await values.get("key", fail, compute_again)
        await asyncio.sleep(0)
        assert await again[0] == "value"

    asyncio.run(asyncio.wait_for(main(), 10))
