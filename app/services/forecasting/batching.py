"""Questions that meet share one read and one forward pass."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

from app.db.engine import Database, Session
from app.errors import Unavailable
from app.observability import metrics
from app.services.datasets import catalog
from app.services.forecasting.model_loading import LoadedModel
from app.services.forecasting.quantile_forecasts import Outlooks, SeriesOutlook, look_at
from app.services.forecasting.resolve import OutlookKey, Reading, Source, read_named

INLINE_WORK = 200_000  # of `_work_of`: a few milliseconds, which a hop to a thread would cost as well
MOST_TOGETHER = 1000  # series, of all questions in one pass


@dataclass(frozen=True, eq=False)
class _Question:
    unique_ids: tuple[str, ...]
    answer: "asyncio.Future[list[SeriesOutlook]]"


class _Batch:
    """The questions to one model about one version that wait to be answered."""

    def __init__(self, source: Source, model: LoadedModel) -> None:
        self.source, self.model = source, model
        self.waiting: list[_Question] = []
        self._taken: list[_Question] = []

    def take(self) -> list[_Question]:
        """Take as many as fit into one pass, at least one; none, if those who asked have all gone."""
        self.waiting = [question for question in self.waiting if not question.answer.done()]
        count, series = 0, 0
        for question in self.waiting:
            series += len(question.unique_ids)
            if count and series > MOST_TOGETHER:
                break
            count += 1
        self._taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return self._taken

    def give_up(self) -> None:
        """Let those go who are not answered."""
        for question in (*self._taken, *self.waiting):
            question.answer.cancel()  # does nothing to what is answered


class Batcher:
    """Finds the outlooks of named series; those asked for while others are under way go together afterwards.

    Little work on a database in a file is done in the event loop, unless it would wait for something: a
    thread would cost more than it takes. What was found is kept.
    """

    def __init__(self, database: Database, outlooks: Outlooks) -> None:
        self._database, self._outlooks = database, outlooks
        self._batches: dict[OutlookKey, _Batch] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(
        self, source: Source, model: LoadedModel, unique_ids: tuple[str, ...]
    ) -> list[SeriesOutlook]:
        """Return the outlooks of the named series, by name.

        Raises NotFound if one of them is not there.
        """
        key = source.outlook_key
        question = _Question(unique_ids, asyncio.get_running_loop().create_future())
        batch = self._batches.get(key)
        if batch is None:
            batch = self._batches[key] = _Batch(source, model)
            task = asyncio.create_task(self._work_off(key, batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        batch.waiting.append(question)
        return await question.answer

    async def _work_off(self, key: OutlookKey, batch: _Batch) -> None:
        try:
            while taken := await self._gather(batch):
                await self._answer(taken, key, batch)
        finally:
            # Whatever breaks the work off: the next to ask begins anew, and nobody waits for ever.
            del self._batches[key]
            batch.give_up()

    async def _answer(self, questions: list[_Question], key: OutlookKey, batch: _Batch) -> None:
        try:
            found = await self._find(questions, batch)
            self._outlooks.keep(key, found.values())
            _settle(questions, found, batch.source)
        except Exception as error:  # noqa: BLE001  # whatever it is, those who asked shall hear of it
            _fail(questions, error)

    async def _gather(self, batch: _Batch) -> list[_Question]:
        """Wait a turn of the event loop, and another as long as more questions come in."""
        seen = -1
        while seen < len(batch.waiting) < MOST_TOGETHER:
            seen = len(batch.waiting)
            await asyncio.sleep(0)
        return batch.take()

    async def _find(self, questions: list[_Question], batch: _Batch) -> Mapping[str, SeriesOutlook]:
        names = list(dict.fromkeys(name for question in questions for name in question.unique_ids))
        if self._database.is_sqlite and _work_of(len(names), batch.model) <= INLINE_WORK:
            with suppress(Unavailable):  # where it would have to wait, a thread does in its place
                return self._look(names, batch, self._database.glance())
        return await asyncio.to_thread(self._look, names, batch, self._database.read())

    def _look(
        self, names: list[str], batch: _Batch, opening: AbstractContextManager[Session]
    ) -> Mapping[str, SeriesOutlook]:
        with opening as session:
            rows = read_named(session, batch.source, names)
        metrics.BATCH_SERIES.observe(len(rows))
        return {series.unique_id: series for series in look_at(Reading(batch.source, batch.model, rows))}


def _work_of(series: int, model: LoadedModel) -> int:
    """Return series times networks times the square of their width."""
    config = model.forecaster.config
    return series * sum(config.hidden_of(view) ** 2 for view in config.views)


def _settle(questions: list[_Question], found: Mapping[str, SeriesOutlook], source: Source) -> None:
    for question in questions:
        if missing := set(question.unique_ids) - found.keys():
            _fail([question], catalog.no_such_series(source.version, missing))
        elif not question.answer.done():  # else who asked has gone
            question.answer.set_result([found[name] for name in sorted(question.unique_ids)])


def _fail(questions: list[_Question], error: Exception) -> None:
    for question in questions:
        if not question.answer.done():
            question.answer.set_exception(error)
