"""Forecasts, in every format."""

import json
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api.bodies import inlined, pointing_into_body, read_body
from app.api.deps import CurrentPrincipal, TheOracle
from app.api.media import ARROW, CSV, JSON, NDJSON, PNG, SVG, chosen_among, header_values, streamed
from app.api.pagination import Page, encode_cursor
from app.schemas import examples
from app.schemas.forecast import ForecastPage, ForecastRequest, SeriesForecast
from app.services.answers import Answers
from app.services.charts import History, Picture, draw, refuse_several
from app.services.forecasting import ForecastQuery
from app.services.formats import arrow_parts, csv_parts, ndjson_parts, one_json, page_json

TABLE_PAGE = 1000
TABLES = {CSV: csv_parts, NDJSON: ndjson_parts, ARROW: arrow_parts}
PICTURES: dict[str, Picture] = {PNG: "png", SVG: "svg"}
ForecastType = Annotated[str, chosen_among(JSON, *TABLES, *PICTURES)]
METHOD, VERDICT, WARNING = "Gatecast-Method", "Gatecast-Verdict", "Gatecast-Warning"
router = APIRouter(tags=["forecast"])

Level = Annotated[int, Query(ge=50, le=99)]


REQUEST_BODY = {
    "requestBody": {"required": True, "content": {JSON: {"schema": inlined(ForecastRequest)}}},
}


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


async def get_request(request: Request) -> ForecastRequest:
    """Read the body."""
    return await read_body(request, ForecastRequest)


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


def _bytes(description: str) -> dict[str, Any]:
    return {"schema": {"type": "string", "format": "binary", "description": description}}


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": SeriesForecast | ForecastPage,
        "description": "One series if one is named or brought, else a page. Tables (CSV, NDJSON, Arrow) hold "
        "every series, a chart (PNG, SVG) shows one.",
        "content": {
            CSV: {"example": "unique_id,ds,forecast,lo-80,hi-80\nNorway,2024,5561216,5550008,5573911\n"},
            NDJSON: {"example": f"{json.dumps(examples.FORECAST)}\n"},
            ARROW: _bytes("Record batches with the columns of CSV; what all rows share is metadata."),
            PNG: _bytes("What is known, the median, and a band for each level; 1200 by 675 dots."),
            SVG: {"schema": {"type": "string"}, "example": examples.CHART},
        },
        "headers": {
            METHOD: _header("Of all but JSON: whose numbers these are, as `method` there."),
            VERDICT: _header(
                "Of all but JSON: the model's own verdict; left out for a model without a backtest."
            ),
            WARNING: _header(
                "Of all but JSON: the verdict in words where these numbers lost against a simple method, "
                "if they did."
            ),
        },
    },
}


@router.get("/forecast", response_model=None, responses=RESPONSES)
def get_forecast(
    query: Annotated[ForecastQuery, Depends(get_query)],
    page: Page,
    media_type: ForecastType,
    principal: CurrentPrincipal,
    oracle: TheOracle,
) -> Response:
    """Forecast one series, several, or every series of a dataset; as numbers, or one series as a chart."""
    if media_type in PICTURES:
        return _chart(*oracle.with_history(principal, query), media_type)
    if media_type in TABLES:
        return _table(oracle.pages(principal, query, TABLE_PAGE), media_type)
    answers, following = oracle.answer(principal, query, page)
    body = one_json(answers) if len(query.unique_ids) == 1 else page_json(answers, encode_cursor(following))
    return Response(body, media_type=JSON)


@router.post("/forecast", response_model=None, responses=RESPONSES, openapi_extra=REQUEST_BODY)
def forecast_unseen(
    request: Annotated[ForecastRequest, Depends(get_request)],
    media_type: ForecastType,
    principal: CurrentPrincipal,
    oracle: TheOracle,
) -> Response:
    """Forecast series that the call itself brings and no dataset holds; nothing of them is kept."""
    if media_type in PICTURES:
        refuse_several(len({str(row.unique_id) for row in request.observations}), "#/observations")
    query = ForecastQuery(
        dataset_id=request.dataset_id,
        model_id=request.model_id,
        horizon=request.horizon,
        levels=tuple(dict.fromkeys(request.level)),
    )
    with pointing_into_body():
        answers, frame = oracle.unseen(principal, query, request.observations)
    if media_type in PICTURES:
        return _chart(answers, History.of_only(frame), media_type)
    if media_type in TABLES:
        return _table(iter([answers]), media_type)
    return Response(one_json(answers) if len(answers) == 1 else page_json(answers, None), media_type=JSON)


def _chart(answers: Answers, history: History, media_type: str) -> Response:
    chart = draw(answers, history, PICTURES[media_type])
    return Response(chart, media_type=media_type, headers=header_values(_headers(answers)))


def _table(pages: Iterator[Answers], media_type: str) -> Response:
    first = next(pages)  # made before the answer begins, so that an error still becomes a problem document
    return streamed(TABLES[media_type](chain([first], pages)), media_type, _headers(first))


def _headers(answers: Answers) -> dict[str, str]:
    """Tell of the method what the rows of a table do not, and a picture only to the eye."""
    facts = {METHOD: answers.method, VERDICT: answers.verdict, WARNING: answers.warning}
    return {name: text for name, text in facts.items() if text is not None}
