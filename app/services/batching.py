"""Questions that meet share one read and one forward pass."""

import asyncio
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from app.db.engine import Database
from app.db.queries import datasets as dataset_queries
from app.errors import NotFound
from app.observability import metrics
from app.services import datasets
from app.services.answers import Answered
from app.services.forecasting import Reading, Source, history_of, told_of
from app.services.loading import LoadedModel
from models.forecasts import Forecast

INLINE_WORK = 200_000  # of `_work_of`: a few milliseconds, which a hop to a thread would cost as well
MOST_TOGETHER = 1000  # series, of all questions in one pass


@dataclass(frozen=True, eq=False)
class _Question:
    source: Source
    unique_ids: tuple[str, ...]
    answer: "asyncio.Future[Answered]"


class _Batch:
    """The questions to one model about one version that wait to be answered."""

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self.waiting: list[_Question] = []

    def take(self) -> list[_Question]:
        """Take as many as fit into one pass, at least one; none, if those who asked have all gone."""
        self.waiting = [question for question in self.waiting if not question.answer.done()]
        count, series = 0, 0
        for question in self.waiting:
            series += len(question.unique_ids)
            if count and series > MOST_TOGETHER:
                break
            count += 1
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken


class Batcher:
    """Answers questions about named series; those asked while others are under way go together afterwards.

    Little work on a database in a file is done in the event loop: a thread would cost more than it takes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batches: dict[tuple[str, str, int, str], _Batch] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, source: Source, model: LoadedModel, unique_ids: tuple[str, ...]) -> Answered:
        """Forecast the named series.

        Raises NotFound if one of them is not there.
        """
        key = (*source.ref, source.version.version, source.model.weights_key + source.answerer.name)
        question = _Question(source, unique_ids, asyncio.get_running_loop().create_future())
        batch = self._batches.get(key)
        if batch is None:
            batch = self._batches[key] = _Batch(model)
            task = asyncio.create_task(self._work_off(key, batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        batch.waiting.append(question)
        return await question.answer

    async def _work_off(self, key: tuple[str, str, int, str], batch: _Batch) -> None:
        while taken := await self._gather(batch):
            try:
                results = await self._results(taken, batch.model)
            except Exception as error:  # noqa: BLE001  # whatever it is, those who asked shall hear of it
                results = [error] * len(taken)
            for question, result in zip(taken, results, strict=True):
                _settle(question, result)
        del self._batches[key]

    async def _gather(self, batch: _Batch) -> list[_Question]:
        """Wait a turn of the event loop, and another as long as more questions come in."""
        seen = -1
        while seen < len(batch.waiting) < MOST_TOGETHER:
            seen = len(batch.waiting)
            await asyncio.sleep(0)
        return batch.take()

    async def _results(self, questions: list[_Question], model: LoadedModel) -> list[Answered | Exception]:
        if self._database.is_sqlite and _work_of(questions, model) <= INLINE_WORK:
            return self._answer(questions, model)
        return await asyncio.to_thread(self._answer, questions, model)

    def _answer(self, questions: list[_Question], model: LoadedModel) -> list[Answered | Exception]:
        source = questions[0].source
        names = list(dict.fromkeys(name for question in questions for name in question.unique_ids))
        with self._database.read() as session:
            rows = dataset_queries.last_windows(session, source.version, names)
        metrics.BATCH_SERIES.observe(len(rows))
        places = {row.unique_id: place for place, row in enumerate(rows)}
        if not rows:
            return [_missing(question, places) for question in questions]
        outlook, numbers = Reading(source, model, rows).outlook(), np.arange(len(rows))

        @cache  # most of those that meet ask for the same, and one forecast of all costs as much as of one
        def forecast_as(horizon: int, levels: tuple[int, ...]) -> Forecast:
            return outlook.forecast(numbers, horizon, levels)

        def answer(question: _Question) -> Answered | Exception:
            if not places.keys() >= set(question.unique_ids):
                return _missing(question, places)
            chosen = sorted(places[name] for name in question.unique_ids)
            asked, own = question.source, [rows[number] for number in chosen]
            forecast = forecast_as(asked.horizon, asked.levels).rows(np.array(chosen))
            return Answered(told_of(asked, own, forecast), partial(history_of, asked, own))

        return [answer(question) for question in questions]


def _work_of(questions: list[_Question], model: LoadedModel) -> int:
    """Return series times networks times the square of their width."""
    series, config = sum(len(question.unique_ids) for question in questions), model.forecaster.config
    return series * sum(config.hidden_of(view) ** 2 for view in config.views)


def _missing(question: _Question, known: dict[str, int]) -> NotFound:
    return datasets.no_such_series(question.source.version, set(question.unique_ids) - known.keys())


def _settle(question: _Question, result: Answered | Exception) -> None:
    if question.answer.done():  # who asked has gone
        return
    if isinstance(result, Exception):
        question.answer.set_exception(result)
    else:
        question.answer.set_result(result)
