"""Requests that come at the same time share one database read and one forward pass."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

from app.db.engine import Database, Session
from app.errors import Unavailable
from app.observability import metrics
from app.services.datasets import catalog
from app.services.forecasting.compute import read_named, series_quantiles
from app.services.forecasting.model_loading import LoadedModel
from app.services.forecasting.quantile_forecasts import QuantileForecastCache, SeriesQuantiles
from app.services.forecasting.resolve import ForecastKey, Plan

INLINE_WORK = 200_000  # in units of `_work_of`: a few milliseconds, as much as a switch to a thread costs
MAX_BATCH = 1000  # series of all requests in one pass


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A request for named series, and the future that its caller waits for."""

    unique_ids: tuple[str, ...]
    future: "asyncio.Future[list[SeriesQuantiles]]"


class _Queue:
    """The requests for one plan that wait for a pass."""

    def __init__(self, plan: Plan, model: LoadedModel) -> None:
        self.plan, self.model = plan, model
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
    """Computes quantile forecasts of named series: requests that come during a pass share the next one.

    On an SQLite database little work runs in the event loop, since a thread would cost more than the work. If
    it would have to wait, it runs in a thread. The forecasts go into the cache.
    """

    def __init__(self, database: Database, cache: QuantileForecastCache) -> None:
        self._database, self._cache = database, cache
        self._queues: dict[ForecastKey, _Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def forecast(
        self, plan: Plan, model: LoadedModel, unique_ids: tuple[str, ...]
    ) -> list[SeriesQuantiles]:
        """Return the quantile forecasts of the named series, sorted by name.

        Raises NotFound if one of them does not exist.
        """
        key = plan.forecast_key
        request = _Waiting(unique_ids, asyncio.get_running_loop().create_future())
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue(plan, model)
            task = asyncio.create_task(self._work_off(key, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        queue.waiting.append(request)
        return await request.future

    async def _work_off(self, key: ForecastKey, queue: _Queue) -> None:
        try:
            while batch := await self._gather(queue):
                await self._run(batch, key, queue)
        finally:
            # Even after an error the next request must start anew, and no caller may wait for ever.
            del self._queues[key]
            queue.cancel()

    async def _run(self, batch: list[_Waiting], key: ForecastKey, queue: _Queue) -> None:
        try:
            found = await self._compute(batch, queue)
            self._cache.put(key, found.values())
            _settle(batch, found, queue.plan)
        except Exception as error:  # noqa: BLE001  # whatever it is, every caller should get it
            _fail(batch, error)

    async def _gather(self, queue: _Queue) -> list[_Waiting]:
        """Wait one turn of the event loop, and further turns while more requests come in."""
        seen = -1
        while seen < len(queue.waiting) < MAX_BATCH:
            seen = len(queue.waiting)
            await asyncio.sleep(0)
        return queue.take()

    async def _compute(self, batch: list[_Waiting], queue: _Queue) -> Mapping[str, SeriesQuantiles]:
        names = list(dict.fromkeys(name for request in batch for name in request.unique_ids))
        if self._database.is_sqlite and _work_of(len(names), queue.model) <= INLINE_WORK:
            with suppress(Unavailable):  # it would have to wait, which a thread does below
                return _forecast(names, queue, self._database.read_at_once())
        return await asyncio.to_thread(_forecast, names, queue, self._database.read())


def _forecast(
    names: list[str], queue: _Queue, opening: AbstractContextManager[Session]
) -> Mapping[str, SeriesQuantiles]:
    with opening as session:
        rows = read_named(session, queue.plan, names)
    metrics.BATCH_SERIES.observe(len(rows))
    return {series.unique_id: series for series in series_quantiles(queue.plan, queue.model, rows)}


def _work_of(series: int, model: LoadedModel) -> int:
    """Return series times networks times the square of their width."""
    config = model.forecaster.config
    return series * sum(config.hidden_of(view) ** 2 for view in config.views)


def _settle(batch: list[_Waiting], found: Mapping[str, SeriesQuantiles], plan: Plan) -> None:
    for request in batch:
        if missing := set(request.unique_ids) - found.keys():
            _fail([request], catalog.no_such_series(plan.version, missing))
        elif not request.future.done():  # else the caller has gone
            request.future.set_result([found[name] for name in sorted(request.unique_ids)])


def _fail(batch: list[_Waiting], error: Exception) -> None:
    for request in batch:
        if not request.future.done():
            request.future.set_exception(error)
