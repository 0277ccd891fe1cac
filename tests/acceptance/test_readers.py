"""Many readers at once: all are answered, and nobody else waits for them."""

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from app.db.engine import CHANGING, LOOKING, WATCHING, Database
from benchmarks.process_tree import processor_ticks
from tests.factories import dataset, entered, scheduled, trained
from tests.processes import running_api

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("brief_trainings")]
READERS = 200
ANSWERED_S = 5.0
HEALTHY_S = 0.25
LISTS = (
    "/datasets",
    "/datasets/{dataset}/series",
    "/datasets/{dataset}/observations?unique_id=series+1",
    "/jobs",
    "/models",
    "/models/{model}/backtest",
    "/models/{model}/backtest/series",
    "/schedules",
    "/workers",
)


class Reply(NamedTuple):
    status: int
    seconds: float


@dataclass(frozen=True)
class Line:
    """A connection for one call."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, path: str, method: str = "GET", sent: object = None) -> Reply:
        began, body = time.monotonic(), b"" if sent is None else json.dumps(sent).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = await self.reader.read()
        self.writer.close()
        return Reply(int(answer.split()[1]), time.monotonic() - began)


@dataclass(frozen=True)
class Api:
    """A service that is asked over a connection for each call."""

    url: str
    pid: int
    lists: list[str]
    forecast: str
    schedule: str

    async def line(self) -> Line:
        place = urlsplit(self.url)
        return Line(*await asyncio.open_connection(place.hostname, place.port))

    async def ask(self, path: str, method: str = "GET", sent: object = None) -> Reply:
        return await (await self.line()).ask(path, method, sent)


@pytest.fixture
def api(database_url: str, database: Database, tmp_path: Path) -> Iterator[Api]:
    dataset_id = dataset(database).id
    model_id = trained(database, dataset_id)
    schedule_id = scheduled(database, dataset_id)
    entered(database)
    lists = [path.format(dataset=dataset_id, model=model_id) for path in LISTS]
    forecast = f"/forecast?dataset_id={dataset_id}&unique_id=series+1"
    with running_api(database_url, tmp_path, outlook_cache_mb=0) as service:
        yield Api(service.url, service.process.pid, lists, forecast, f"/schedules/{schedule_id}")


@dataclass(frozen=True)
class Rush:
    """What readers and others were answered, and which part of a processor the service had meanwhile."""

    readers: list[Reply]
    others: dict[str, list[Reply]]
    share: float

    def slowest(self, *who: str) -> float:
        """Return how long the slowest of the readers took, or of others; all must have been answered.

        In seconds that the service had a processor: those of a machine that others use as well are longer.
        """
        replies = [reply for each in who for reply in self.others[each]] or self.readers
        assert {reply.status for reply in replies} == {200}
        return max(reply.seconds for reply in replies) * self.share


async def rush(api: Api, path: str, never_asked: Iterator[str]) -> Rush:
    """Let readers ask for a list, all at once; beside them others ask for as long as that takes."""
    lines = [await api.line() for _ in range(READERS)]
    began, ticks = time.monotonic(), processor_ticks(api.pid)
    readers = asyncio.gather(*(line.ask(path) for line in lines))
    others = {
        "health": lambda: api.ask("/healthz"),
        "readiness": lambda: api.ask("/readyz"),
        "a forecast": lambda: api.ask(next(never_asked)),
        "another": lambda: api.ask(next(never_asked)),
        "a change": lambda: api.ask(api.schedule, "PATCH", {"paused": True}),
    }
    replies = await asyncio.gather(*(meanwhile(readers, ask) for ask in others.values()))
    had_s = (processor_ticks(api.pid) - ticks) / 100
    share = min(1.0, had_s / (time.monotonic() - began))
    return Rush(await readers, dict(zip(others, replies, strict=True)), share)


async def a_calm_rush(api: Api, path: str, never_asked: Iterator[str]) -> Rush:
    """Return the first rush of three in which nothing else on this machine held health up, or the last."""
    for _ in range(3):
        seen = await asyncio.wait_for(rush(api, path, never_asked), 40)
        if seen.slowest("health") < HEALTHY_S:
            break
    return seen


async def meanwhile(work: "asyncio.Future[list[Reply]]", ask: Callable[[], Awaitable[Reply]]) -> list[Reply]:
    """Ask again and again for as long as work goes on."""
    replies = []
    while not work.done():
        replies.append(await ask())
        await asyncio.sleep(0.02)
    return replies


def test_readers_of_each_list_are_all_answered_and_nobody_waits_for_them(
    api: Api, database: Database
) -> None:
    levels = itertools.combinations(range(50, 100), 2)
    never_asked = (f"{api.forecast}&level={low}&level={high}" for low, high in levels)

    async def main() -> None:
        for path in (*api.lists, next(never_asked), "/readyz"):
            await api.ask(path)  # what is imported for the first is not what this is about
        for path in api.lists:
            seen = await a_calm_rush(api, path, never_asked)
            assert seen.slowest() < ANSWERED_S, path
            assert seen.slowest("health") < HEALTHY_S, path
            assert seen.slowest("readiness", "a forecast", "another", "a change") < ANSWERED_S, path

    asyncio.run(main())
    assert connections(database) <= LOOKING + CHANGING + WATCHING


def connections(database: Database) -> int:
    """Return how many the server has open to the service: to this database, from others than this process."""
    if database.is_sqlite:
        return 0
    database.dispose()
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with database.read() as session:
        return int(session.scalar(text(others)) or 0)
