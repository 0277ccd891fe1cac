"""Requests that come at the same time share one read of the database and, where it takes one, one pass."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from app.db.engine import Database, Session
from app.errors import Unavailable
from app.observability import metrics
from app.services.datasets import catalog
from app.services.forecasting import compute, formats
from app.services.forecasting.formats import Item
from app.services.forecasting.resolve import ForecastKey, Plan
from app.services.forecasting.result import ForecastResult
from app.services.registry.quantile_forecasts import LoadedModel, SeriesQuantiles
from app.services.registry.stored_forecasts import Found

INLINE_WORK = 200_000  # in units of `_work_of`: a few milliseconds, as much as a switch to a thread costs
INLINE_READS = 64  # series read in the event loop: a fraction of a millisecond
MAX_BATCH = 1000  # series of all requests in one pass
Done = TypeVar("Done")


class Batch:
    """The series of requests that met, by name; few of them share the work on their results, too."""

    def __init__(self, series: SeriesQuantiles) -> None:
        self.series = series
        self._items: dict[tuple[object, ...], list[Item]] = {}

    def result(self, plan: Plan, unique_ids: Collection[str], levels: tuple[int, ...]) -> ForecastResult:
        """Return the result for some of the series, by name, as far as the plan goes, at these levels."""
        return compute.result_of_series(plan, self.series.take(self._places(unique_ids)), levels)

    def page_json(self, plan: Plan, unique_ids: Collection[str], levels: tuple[int, ...]) -> bytes:
        """Return that result as a page of JSON."""
        if len(self.series) > INLINE_READS:
            return formats.page_json(self.result(plan, unique_ids, levels))
        key = (plan.horizon, plan.until, plan.limits, levels)
        if key not in self._items:
            self._items[key] = formats.items(compute.result_of_series(plan, self.series, levels))
        items = self._items[key]
        return formats.items_json([items[place] for place in self._places(unique_ids)])

    def _places(self, unique_ids: Collection[str]) -> list[int]:
        return [self.series.places[name] for name in sorted(unique_ids)]


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A request for named series, and the future that its caller waits for."""

    unique_ids: tuple[str, ...]
    future: "asyncio.Future[Batch]"


class _Queue:
    """The requests for one plan that wait for a turn."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.waiting: list[_Waiting] = []
        self._taken: list[_Waiting] = []

    def take(self) -> list[_Waiting]:
        """Take as many requests as fit into one pass, at least one; none if all callers have gone."""
        self.waiting = [request for request in self.waiting if not request.future.done()]
        count, series = 0, 0
        for request in self.waiting:
            series += len(request.unique_ids)
            if count and series > MAX_BATCH:
                break
            count += 1
        self._taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return self._taken

    def cancel(self) -> None:
        """Cancel the futures that have no result."""
        for request in (*self._taken, *self.waiting):
            request.future.cancel()  # has no effect on a future with a result


class Batcher:
    """Finds quantile forecasts of named series: requests that come during a turn share the next one.

    They are read where they are stored. Others share one pass of the model, which `load` loads. On an SQLite
    database little work runs in the event loop, since a thread would cost more than the work. If it would
    have to wait, it runs in a thread.
    """

    def __init__(self, database: Database, load: Callable[[Plan], Awaitable[LoadedModel]]) -> None:
        self._database, self._load = database, load
        self._queues: dict[ForecastKey, _Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def forecast(self, plan: Plan, unique_ids: tuple[str, ...]) -> Batch:
        """Return a batch that holds the named series.

        Raises NotFound if one of them does not exist.
        """
        key = plan.forecast_key
        request = _Waiting(unique_ids, asyncio.get_running_loop().create_future())
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue(plan)
            task = asyncio.create_task(self._work_off(key, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        queue.waiting.append(request)
        return await request.future

    async def _work_off(self, key: ForecastKey, queue: _Queue) -> None:
        try:
            while batch := await self._gather(queue):
                await self._run(batch, queue.plan)
        finally:
            # Even after an error the next request must start anew, and no caller may wait for ever.
            del self._queues[key]
            queue.cancel()

    async def _run(self, batch: list[_Waiting], plan: Plan) -> None:
        try:
            names = list(dict.fromkeys(name for request in batch for name in request.unique_ids))
            found = await self._read(plan, names)
            series = await self._completed(plan, found)
            _settle(batch, series, plan, set(found.missing))
        except Exception as error:  # noqa: BLE001  # whatever it is, every caller should get it
            _fail(batch, error)

    async def _gather(self, queue: _Queue) -> list[_Waiting]:
        """Wait one turn of the event loop, and further turns while more requests come in."""
        seen = -1
        while seen < len(queue.waiting) < MAX_BATCH:
            seen = len(queue.waiting)
            await asyncio.sleep(0)
        return queue.take()

    async def _read(self, plan: Plan, names: list[str]) -> Found:
        read = partial(compute.read_stored, plan=plan, unique_ids=names)
        return await self._in_turn(partial(_with, work=read), is_little=len(names) <= INLINE_READS)

    async def _completed(self, plan: Plan, found: Found) -> SeriesQuantiles:
        """Compute what was not found."""
        if found.forecasts is not None and not found.missing:
            return found.forecasts
        model = await self._load(plan)
        is_little = _work_of(len(found.missing), model) <= INLINE_WORK
        rows = partial(compute.read_named, plan=plan, unique_ids=found.missing)
        return await self._in_turn(
            lambda opening: compute.completed(plan, model, found, _with(opening, rows)), is_little=is_little
        )

    async def _in_turn(
        self, work: Callable[[AbstractContextManager[Session]], Done], *, is_little: bool
    ) -> Done:
        """Work with a session: in the event loop if that is little and need not wait, else in a thread."""
        if self._database.is_sqlite and is_little:
            with suppress(Unavailable):  # it would have to wait, which a thread does below
                return work(self._database.read_at_once())
        return await asyncio.to_thread(work, self._database.read())


def _with(opening: AbstractContextManager[Session], work: Callable[[Session], Done]) -> Done:
    with opening as session:
        return work(session)


def _work_of(series: int, model: LoadedModel) -> int:
    """Return series times networks times the square of their width."""
    config = model.forecaster.config
    return series * sum(config.hidden_of(view) ** 2 for view in config.views)


def _settle(waiting: list[_Waiting], series: SeriesQuantiles, plan: Plan, computed: set[str]) -> None:
    batch = Batch(series)
    for request in waiting:
        (metrics.STORED if computed.isdisjoint(request.unique_ids) else metrics.COMPUTED).inc()
        if missing := set(request.unique_ids) - series.places.keys():
            _fail([request], catalog.no_such_series(plan.version, missing))
        elif not request.future.done():  # else the caller has gone
            request.future.set_result(batch)


def _fail(batch: list[_Waiting], error: Exception) -> None:
    for request in batch:
        if not request.future.done():
            request.future.set_exception(error)
