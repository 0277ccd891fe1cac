"""What is made once is heard of by all who wait, whatever becomes of the making."""

import asyncio

import pytest

from app.services.shared.lru import Lru
from app.services.shared.single_flight import SingleFlight


def single_flight() -> SingleFlight[str, str]:
    return SingleFlight(Lru(10))


def fail() -> str:
    raise MemoryError


def test_many_who_ask_share_one_in_flight() -> None:
    made: list[str] = []

    def make() -> str:
        made.append("value")
        return "value"

    async def main() -> list[str]:
        values = single_flight()
        return await asyncio.gather(*(values.get("key", make) for _ in range(5)))

    assert asyncio.run(main()) == ["value"] * 5
    assert made == ["value"]


def test_failure_is_heard_by_all_and_the_next_makes_it_anew() -> None:
    async def main() -> None:
        values = single_flight()
        asked = (values.get("key", fail) for _ in range(2))
        failed = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(error) for error in failed] == [MemoryError, MemoryError]
        assert await values.get("key", lambda: "value") == "value"

    asyncio.run(asyncio.wait_for(main(), 10))


def test_who_goes_away_takes_the_value_from_nobody() -> None:
    async def main() -> None:
        values = single_flight()
        gone = asyncio.create_task(values.get("key", lambda: "value"))
        stays = asyncio.create_task(values.get("key", fail))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == "value"

    asyncio.run(asyncio.wait_for(main(), 10))


def test_in_flight_that_is_broken_off_before_it_began_is_made_anew() -> None:
    async def main() -> None:
        values = single_flight()
        asked = asyncio.create_task(values.get("key", lambda: "value"))
        await asyncio.sleep(0)
        values._in_flight["key"].cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await values.get("key", lambda: "value") == "value"

    asyncio.run(asyncio.wait_for(main(), 10))
