"""Forecasts, in every media type."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from app.api.deps import CurrentPrincipal, TheForecasts, resources_of
from app.api.http.body_parsing import HoldBytes, pointers_into_body, read_body
from app.api.http.content_negotiation import ForecastForm
from app.api.http.documentation import (
    FILE,
    NOT_MODIFIED,
    READS_SERIES,
    TABLES,
    TEXT,
    Responses,
    problems,
    request_body,
    table_content,
)
from app.api.http.forecast_parameters import DESCRIBED, read_request
from app.api.http.responses import streamed_response
from app.api.http.upload_fields import reading_of
from app.api.middleware.cached_forecasts import Finished, raw_request
from app.errors import Conflict
from app.schemas import examples
from app.schemas.fields import lengths_of
from app.schemas.forecast import AdHocRequest, ForecastPage
from app.schemas.media_types import JSON, NDJSON, PNG, SVG
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.service import StreamedResponse

router = APIRouter(tags=["forecast"])


async def get_body(request: Request, forecasts: TheForecasts) -> AdHocRequest:
    """Read the body of `POST /forecast`."""
    return await read_body(request, AdHocRequest, forecasts.ad_hoc_threads)


def _header(description: str) -> dict[str, Any]:
    return {"description": description, **TEXT}


RESPONSES: Responses = {
    200: {
        "model": ForecastPage,
        "description": "A page of series, also of one. Tables (CSV, NDJSON, Arrow, Parquet, Excel) hold "
        "every series, a chart (PNG, SVG) shows one.",
        "content": {
            **table_content(
                "unique_id,ds,forecast,mean,lo-80,hi-80\nNorway,2024,5561216,5561662,5550008,5573911\n"
            ),
            NDJSON: {**TEXT, "example": f"{json.dumps(examples.FORECAST)}\n"},
            PNG: FILE,
            SVG: {**TEXT, "example": examples.CHART},
        },
        "headers": {
            "ETag": _header("Of `GET`: what the forecasts are of, for `If-None-Match`."),
            "Gatecast-Method": _header("Of all but JSON: the method of these numbers, as `method` there."),
            "Gatecast-Verdict": _header(
                "Of all but JSON: the model's own verdict; left out where there is none, as in JSON null."
            ),
            "Gatecast-Warning": _header(
                "Of all but JSON: the verdict in words where the network lost against a simple method, or "
                "was a quarter worse, if it did."
            ),
        },
    },
    **TABLES,
    **problems(Conflict),
}


@router.get("/forecast", response_model=None, responses=RESPONSES | NOT_MODIFIED, openapi_extra=DESCRIBED)
async def get_forecast(request: Request, principal: CurrentPrincipal) -> Response:
    """Forecast one series, several, or every series of a dataset; as numbers, or one series as a chart.

    A dataset needs no training: the pretrained network forecasts until it has a champion.
    """
    raw_key, if_none_match = raw_request(request.scope)
    wanted = read_request(query_string=raw_key[0], accept=raw_key[1])
    response = await resources_of(request).forecasts.respond(principal, wanted, raw_key, if_none_match)
    if isinstance(response, StreamedResponse):
        return await streamed_response(response.parts, response.media_type, response.headers)
    return Finished(response)


@router.post(
    "/forecast",
    response_model=None,
    responses=RESPONSES | READS_SERIES,
    openapi_extra=request_body({JSON: AdHocRequest}),
    dependencies=[HoldBytes],
)
async def forecast_ad_hoc(
    principal: CurrentPrincipal,
    body: Annotated[AdHocRequest, Depends(get_body)],
    form: ForecastForm,
    forecasts: TheForecasts,
) -> Response:
    """Forecast series that the request itself sends and no dataset holds; nothing of them is kept.

    With neither `dataset_id` nor `model_id`, the pretrained network forecasts them by themselves.
    """
    with pointers_into_body():
        wanted = ForecastRequest(
            dataset_id=body.dataset_id,
            model_id=body.model_id,
            horizon=body.horizon,
            until=None if body.until is None else str(body.until),
            levels=tuple(dict.fromkeys(body.level)),
            media_type=form.media_type,
            quote_formulas=form.quote_formulas,
            season_lengths=lengths_of(body.season_length),
            limits=body.limits,
            reading=reading_of(body),
        )
        return Finished(await forecasts.respond_ad_hoc(principal, wanted, body.observations))
