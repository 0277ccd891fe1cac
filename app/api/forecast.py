"""Forecasts, in every format."""

import json
from functools import partial
from itertools import chain
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from app.api.deps import CurrentPrincipal, TheForecasts, resources_of
from app.api.http.body_parsing import inlined, pointing_into_body, read_body
from app.api.http.content_negotiation import (
    ARROW,
    CSV,
    JSON,
    NDJSON,
    PNG,
    SVG,
    chosen_among,
    content_type,
    header_values,
    streamed,
)
from app.api.http.forecast_parameters import DESCRIBED, OFFERS, Question, read_question
from app.api.http.paging import encode_cursor
from app.api.middleware.cached_answers import Ready, is_known, send_body, send_unchanged, shared_headers
from app.auth import Principal
from app.schemas import examples
from app.schemas.forecast import ForecastPage, ForecastRequest, SeriesForecast
from app.services.forecasting.charts import Picture, draw, refuse_several
from app.services.forecasting.formats import arrow_parts, csv_parts, ndjson_parts, one_json, page_json
from app.services.forecasting.resolve import ForecastQuery
from app.services.forecasting.response_cache import Body
from app.services.forecasting.result import Answered, Answers
from app.services.forecasting.service import Asked, ForecastService

TABLES = {CSV: csv_parts, NDJSON: ndjson_parts, ARROW: arrow_parts}
PICTURES: dict[str, Picture] = {PNG: "png", SVG: "svg"}
TEXT = {"type": "string"}
METHOD, VERDICT, WARNING = "Gatecast-Method", "Gatecast-Verdict", "Gatecast-Warning"
REQUEST_BODY = {
    "requestBody": {"required": True, "content": {JSON: {"schema": inlined(ForecastRequest)}}},
}
router = APIRouter(tags=["forecast"])


async def get_request(request: Request, forecasts: TheForecasts) -> ForecastRequest:
    """Read the body."""
    return await read_body(request, ForecastRequest, forecasts.turns)


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": TEXT}


def _bytes(description: str) -> dict[str, Any]:
    return {"schema": {"type": "string", "format": "binary", "description": description}}


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": SeriesForecast | ForecastPage,
        "description": "One series if one is named or brought, else a page. Tables (CSV, NDJSON, Arrow) hold "
        "every series, a chart (PNG, SVG) shows one.",
        "content": {
            CSV: {
                "schema": TEXT,
                "example": "unique_id,ds,forecast,lo-80,hi-80\nNorway,2024,5561216,5550008,5573911\n",
            },
            NDJSON: {"schema": TEXT, "example": f"{json.dumps(examples.FORECAST)}\n"},
            ARROW: _bytes("Record batches with the columns of CSV; what all rows share is metadata."),
            PNG: _bytes("What is known, the median, and a band for each level; 1200 by 675 dots."),
            SVG: {"schema": TEXT, "example": examples.CHART},
        },
        "headers": {
            METHOD: _header("Of all but JSON: whose numbers these are, as `method` there."),
            VERDICT: _header(
                "Of all but JSON: the model's own verdict; left out where there is none, as in JSON null."
            ),
            WARNING: _header(
                "Of all but JSON: the verdict in words where these numbers lost against a simple method, "
                "if they did."
            ),
        },
    },
}


UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "What `If-None-Match` names still holds."}}


@router.get("/forecast", response_model=None, responses=RESPONSES | UNCHANGED, openapi_extra=DESCRIBED)
async def get_forecast(request: Request, principal: CurrentPrincipal) -> Response:
    """Forecast one series, several, or every series of a dataset; as numbers, or one series as a chart.

    A dataset needs no training for it: until it has a champion the pretrained network answers.
    """
    question, forecasts = read_question(request), resources_of(request).forecasts
    if question.media_type in PICTURES:
        refuse_several(len(question.query.unique_ids), "?unique_id")
    attempt = partial(_answer, forecasts, principal, question)
    return await forecasts.with_newest(principal, question.query, attempt)


@router.post("/forecast", response_model=None, responses=RESPONSES, openapi_extra=REQUEST_BODY)
async def forecast_unseen(
    principal: CurrentPrincipal,
    request: Annotated[ForecastRequest, Depends(get_request)],
    media_type: Annotated[str, chosen_among(*OFFERS)],
    forecasts: TheForecasts,
) -> Response:
    """Forecast series that the call itself brings and no dataset holds; nothing of them is kept.

    With neither `dataset_id` nor `model_id` the pretrained network forecasts them by themselves.
    """
    if media_type in PICTURES:
        refuse_several(len({str(row.unique_id) for row in request.observations}), "#/observations")
    query = ForecastQuery(
        dataset_id=request.dataset_id,
        model_id=request.model_id,
        horizon=request.horizon,
        levels=tuple(dict.fromkeys(request.level)),
    )
    with pointing_into_body():
        answered = await forecasts.unseen(principal, query, request.observations)
    answers = answered.answers
    write = partial(_bytes_of, answered, media_type, as_page=len(answers) != 1)
    data = await to_thread.run_sync(write, limiter=forecasts.turns)
    return Response(data, media_type=content_type(media_type), headers=_facts(answers, media_type))


async def _answer(forecasts: ForecastService, principal: Principal, question: Question) -> Response:
    asked = await forecasts.understand(principal, question.query, question.page, question.media_type)
    etag = asked.key.etag.encode()
    if is_known(question.known, etag):
        return Ready(partial(send_unchanged, etag))
    if question.media_type in TABLES and not question.query.unique_ids:
        return await _every_series(forecasts, asked)
    return Ready(partial(send_body, await forecasts.body(asked, question.spelling, _write)))


async def _every_series(forecasts: ForecastService, asked: Asked) -> Response:
    pages = await forecasts.pages(asked)
    # Made before the answer begins, so that an error still becomes a problem document.
    first = await run_in_threadpool(next, pages)
    media_type = asked.key.media_type
    kept = {name.decode(): text.decode() for name, text in shared_headers(asked.key.etag.encode())}
    parts = TABLES[media_type](chain([first], pages))
    return streamed(parts, media_type, {**_facts(first, media_type), **kept})


def _write(asked: Asked, answered: Answered) -> Body:
    """Write an answer that is held in memory whole."""
    media_type, etag = asked.key.media_type, asked.key.etag.encode()
    data = _bytes_of(answered, media_type, as_page=len(asked.key.unique_ids) != 1)
    facts = _facts(answered.answers, media_type)
    own = {"content-type": content_type(media_type), "content-length": str(len(data)), **facts}
    headers = tuple((name.encode(), text.encode()) for name, text in own.items())
    return Body(data, (*headers, *shared_headers(etag)), etag)


def _bytes_of(answered: Answered, media_type: str, *, as_page: bool) -> bytes:
    """Return forecasts in a format; as JSON a page of them, or the only one by itself."""
    answers = answered.answers
    if media_type in PICTURES:
        return draw(answers, answered.history(), PICTURES[media_type])
    if media_type in TABLES:
        return b"".join(TABLES[media_type]([answers]))
    if as_page:
        return page_json(answers, encode_cursor(answered.following))
    return one_json(answers)


def _facts(answers: Answers, media_type: str) -> dict[str, str]:
    """Tell of the method what the rows of a table do not, and a picture only to the eye."""
    if media_type == JSON:
        return {}
    facts = {METHOD: answers.method, VERDICT: answers.verdict, WARNING: answers.warning}
    return header_values({name.lower(): text for name, text in facts.items() if text is not None})
