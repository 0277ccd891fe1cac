"""How long other requests wait beside 200 concurrent reads of a list, or 45 concurrent wide uploads.

A service on SQLite, or with `--postgres` on a server of its own, holds a dataset with a model. Beside each
group other callers request `/healthz`, `/readyz`, forecasts that are not cached, and a change.

    python -m benchmarks.concurrency
    python -m benchmarks.concurrency --postgres
"""

import argparse
import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx2

from benchmarks import postgres
from benchmarks.connection import Connection
from benchmarks.report import finish, print_table
from benchmarks.service import end_on_sigterm, running_service
from gatecast_client import Client

READERS, UPLOADS, COLUMNS, ROWS = 200, 45, 300, 10
ANSWERED_S, HEALTHY_S = 5.0, 0.25
PAUSE_S = 0.02  # between two calls of one who asks beside a group
DATA = Path(__file__).parents[1] / "examples" / "population.csv"
LISTS = (
    "/datasets",
    "/datasets/{dataset}/series",
    "/datasets/{dataset}/observations?unique_id={series}",
    "/jobs",
    "/models",
    "/models/{model}/backtest",
    "/models/{model}/backtest/series",
    "/schedules",
    "/workers",
)


class Reply(NamedTuple):
    """The status of a response, and the seconds it took."""

    status: int
    seconds: float


async def ask(line: Connection, path: str, method: str = "GET", sent: object = None) -> Reply:
    """Send a request over an open connection."""
    began, body = time.monotonic(), b"" if sent is None else json.dumps(sent).encode()
    status, _ = await line.ask(method, path, body)
    return Reply(status, time.monotonic() - began)


@dataclass(frozen=True)
class Target:
    """A service, what it holds, and requests to it over a connection each."""

    url: str
    dataset: str
    model: str
    schedule: str
    series: str
    levels: Iterator[tuple[int, int]] = field(
        default_factory=lambda: itertools.combinations(range(50, 100), 2)
    )

    @property
    def lists(self) -> list[str]:
        """The paths of all lists."""
        return [
            path.format(dataset=self.dataset, model=self.model, series=self.series.replace(" ", "+"))
            for path in LISTS
        ]

    def uncached_path(self) -> str:
        """Return the path of a forecast that is not cached."""
        low, high = next(self.levels)
        name = self.series.replace(" ", "+")
        return f"/forecast?dataset_id={self.dataset}&unique_id={name}&level={low}&level={high}"

    def line(self) -> Connection:
        """Return a connection that is not open yet."""
        place = urlsplit(self.url)
        return Connection(str(place.hostname), int(place.port or 0))

    async def ask(self, path: str, method: str = "GET", sent: object = None) -> Reply:
        """Send a request over a connection of its own."""
        async with self.line() as line:
            return await ask(line, path, method, sent)


@dataclass(frozen=True)
class Load:
    """The responses to a group of concurrent requests, and to the others beside it."""

    group: list[Reply]
    others: dict[str, list[Reply]]

    def slowest(self, *who: str) -> float:
        """Return the seconds of the slowest response, of the group or of others."""
        return max(reply.seconds for reply in self._of(who))

    def statuses(self, *who: str) -> set[int]:
        """Return the statuses of the group, or of others."""
        return {reply.status for reply in self._of(who)}

    def _of(self, who: tuple[str, ...]) -> list[Reply]:
        return [reply for each in who for reply in self.others[each]] if who else self.group


async def concurrent_reads(target: Target, path: str) -> Load:
    """Read a list many times at once; send other requests for as long as that takes."""
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(target.line()) for _ in range(READERS)]
        return await beside(target, asyncio.gather(*(ask(line, path) for line in lines)))


async def beside(target: Target, group: "asyncio.Future[list[Reply]]") -> Load:
    """Send other requests until the group has its responses."""
    others = {
        "health": lambda: target.ask("/healthz"),
        "readiness": lambda: target.ask("/readyz"),
        "forecast": lambda: target.ask(target.uncached_path()),
        "change": lambda: target.ask(f"/schedules/{target.schedule}", "PATCH", {"paused": True}),
    }
    replies = await asyncio.gather(*(_meanwhile(group, ask) for ask in others.values()))
    return Load(await group, dict(zip(others, replies, strict=True)))


