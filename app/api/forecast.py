"""Forecasts, as JSON or CSV."""

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse

from app.api.deps import CurrentPrincipal, TheOracle
from app.api.pagination import Page, encode_cursor
from app.errors import NotAcceptable
from app.schemas.forecast import ForecastPage, SeriesForecast
from app.services.forecasting import ForecastQuery
from app.services.formats import csv_parts

JSON, CSV = "application/json", "text/csv"
CSV_PAGE = 1000
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


def get_media_type(
    accept: Annotated[str, Header(description=f"`{JSON}` or `{CSV}`.")] = "*/*",
) -> str:
    """Choose the media type that `Accept` likes best among those offered, JSON where it likes both.

    Raises NotAcceptable if it names neither.
    """
    liking = {offer: _liking(accept, offer) for offer in (JSON, CSV)}
    best = max(liking, key=lambda offer: liking[offer])
    if liking[best] == 0:
        raise NotAcceptable(f"A forecast comes as {JSON} or as {CSV}; Accept names neither: {accept}.")
    return best


def _liking(accept: str, offer: str) -> float:
    """Return the quality that `Accept` gives a media type, by its most exact range (RFC 9110, 12.5.1)."""
    ranges = dict(_quality(part) for part in (accept or "*/*").split(","))
    matching = (offer, f"{offer.partition('/')[0]}/*", "*/*")
    return next((ranges[wanted] for wanted in matching if wanted in ranges), 0.0)


def _quality(part: str) -> tuple[str, float]:
    wanted, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return wanted, float(weight)
    except ValueError:
        return wanted, 0.0


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": SeriesForecast | ForecastPage,
        "description": "One series if `unique_id` names one, else a page of them. CSV holds every series.",
        "content": {
            CSV: {"example": "unique_id,ds,forecast,lo-80,hi-80\nNorway,2024,5561216,5550008,5573911\n"}
        },
    },
}


@router.get("/forecast", response_model=None, responses=RESPONSES)
def get_forecast(
    query: Annotated[ForecastQuery, Depends(get_query)],
    page: Page,
    media_type: Annotated[str, Depends(get_media_type)],
    principal: CurrentPrincipal,
    oracle: TheOracle,
) -> Response:
    """Forecast one series, several, or every series of a dataset."""
    if media_type == CSV:
        return csv_response(query, oracle.pages(principal, query, CSV_PAGE))
    return json_response(oracle.answer(principal, query, page))


def json_response(answer: SeriesForecast | ForecastPage) -> Response:
    """Write an answer as JSON."""
    if isinstance(answer, ForecastPage):
        answer = answer.model_copy(update={"next": encode_cursor(answer.next)})
    return Response(answer.model_dump_json(), media_type=JSON)


def csv_response(query: ForecastQuery, pages: Iterator[list[SeriesForecast]]) -> Response:
    """Write pages of forecasts as one CSV table, sent as it is made."""
    first = next(pages)  # made before the answer begins, so that an error still becomes a problem document
    table = csv_parts(query.levels, chain([first], pages))
    return StreamingResponse(table, media_type=f"{CSV}; charset=utf-8")
