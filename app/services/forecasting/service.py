"""The forecast service: from a request to a response, from memory where it is current."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from app.auth import Principal
from app.db.engine import Database
from app.errors import VersionGone
from app.intake.frame import SeriesFrame
from app.observability import metrics
from app.schemas.backtests import PretrainedBacktestOut
from app.schemas.media_types import CONTENT_TYPES, JSON
from app.services.forecasting import ad_hoc, compute, formats, pretrained
from app.services.forecasting.ad_hoc import Rows
from app.services.forecasting.batching import Batcher
from app.services.forecasting.charts import refuse_several
from app.services.forecasting.formats import CHARTS, TABLES
from app.services.forecasting.model_cache import ModelCache
from app.services.forecasting.model_loading import load_model
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.resolve import Plan, Resolver, refuse_seasons, said_of_until
from app.services.forecasting.response_cache import (
    FinishedResponse,
    RawRequestKey,
    ResponseCache,
    ResponseKey,
    etag_matches,
    not_modified,
    revalidation_headers,
)
from app.services.forecasting.result import Context, ForecastResult
from app.services.registry.quantile_forecasts import LoadedModel
from app.services.shared.change_feed import ChangeFeed
from app.settings import MEBIBYTE, Settings
from app.version import release

PAGE_THREADS = 32
AD_HOC_THREADS = 4  # ad hoc requests at a time; a thousand series take seconds
INLINE_SERIES = 16  # most series written in the event loop; a chart takes a tenth of a second
JSON_HEADERS = {"content-type": CONTENT_TYPES[JSON]}
TRIES = 3  # to read the newest version before it is dropped


@dataclass(frozen=True, eq=False)
class StreamedResponse:
    """A table of all series, which is computed as it is sent."""

    parts: Iterator[bytes]
    media_type: str
    headers: dict[str, str]


Response = FinishedResponse | StreamedResponse
Done = TypeVar("Done")


class ForecastService:
    """Answers forecast requests in one event loop, with models on one device."""

    def __init__(self, database: Database, settings: Settings, device: str) -> None:
        self._database, self._device = database, device
        self.feed = ChangeFeed(database)
        self.responses = ResponseCache(settings.response_cache_mb * MEBIBYTE, self.feed)
        self._resolver = Resolver(database, self.feed, device)
        self._models = ModelCache(settings.model_cache_mb * MEBIBYTE)
        self._batcher = Batcher(database, self._model)
        # Ad hoc requests wait here for threads of their own, so that no other request waits for them.
        self.ad_hoc_threads = CapacityLimiter(AD_HOC_THREADS)
        # Pages have threads of their own too: those of the event loop load the models that pages wait for.
        self._page_threads = CapacityLimiter(PAGE_THREADS)

    def open(self) -> None:
        """Start following changes of the database."""
        self.feed.open()

    def close(self) -> None:
        """Stop following changes, and begin no further backtest."""
        self._resolver.close()
        self.feed.close()

    async def respond(
        self,
        principal: Principal,
        request: ForecastRequest,
        raw_key: RawRequestKey,
        if_none_match: bytes | None,
    ) -> Response:
        """Answer a request about a dataset, and remember the response under the raw request.

        Raises as `Resolver.resolve` and `Batcher.forecast` do, and BadInput for a chart of several series.
        """
        if request.media_type in CHARTS and request.unique_ids:
            refuse_several(len(request.unique_ids), "?unique_id")
        attempt = partial(self._respond, principal, request, raw_key, if_none_match)
        return await self._with_newest(principal, request, attempt)

    async def respond_ad_hoc(
        self, principal: Principal, request: ForecastRequest, rows: Rows
    ) -> FinishedResponse:
        """Answer a request that sends its series in `rows`; nothing of them is kept.

        Raises as `Resolver.resolve` and `ad_hoc` do, and BadInput for a chart of several series.
        """
        if request.media_type in CHARTS:
            refuse_several(len({str(row.unique_id) for row in rows}), "#/observations")
        forecast: Callable[[], ad_hoc.Forecasts]
        if request.names_no_dataset:
            forecast = partial(ad_hoc.forecast_pretrained, rows, request, self._device)
        else:
            refuse_seasons(request)
            plan, frame = await self._ad_hoc_plan(principal, request, rows)
            model = await self._model(plan)
            forecast = partial(ad_hoc.forecast_by_plan, plan, model.forecaster, frame, rows, request.levels)
        metrics.COMPUTED.inc()
        write = partial(_ad_hoc_response, forecast, request)
        return await to_thread.run_sync(write, limiter=self.ad_hoc_threads)

    async def _ad_hoc_plan(
        self, principal: Principal, request: ForecastRequest, rows: Rows
    ) -> tuple[Plan, SeriesFrame]:
        """Return the plan for rows, and their series; `until` is so many steps as they are away from it."""

        async def resolved(wanted: ForecastRequest) -> Plan:
            attempt = partial(self._resolver.resolve, principal, wanted, to_the_end=True)
            return await self._with_newest(principal, wanted, attempt)

        plan = await resolved(replace(request, until=None))
        read = partial(ad_hoc.read, rows, plan.model.id, plan.axis, request.reading)
        frame = await to_thread.run_sync(read, limiter=self.ad_hoc_threads)
        if request.until is None:
            return plan, frame
        last, steps, name = ad_hoc.reach(frame, request.until)
        with said_of_until(steps, name):
            far = await resolved(replace(request, until=None, horizon=steps))
        return replace(far, until=last), frame

    async def pretrained_backtest(
        self, principal: Principal, request: ForecastRequest
    ) -> PretrainedBacktestOut:
        """Return what the backtest of the pretrained network found, on the dataset that a request names.

        Raises as `Resolver.resolve` and `pretrained.read_backtest` do.
        """
        attempt = partial(self._resolver.resolve, principal, request)
        plan = await self._with_newest(principal, request, attempt)
        return await asyncio.to_thread(
            pretrained.read_backtest, self._database, plan.version, plan.model, plan.served_method
        )

    async def _respond(
        self,
        principal: Principal,
        request: ForecastRequest,
        raw_key: RawRequestKey,
        if_none_match: bytes | None,
    ) -> Response:
        moment = self.feed.moment
        plan = await self._resolver.resolve(principal, request)
        with self._resolver.giving_way():
            return await self._respond_by(plan, request, raw_key, if_none_match, moment)

    async def _respond_by(
        self,
        plan: Plan,
        request: ForecastRequest,
        raw_key: RawRequestKey,
        if_none_match: bytes | None,
        moment: int,
    ) -> Response:
        if request.media_type in CHARTS and not request.unique_ids:
            only = await asyncio.to_thread(compute.only_series, self._database, plan)
            request = replace(request, unique_ids=(only,))
        key = _response_key(request, plan)
        if etag_matches(if_none_match, key.etag):
            metrics.UNCHANGED.inc()
            return not_modified(key.etag)
        if request.media_type in TABLES and not request.unique_ids:
            return await self._stream(request, plan, key)
        response = self.responses.get(key)
        if response is None:
            response = await self._compute(request, plan, key)
            self.responses.put(key, response)
        else:
            metrics.FROM_RESPONSE_CACHE.inc()
        self.responses.remember(raw_key, key, moment)
        return response

    async def _with_newest(
        self, principal: Principal, request: ForecastRequest, attempt: Callable[[], Awaitable[Done]]
    ) -> Done:
        """Try again if the newest version was dropped after it was found and before it was read.

        Raises VersionGone for a version that the request names by number, or at the last try.
        """
        for _ in range(TRIES - 1):
            try:
                return await attempt()
            except VersionGone:
                if request.dataset_version is not None:
                    raise
                self._resolver.forget(principal, request)
        return await attempt()

    async def _compute(self, request: ForecastRequest, plan: Plan, key: ResponseKey) -> FinishedResponse:
        if not request.unique_ids:
            return await self._page(request, plan, key)
        batch = await self._batcher.forecast(plan, request.unique_ids)

        def write() -> FinishedResponse:
            wanted = plan, request.unique_ids, request.levels
            if request.media_type == JSON:
                return FinishedResponse.of(batch.page_json(*wanted), JSON_HEADERS, key.etag)
            return self._finish(request, plan, key, batch.result(*wanted))

        if len(request.unique_ids) <= INLINE_SERIES and request.media_type not in CHARTS:
            return write()
        return await asyncio.to_thread(write)

    async def _page(self, request: ForecastRequest, plan: Plan, key: ResponseKey) -> FinishedResponse:
        load = self._loading(plan)

        def write() -> FinishedResponse:
            result = compute.result_of_page(self._database, plan, load, request.page, request.levels)
            return self._finish(request, plan, key, result)

        return await to_thread.run_sync(write, limiter=self._page_threads)

    async def _stream(self, request: ForecastRequest, plan: Plan, key: ResponseKey) -> StreamedResponse:
        pages = compute.result_pages(self._database, plan, self._loading(plan), request.levels)
        # Computed before the response starts, so that an error still becomes a problem document.
        first = await to_thread.run_sync(next, pages)
        headers = formats.headers(first, request.media_type)
        headers |= {name.decode(): text.decode() for name, text in revalidation_headers(key.etag)}
        named = (formats.with_names_for(request, page) for page in chain([first], pages))
        return StreamedResponse(TABLES[request.media_type](named), request.media_type, headers)

    def _loading(self, plan: Plan) -> Callable[[], LoadedModel]:
        """Return what loads a plan's model, for a thread that is not among those of the event loop."""
        loop = asyncio.get_running_loop()
        return lambda: asyncio.run_coroutine_threadsafe(self._model(plan), loop).result()

    async def _model(self, plan: Plan) -> LoadedModel:
        load = partial(load_model, self._database, plan.model, plan.axis.seasons, self._device)
        return await self._models.get(plan.model_key, load)

    def _finish(
        self, request: ForecastRequest, plan: Plan, key: ResponseKey, result: ForecastResult
    ) -> FinishedResponse:
        media_type, context = request.media_type, None
        if media_type in CHARTS:
            context = compute.read_context(self._database, plan, result.unique_ids[0])
        named = formats.with_names_for(request, result)
        data = formats.write(named, media_type, context)
        return FinishedResponse.of(data, formats.headers(result, media_type), key.etag)


def _ad_hoc_response(forecast: Callable[[], ad_hoc.Forecasts], request: ForecastRequest) -> FinishedResponse:
    result, frame = forecast()
    media_type = request.media_type
    context = Context.of_only(frame) if media_type in CHARTS else None
    data = formats.write(formats.with_names_for(request, result), media_type, context)
    return FinishedResponse.of(data, formats.headers(result, media_type))


def _response_key(request: ForecastRequest, plan: Plan) -> ResponseKey:
    is_page = not request.unique_ids
    return ResponseKey(
        release=release(),
        workspace_id=plan.version.workspace_id,
        model_id=plan.model.id,
        weights_sha256=plan.model.weights_sha256,
        dataset_id=plan.version.dataset_id,
        dataset_version=plan.version.version,
        dataset_sha256=plan.version.source_sha256,
        method=plan.served_method.name,
        warning=plan.served_method.warning,
        unique_ids=request.unique_ids,
        limit=request.page.limit if is_page else None,
        after=request.page.after if is_page else None,
        horizon=plan.horizon,
        until=plan.until,
        levels=request.levels,
        limits=plan.limits,
        media_type=request.media_type,
        quote_formulas=request.quote_formulas,
    )
