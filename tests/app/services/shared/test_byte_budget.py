"""Bytes that several hold parts of: who wants more than are left waits for its turn."""

import asyncio

import pytest

from app.services.shared.byte_budget import ByteBudget


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_who_wants_more_than_are_left_waits_in_the_order_of_coming() -> None:
    order: list[str] = []

    async def hold(budget: ByteBudget, name: str, size: int, until: asyncio.Event) -> None:
        async with budget.taken(size):
            order.append(name)
            await until.wait()

    async def run() -> None:
        budget, first, rest = ByteBudget(10), asyncio.Event(), asyncio.Event()
        rest.set()
        tasks = [asyncio.create_task(hold(budget, "six", 6, first))]
        await settle()
        tasks += [
            asyncio.create_task(hold(budget, "nine", 9, rest)),
            asyncio.create_task(hold(budget, "two", 2, rest)),
        ]
        await settle()
        assert order == ["six"]  # though two would fit beside it: else nine might wait for ever
        first.set()
        await asyncio.gather(*tasks)
        assert order == ["six", "nine", "two"]

    asyncio.run(run())


def test_what_is_larger_than_all_waits_for_all_and_an_error_gives_back() -> None:
    async def fail(budget: ByteBudget) -> None:
        async with budget.taken(100):
            raise RuntimeError

    async def run() -> None:
        budget = ByteBudget(10)
        for _ in range(2):
            with pytest.raises(RuntimeError):
                await fail(budget)
        async with budget.taken(10):
            pass

    asyncio.run(asyncio.wait_for(run(), 60))
