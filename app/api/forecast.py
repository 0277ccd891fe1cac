"""Forecasts, as JSON or CSV."""

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.deps import CurrentPrincipal, TheOracle
from app.api.media import CSV, MediaType, csv_response, json_response
from app.api.pagination import Page, handed_out
from app.schemas.forecast import ForecastPage, SeriesForecast
from app.services.forecasting import ForecastQuery
from app.services.formats import csv_parts

CSV_PAGE = 1000
METHOD, VERDICT, WARNING = "Gatecast-Method", "Gatecast-Verdict", "Gatecast-Warning"
router = APIRouter(tags=["forecast"])

Level = Annotated[int, Query(ge=50, le=99)]


def get_query(  # noqa: PLR0913  # one argument for each parameter of the call
    *,
    dataset_id: Annotated[
        str | None, Query(description="Forecast with the champion of this dataset.")
    ] = None,
    model_id: Annotated[str | None, Query(description="Forecast with this very model instead.")] = None,
    unique_id: Annotated[
        list[str], Query(description="Name of a series; repeat it for several, leave it out for every one.")
    ] = [],  # noqa: B006  # FastAPI copies defaults
    horizon: Annotated[
        int | None, Query(ge=1, le=10_000, description="Steps ahead; by default as far as the model reaches.")
    ] = None,
    level: Annotated[
        list[Level],
        Query(description="Interval in percent, 50 to 99; repeat it for several.", max_length=10),
    ] = [80, 95],  # noqa: B006  # FastAPI copies defaults
    dataset_version: Annotated[
        int | None,
        Query(ge=1, lt=2**31, description="Forecast from the end of this version; by default the newest."),
    ] = None,
) -> ForecastQuery:
    """Read the parameters."""
    return ForecastQuery(
        dataset_id=dataset_id,
        model_id=model_id,
        dataset_version=dataset_version,
        unique_ids=tuple(dict.fromkeys(unique_id)),
        horizon=horizon,
        levels=tuple(dict.fromkeys(level)),
    )


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": SeriesForecast | ForecastPage,
        "description": "One series if `unique_id` names one, else a page of them. CSV holds every series.",
        "content": {
            CSV: {"example": "unique_id,ds,forecast,lo-80,hi-80\nNorway,2024,5561216,5550008,5573911\n"}
        },
        "headers": {
            METHOD: _header("Of CSV: whose numbers these are, as `method` in JSON."),
            VERDICT: _header("Of CSV: the model's own verdict; left out for a model without a backtest."),
            WARNING: _header(
                "Of CSV: the verdict in words where these numbers lost against a simple method, if they did."
            ),
        },
    },
}


@router.get("/forecast", response_model=None, responses=RESPONSES)
def get_forecast(
    query: Annotated[ForecastQuery, Depends(get_query)],
    page: Page,
    media_type: MediaType,
    principal: CurrentPrincipal,
    oracle: TheOracle,
) -> Response:
    """Forecast one series, several, or every series of a dataset."""
    if media_type == CSV:
        return _csv(query, oracle.pages(principal, query, CSV_PAGE))
    answer = oracle.answer(principal, query, page)
    return json_response(answer if isinstance(answer, SeriesForecast) else handed_out(answer))


def _csv(query: ForecastQuery, pages: Iterator[list[SeriesForecast]]) -> Response:
    first = next(pages)  # made before the answer begins, so that an error still becomes a problem document
    return csv_response(csv_parts(query.levels, chain([first], pages)), _headers(first[0]))


def _headers(forecast: SeriesForecast) -> dict[str, str]:
    """Tell of the method what one series of a table has in common with all."""
    told = {METHOD: forecast.method, VERDICT: forecast.verdict, WARNING: forecast.warning}
    return {name: text for name, text in told.items() if text is not None}
