"""Half of full load for long, while observations come and champions change: nothing stale, nothing grows.

Calls are made when they are due, as long as a connection is free; one that cannot be made by then is left
out and counted (`skipped`), so that the times told are the service's, from a call to its answer, and no queue
of the generator's own. Every few seconds one series gets its next observation, and one of two models is
promoted.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from math import ceil
from statistics import median
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np

from benchmarks import wrk
from benchmarks.connection import NO_ANSWER, Connection
from benchmarks.monthly import HORIZON, Monthly, month
from benchmarks.process_tree import tree_memory_mb
from benchmarks.report import print_table
from benchmarks.serving_setup import ServingSetup
from benchmarks.staleness import Changes
from gatecast_client import Client

CONNECTIONS = 32
FULL_LOAD_S = 5
PATHS = 100_000
CHANGE_EVERY_S = 5.0
MEMORY_EVERY_S = 2.0
PATIENCE_S = 1.0  # for processes that did not make the change themselves
GROWTH_BOUND = 0.05
LATE_S = 0.05  # after it was due, a call is left out
OK, CREATED, BAD_REQUEST, SERVER_ERROR = 200, 201, 400, 500
ABSENT = (404, 405)


@dataclass
class Schedule:
    """Calls at a steady rate for so long, each at its own time."""

    began: float
    rate: float
    seconds: float
    skipped: int = 0
    _number: int = 0

    def take(self, moment: float) -> float | None:
        """Return when the next call is due, None after the last; those that are late by now are left out."""
        first = max(self._number, min(ceil((moment - LATE_S - self.began) * self.rate), self._end))
        self.skipped += first - self._number
        if first >= self._end:
            self._number = first
            return None
        self._number = first + 1
        return self.began + first / self.rate

    @property
    def _end(self) -> int:
        return int(self.rate * self.seconds)


@dataclass
class Soak:
    """One run and what it has seen."""

    setup: ServingSetup
    models: Sequence[str]
    paths: Sequence[str]
    versions: Changes[int]
    champions: Changes[str]
    lengths: dict[str, int]
    statuses: Counter[int] = field(default_factory=Counter)
    stale: Counter[str] = field(default_factory=Counter)
    taken_ms: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  # no secrets
    skipped: int = 0
    appended: int = 0
    promoted: int = 0
    clock: Callable[[], float] = time.monotonic

    async def run(self, rate: float, seconds: float) -> None:
        """Ask at this rate for so long."""
        schedule = Schedule(self.clock(), rate, seconds)
        async with asyncio.TaskGroup() as tasks, AsyncExitStack() as connections:
            opened = [
                await connections.enter_async_context(self._connection()) for _ in range(CONNECTIONS + 1)
            ]
            readers = [tasks.create_task(self.read(one, schedule)) for one in opened[1:]]
            others = [tasks.create_task(self._change(opened[0])), tasks.create_task(self._watch_memory())]
            await asyncio.wait(readers)
            for task in others:
                task.cancel()
        self.skipped = schedule.skipped

    def count_statuses(self, lowest: int, below: float = float("inf")) -> int:
        """Count the answers with such a status."""
        return sum(times for status, times in self.statuses.items() if lowest <= status < below)

    def _connection(self) -> Connection:
        address = urlsplit(self.setup.service.url)
        return Connection(str(address.hostname), int(address.port or 80))

    async def read(self, connection: Connection, schedule: Schedule) -> None:
        """Make the next call that is due, again and again; its time counts from when it was made."""
        while (due := schedule.take(self.clock())) is not None:
            await asyncio.sleep(max(0.0, due - self.clock()))
            requested = self.clock()
            status, body = await connection.ask("GET", self.chance.choice(self.paths))
            received = self.clock()
            self.statuses[status] += 1
            self.taken_ms.append(1000 * (received - requested))
            if status == OK:
                self._judge(json.loads(body), requested, received)

    def _judge(self, answer: dict[str, Any], requested: float, received: float) -> None:
        if answer["dataset_version"] < min(self.versions.allowed(requested, received)):
            self.stale["version"] += 1
        if answer["model_id"] not in self.champions.allowed(requested, received):
            self.stale["model"] += 1

    async def _change(self, connection: Connection) -> None:
        appends = True
        for number in count(1):
            await asyncio.sleep(CHANGE_EVERY_S / 2)
            appends = appends and await self._append(connection, number)
            await asyncio.sleep(CHANGE_EVERY_S / 2)
            await self._promote(connection, self.models[number % 2])

    async def _append(self, connection: Connection, number: int) -> bool:
        """Let the next of the series be observed once more; False if the service cannot."""
        name = list(self.lengths)[number % len(self.lengths)]
        observation = {"unique_id": name, "ds": str(month(np.array([self.lengths[name]]))[0]), "y": 1000.0}
        change = self.versions.begin(number + 1, time.monotonic())
        body = json.dumps({"observations": [observation]}).encode()
        status, answer = await connection.ask("POST", f"/datasets/{self.setup.dataset_id}/observations", body)
        if status in ABSENT:
            print(f"POST /datasets/ID/observations answered {status}: nothing is appended.", flush=True)
            return False
        self.statuses[status] += 1
        if status in {OK, CREATED}:
            change.value = json.loads(answer)["version"]
            change.confirmed = time.monotonic()
            self.lengths[name] += 1
            self.appended += 1
        return True

    async def _promote(self, connection: Connection, model_id: str) -> None:
        change = self.champions.begin(model_id, time.monotonic())
        status, _ = await connection.ask("POST", f"/models/{model_id}/promote")
        self.statuses[status] += 1
        if status == OK:
            change.confirmed = time.monotonic()
            self.promoted += 1

    async def _watch_memory(self) -> None:
        while True:
            self.memory_mb.append(await asyncio.to_thread(tree_memory_mb, self.setup.service.pid))
            await asyncio.sleep(MEMORY_EVERY_S)


def soak(setup: ServingSetup, monthly: Monthly, minutes: float, workers: int) -> dict[str, Any]:
    """Measure full load, take half of it for so many minutes, and return what was seen."""
    with Client(setup.service.url) as client:
        other = client.wait(client.train(setup.dataset_id, HORIZON, "quick", promote="never", seed=1).id)
    paths = [
        f"/forecast?dataset_id={setup.dataset_id}&unique_id={quote(name, safe='')}" for name in monthly.names
    ]
    setup.service.wait_until_quiet()
    full = full_load(setup, paths)
    patience_s = PATIENCE_S if workers > 1 else 0.0
    run = Soak(
        setup=setup,
        models=(setup.model_id, str(other.model_id)),
        paths=paths,
        versions=Changes(1, patience_s),
        champions=Changes(setup.model_id, patience_s),
        lengths={str(name): int(length) for name, length in monthly.rows.groupby("unique_id").size().items()},
    )
    print(f"Full load is {full:.0f} requests/s; half of it for {minutes:g} minutes.", flush=True)
    asyncio.run(run.run(full / 2, 60 * minutes))
    return _figures(run, full, minutes)


def full_load(setup: ServingSetup, paths: Sequence[str]) -> float:
    """Requests a second over all series, by chance, as fast as they are answered."""
    chance, file = random.Random(1), setup.folder / "soak-paths"  # noqa: S311  # chance, not secrets
    file.write_text("".join(f"{path}\n" for path in chance.choices(paths, k=PATHS)))
    return wrk.load(setup.service.url, CONNECTIONS, FULL_LOAD_S, script=(wrk.PATHS, file)).rps


def growth(samples: Sequence[float]) -> float:
    """How much more the last quarter holds than the second, as a share of that."""
    quarter = len(samples) // 4
    if quarter == 0:
        return 0.0
    return median(samples[-quarter:]) / median(samples[quarter : 2 * quarter]) - 1


def _figures(run: Soak, full: float, minutes: float) -> dict[str, Any]:
    figures = {
        "minutes": minutes,
        "full_rps": round(full, 1),
        "requests": sum(run.statuses.values()),
        "skipped": run.skipped,
        "fivexx": run.count_statuses(SERVER_ERROR),
        "unanswered": run.statuses[NO_ANSWER],
        "refused": run.count_statuses(BAD_REQUEST, SERVER_ERROR),
        "stale": sum(run.stale.values()),
        "appended": run.appended,
        "promoted": run.promoted,
        "p50_ms": round(float(np.percentile(run.taken_ms, 50)), 2),
        "p99_ms": round(float(np.percentile(run.taken_ms, 99)), 2),
        "rss_mb": round(max(run.memory_mb), 1),
        "rss_growth": round(growth(run.memory_mb), 4),
    }
    print(f"Bounds: no answer of 500 or more, none stale, memory within {GROWTH_BOUND:.0%}.")
    if run.skipped:
        print(f"The generator fell behind: {run.skipped} calls that were due had no connection in time.")
    print_table(("", "soak"), [(name, str(figure)) for name, figure in figures.items()])
    return {**figures, "stale_by": dict(run.stale)}
