"""Bodies with series hold their bytes of a budget while they are in work; small ones hold none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.services.shared.byte_budget import ByteBudget
from app.settings import MEBIBYTE
from tests.factories import SQLITE_ALONE

pytestmark = SQLITE_ALONE


class Recorded(ByteBudget):
    """Notes what is taken of it, and what was given back."""

    def __init__(self) -> None:
        super().__init__(8 * MEBIBYTE)
        self.held: list[int] = []
        self.returned = 0

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[None]:
        self.held.append(size)
        try:
            async with super().taken(size):
                yield
        finally:
            self.returned += 1


def test_large_bodies_hold_their_bytes_until_they_are_answered(api: FastAPI, client: TestClient) -> None:
    budget = Recorded()
    api.state.resources = replace(api.state.resources, body_bytes=budget)
    small, large = b"ds,y\n1,2\n2,3\n", b"ds,y\n" + b"".join(b"%d,%060d\n" % (i, i) for i in range(30_000))
    assert client.post("/datasets", files={"file": ("a.csv", small)}).status_code == 201
    dataset_id = client.post("/datasets", files={"file": ("b.csv", large)}).json()["id"]
    client.post(f"/datasets/{dataset_id}/observations", files={"file": ("b.csv", large)})
    client.post("/forecast", content=large, headers={"content-type": "application/json"})
    assert [size // 100_000 for size in budget.held] == [19, 19, 19]
    assert budget.returned == 3


def test_a_body_of_unknown_size_holds_the_whole_budget(api: FastAPI, client: TestClient) -> None:
    budget = Recorded()
    api.state.resources = replace(api.state.resources, body_bytes=budget)
    parts = iter([b'{"observations": [{"ds": 1, "y": 2}, {"ds": 2, "y": 3}]}'])
    answer = client.post("/datasets", content=parts, headers={"content-type": "application/json"})
    assert (answer.status_code, budget.held, budget.returned) == (201, [8 * MEBIBYTE], 1)
