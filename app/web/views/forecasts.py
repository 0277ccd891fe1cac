"""The page of a forecast: one series or several, by horizon, level and model."""

from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from app.api.http.forecast_parameters import read_request
from app.api.http.identifiers import NO_NUL, DatasetId
from app.errors import Conflict
from app.schemas.backtests import BacktestRow
from app.schemas.choices import DEFAULT_LEVELS
from app.schemas.datasets import SeriesName
from app.schemas.fields import MAX_ID_LENGTH, Level
from app.schemas.forecast import ForecastPage, SeriesForecast
from app.schemas.media_types import JSON
from app.services.datasets import catalog
from app.services.forecasting.request import PRETRAINED
from app.services.forecasting.response_cache import FinishedResponse
from app.services.registry import backtests, models
from app.services.shared.paging import PageRequest
from app.web import charts
from app.web.visit import PageRoute, TheVisit, Visit

router = APIRouter(prefix="/ui/datasets", include_in_schema=False, route_class=PageRoute)
NAMES, MOST_SHOWN, MODELS = PageRequest(200), 12, PageRequest(25)
LEVELS = (50, 80, 90, 95, 99)


class Wanted(NamedTuple):
    """What the controls of the page say; the series may be left open."""

    unique_ids: list[str]
    horizon: int | None
    levels: list[int]
    model_id: str | None

    def query(self, dataset_id: str) -> str:
        """Return the query of `GET /forecast` that asks for the same."""
        pairs: list[tuple[str, Any]] = [("dataset_id", dataset_id)]
        pairs += [("unique_id", name) for name in self.unique_ids]
        pairs += [("horizon", self.horizon)] if self.horizon else []
        pairs += [("level", level) for level in self.levels]
        return urlencode(pairs + ([("model_id", self.model_id)] if self.model_id else []))


async def _wanted(
    unique_id: Annotated[list[SeriesName], Query(max_length=MOST_SHOWN, default_factory=list)],
    level: Annotated[list[Level], Query(default_factory=lambda: list(DEFAULT_LEVELS))],
    horizon: Annotated[int | None, Query(ge=1)] = None,
    model_id: Annotated[str | None, Query(max_length=MAX_ID_LENGTH, pattern=NO_NUL)] = None,
) -> Wanted:
    return Wanted(unique_id, horizon, level, model_id or None)


@router.get("/{dataset_id}/forecast")
async def forecast(
    request: Request,
    dataset_id: DatasetId,
    visit: TheVisit,
    wanted: Annotated[Wanted, Depends(_wanted)],
) -> HTMLResponse:
    """Show the forecast of some series with its intervals, its method and what it forecast before."""
    names = [each.unique_id for each in (await visit.read(catalog.series_page, dataset_id, NAMES)).series]
    wanted = wanted._replace(unique_ids=wanted.unique_ids or names[:1])
    query = wanted.query(dataset_id)
    forecasts = (await _answer(visit, query)).forecasts
    return visit.page(
        "forecast.html",
        dataset=await visit.read(catalog.get, dataset_id),
        names=names,
        wanted=wanted,
        panels=[await _panel(visit, each) for each in forecasts],
        levels=LEVELS,
        models=(await visit.read(models.page, dataset_id, MODELS)).models,
        query=query,
        origin=str(request.base_url).rstrip("/"),
    )


async def _answer(visit: Visit, query: str) -> ForecastPage:
    """Return what `GET /forecast` answers to this query."""
    raw_key = query.encode(), JSON.encode(), b""
    request = read_request(*raw_key[:2])
    response = await visit.resources.forecasts.respond(visit.principal, request, raw_key, None)
    assert isinstance(response, FinishedResponse)  # noqa: S101  # JSON is never streamed
    return ForecastPage.model_validate_json(response.data)


async def _panel(visit: Visit, shown: SeriesForecast) -> dict[str, Any]:
    """Return what the page shows of one series."""
    observed = await visit.read(catalog.observations, str(shown.dataset_id), shown.unique_id, charts.EVERY)
    rows = await _tested(visit, shown)
    return {"forecast": shown, "chart": charts.of_forecast(observed, shown, rows, visit.language)}


async def _tested(visit: Visit, shown: SeriesForecast) -> list[BacktestRow]:
    """Return the backtest's rows of a series; none where the model has no backtest."""
    if shown.model_id == PRETRAINED:
        return []
    try:
        return (await visit.read(backtests.rows_of, shown.model_id, shown.unique_id)).rows
    except Conflict:
        return []