async def _meanwhile(
    group: "asyncio.Future[list[Reply]]", ask: Callable[[], Awaitable[Reply]]
) -> list[Reply]:
    replies = [await ask()]
    while not group.done():
        await asyncio.sleep(PAUSE_S)
        replies.append(await ask())
    return replies


async def concurrent_uploads(target: Target) -> Load:
    """Upload many wide tables at once."""
    names = ["date", *(f"reading {i}" for i in range(COLUMNS - 1))]
    rows = ([f"2024-01-{day + 1:02}", *(str(day + i) for i in range(COLUMNS - 1))] for day in range(ROWS))
    table = "\n".join(",".join(row) for row in itertools.chain([names], rows)).encode()
    async with httpx2.AsyncClient(
        base_url=target.url, timeout=60, limits=httpx2.Limits(max_connections=None)
    ) as client:

        async def send() -> Reply:
            began, form = time.monotonic(), {"target_column": "reading 7"}
            answer = await client.post("/datasets", files={"file": ("wide.csv", table)}, data=form)
            return Reply(answer.status_code, time.monotonic() - began)

        return await beside(target, asyncio.gather(*(send() for _ in range(UPLOADS))))


def prepared(url: str) -> Target:
    """Upload the population, train on it and make a schedule."""
    with Client(url) as client:
        dataset = client.upload(DATA)
        job = client.wait(client.train(dataset.id, 5, "quick").id)
    body = {"dataset_id": dataset.id, "cron": "0 6 1 1 *", "train": {"horizon": 5}}
    schedule: dict[str, Any] = httpx2.post(f"{url}/schedules", json=body).raise_for_status().json()
    return Target(url, dataset.id, str(job.model_id), schedule["id"], "Norway")


async def measure(target: Target) -> dict[str, Load]:
    """Measure one group of requests after the other."""
    for path in (*target.lists, target.uncached_path(), "/readyz"):
        await target.ask(path)  # the first request of each kind imports what it needs
    found = {path.partition("?")[0]: await concurrent_reads(target, path) for path in target.lists}
    return {**found, f"{UPLOADS} uploads": await concurrent_uploads(target)}


@contextmanager
def _postgres() -> Iterator[str]:
    """Start a server with an empty database, and give its address."""
    programs = postgres.programs()
    if programs is None:
        raise SystemExit("Postgres' server programs are not here.")
    with postgres.running_server(programs) as server, postgres.own_database(server.url) as url:
        yield url


def main() -> None:
    """Measure, print and keep."""
    end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--postgres", action="store_true", help="on a server of its own, in place of SQLite")
    on_postgres = parser.parse_args().postgres
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatecast-concurrency-")))
        more = {"DATABASE_URL": stack.enter_context(_postgres())} if on_postgres else {}
        service = stack.enter_context(running_service(folder, **more))
        target = prepared(service.url)
        service.wait_until_quiet()
        found = asyncio.run(measure(target))
    whole = [each.statuses() | each.statuses(*each.others) for each in found.values()]
    rows = [
        (path, *(f"{seconds:.2f}" for seconds in (each.slowest(), *map(each.slowest, each.others))))
        for path, each in found.items()
    ]
    print(f"Slowest answers in seconds; bounds: the group {ANSWERED_S:g}, health {HEALTHY_S:g}.")
    print_table(("group of", "itself", "health", "readiness", "forecast", "change"), rows)
    result = {
        "database": "postgres" if on_postgres else "sqlite",
        "readers_worst_s": max(each.slowest() for name, each in found.items() if name.startswith("/")),
        "uploads_worst_s": found[f"{UPLOADS} uploads"].slowest(),
        "health_worst_s": max(each.slowest("health") for each in found.values()),
        "refused": sorted(set().union(*whole) - {200, 201}),
    }
    finish(
        "concurrency",
        {name: round(each, 3) if isinstance(each, float) else each for name, each in result.items()},
    )


if __name__ == "__main__":
    main()
