"""Forecasts at memory speed: what answers, with its model and its last answers kept as long as they hold."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from app.auth import Principal
from app.db.engine import Database, DatasetRef
from app.errors import VersionGone
from app.observability import metrics
from app.services.forecasting.ad_hoc import Rows, Served, forecast_by_themselves, forecast_rows
from app.services.forecasting.batching import Batcher
from app.services.forecasting.model_cache import ModelCache
from app.services.forecasting.model_loading import LoadedModel, ModelKey
from app.services.forecasting.quantile_forecasts import Outlooks, SeriesOutlook, answers_of
from app.services.forecasting.resolve import (
    ForecastQuery,
    Reading,
    Source,
    Subject,
    VersionKey,
    find_source,
    history_of,
    load_model,
    looked_back,
    pages,
    read_page,
)
from app.services.forecasting.response_cache import Body, BodyCache, BodyKey, Spelling
from app.services.forecasting.result import Answered, Answers, History
from app.services.registry.served_method import ServedMethod
from app.services.shared.change_feed import ChangeFeed
from app.services.shared.lru import Lru
from app.services.shared.paging import PageRequest
from app.services.shared.single_flight import SingleFlight
from app.settings import MEBIBYTE, Settings
from app.version import release

SOURCES = 1000
DRAWN = ("image/png", "image/svg+xml")  # a picture takes a tenth of a second
BROUGHT = 4  # calls at a time that bring their series; a thousand series take seconds
FEW = 16  # series that are written in the event loop
TRIES = 3  # to read the newest version before it is thinned out
Done = TypeVar("Done")
SourceKey = tuple[str, Subject]  # workspace, what is asked
PastKey = tuple[VersionKey, int]  # and horizon


@dataclass(frozen=True)
class Asked:
    """A question that is understood: what answers it, and under which key; `moment` is when it was asked."""

    query: ForecastQuery
    page: PageRequest
    source: Source
    key: BodyKey
    moment: int


Write = Callable[[Asked, Answered], Body]
"""Writes forecasts as what they were asked for."""


class ForecastService:
    """Answers queries in one event loop, with the models it keeps loaded on one device."""

    def __init__(self, database: Database, settings: Settings, device: str) -> None:
        self._database, self._device = database, device
        self.feed = ChangeFeed(database)
        self.bodies = BodyCache(settings.response_cache_mb * MEBIBYTE, self.feed)
        self._models = ModelCache(settings.model_cache_mb * MEBIBYTE)
        self._sources: Lru[SourceKey, tuple[Source, int]] = Lru(SOURCES)
        self._looked_back: SingleFlight[PastKey, ServedMethod] = SingleFlight(Lru(SOURCES))
        self._outlooks = Outlooks(settings.quantile_forecast_cache_mb * MEBIBYTE)
        self._batcher = Batcher(database, self._outlooks)
        self._pins = settings.pin_champions
        # Calls that bring their series wait here for threads of their own, so that no other waits for them.
        self.turns = CapacityLimiter(BROUGHT)
        self._pinned: dict[DatasetRef, tuple[ModelKey, int]] = {}

    def open(self) -> None:
        """Begin to follow what changes."""
        self.feed.open()

    def close(self) -> None:
        """Follow no more."""
        self.feed.close()

    async def with_newest(
        self, principal: Principal, query: ForecastQuery, attempt: Callable[[], Awaitable[Done]]
    ) -> Done:
        """Do what finds out a query's version, then reads it: anew where it has been thinned out in between.

        Raises VersionGone for a version that was asked for by its number, or the third time.
        """
        for _ in range(TRIES - 1):
            try:
                return await attempt()
            except VersionGone:
                if query.dataset_version is not None:
                    raise
                self._sources.drop((principal.workspace_id, query.subject))
        return await attempt()

    async def understand(
        self, principal: Principal, query: ForecastQuery, page: PageRequest, media_type: str
    ) -> Asked:
        """Find out what answers a query; raises as `find_source` does."""
        moment = self.feed.moment
        source = await self._source(principal, query)
        is_page = not query.unique_ids
        key = BodyKey(
            release=release(),
            workspace_id=principal.workspace_id,
            model_id=source.model.id,
            weights_sha256=source.model.weights_sha256,
            dataset_id=source.version.dataset_id,
            dataset_version=source.version.version,
            dataset_sha256=source.version.source_sha256,
            method=source.served_method.name,
            warned=source.served_method.warning is not None,
            unique_ids=query.unique_ids,
            limit=page.limit if is_page else None,
            after=page.after if is_page else None,
            horizon=source.horizon,
            levels=query.levels,
            media_type=media_type,
        )
        return Asked(query, page, source, key, moment)

    async def body(self, asked: Asked, spelling: Spelling, write: Write) -> Body:
        """Return the answer as bytes, made now unless it was before, and remember how it was asked for."""
        body = self.bodies.get(asked.key)
        if body is None:
            body = await (self._named(asked, write) if asked.query.unique_ids else self._page(asked, write))
            self.bodies.put(asked.key, body)
        else:
            metrics.FROM_RESPONSE_CACHE.inc()
        self.bodies.learn(spelling, asked.key, asked.moment)
        return body

    async def unseen(self, principal: Principal, query: ForecastQuery, rows: Rows) -> Answered:
        """Forecast the series that rows hold with what answers a query, or by themselves if it names nothing.

        Raises as `find_source`, `forecast_rows` and `forecast_by_themselves` do.
        """
        if query.names_no_dataset:
            forecast = partial(forecast_by_themselves, rows, query.horizon, query.levels, self._device)
        else:
            source = await self.with_newest(principal, query, partial(self._source, principal, query))
            model = await self._model(source)
            served = Served(source.model, source.axis, source.served_method, model.forecaster)
            forecast = partial(forecast_rows, served, rows, source.horizon, query.levels)

        def make() -> Answered:
            answers, frame = forecast()
            return Answered(answers, lambda: History.of_only(frame))

        metrics.COMPUTED.inc()
        return await to_thread.run_sync(make, limiter=self.turns)

    async def _named(self, asked: Asked, write: Write) -> Body:
        outlooks = await self._outlooks_on(asked.source, asked.query.unique_ids)

        def make() -> Body:
            answers = answers_of(asked.source, outlooks, asked.query.levels)
            return write(asked, self._answered(asked.source, answers))

        if len(outlooks) <= FEW and asked.key.media_type not in DRAWN:
            return make()
        return await asyncio.to_thread(make)

    async def _outlooks_on(self, source: Source, unique_ids: tuple[str, ...]) -> list[SeriesOutlook]:
        """Return what is said of the named series, by name, from memory if all of it is there."""
        kept = self._outlooks.recall(source.outlook_key, unique_ids)
        if kept is not None:
            metrics.FROM_QUANTILE_FORECAST_CACHE.inc()
            return kept
        metrics.COMPUTED.inc()
        return await self._batcher.ask(source, await self._model(source), unique_ids)

    async def _page(self, asked: Asked, write: Write) -> Body:
        source, levels = asked.source, asked.query.levels
        metrics.COMPUTED.inc()
        model = await self._model(source)

        def make() -> Body:
            with self._database.read() as session:
                rows, following = read_page(session, source, asked.page)
            answers = Reading(source, model, rows).answers(levels)
            return write(asked, self._answered(source, answers, following))

        return await asyncio.to_thread(make)

    def _answered(self, source: Source, answers: Answers, following: str | None = None) -> Answered:
        def history() -> History:
            return history_of(self._database, source, answers.unique_ids[0])

        return Answered(answers, history, following)

    async def pages(self, asked: Asked) -> Iterator[Answers]:
        """Forecast every series, as they are taken; each step takes long and belongs in a thread."""
        model = await self._model(asked.source)
        metrics.COMPUTED.inc()
        return pages(self._database, asked.source, model, asked.query.levels)

    async def _source(self, principal: Principal, query: ForecastQuery) -> Source:
        key = (principal.workspace_id, query.subject)
        known = self._sources.get(key)
        if known is not None and self.feed.is_current(known[0].ref, known[1]):
            return known[0]
        moment = self.feed.moment
        source = await asyncio.to_thread(self._find_source, principal, query)
        if source.is_pretrained:
            source = replace(source, served_method=await self._past(source))
        self._sources.put(key, (source, moment))
        return source

    def _find_source(self, principal: Principal, query: ForecastQuery) -> Source:
        with self._database.read() as session:
            return find_source(session, principal, query)

    async def _past(self, source: Source) -> ServedMethod:
        """Look back once for each version and horizon: that depends on nothing else."""
        key = (source.version_key, source.horizon)
        return await self._looked_back.get(key, lambda: looked_back(self._database, source, self._device))

    async def _model(self, source: Source) -> LoadedModel:
        key = source.model_key
        if self._pins and source.is_champion:
            self._pin(source.ref, key)
        return await self._models.get(key, lambda: load_model(self._database, source, self._device))

    def _pin(self, ref: DatasetRef, key: ModelKey) -> None:
        """Keep a champion in memory; what has changed since is pinned anew when it is asked for."""
        if self._pinned.get(ref, (None, 0))[0] == key:
            return
        for one, (pinned, moment) in list(self._pinned.items()):
            if self.feed.has_changed(one, moment):
                self._models.unpin(pinned)
                del self._pinned[one]
        self._pinned[ref] = key, self.feed.moment
        self._models.pin(key)
