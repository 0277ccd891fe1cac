"""Trained models: list, read, compare, change, promote and delete."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from app.api.deps import CurrentPrincipal, Read, TheForecasts, WriteSession
from app.api.http.content_negotiation import TableForm
from app.api.http.documentation import (
    CHANGES,
    EDITS,
    FILE,
    FINDS,
    NOT_MODIFIED,
    TABLES,
    Responses,
    problems,
    table_content,
)
from app.api.http.identifiers import ONE_MODEL, ComparedModels, ModelId, TestedDataset, of_dataset
from app.api.http.paging import CountedPage, Page, with_opaque_cursor
from app.api.http.responses import json_response, streamed_response, table_response
from app.api.middleware.cached_forecasts import Finished
from app.errors import Conflict, NotFound
from app.schemas.backtests import BacktestPage, PretrainedBacktestOut, SeriesMeasuresPage
from app.schemas.choices import MAX_PRETRAINED_HORIZON
from app.schemas.comparison import ModelComparison
from app.schemas.media_types import JSON, ZIP, file_headers
from app.schemas.models import ModelOut, ModelPage, ModelUpdate
from app.services.forecasting.request import PRETRAINED, ForecastRequest
from app.services.forecasting.response_cache import etag_matches, not_modified, revalidation_headers
from app.services.registry import artifact_file, backtests, models, side_by_side

router = APIRouter(prefix="/models", tags=["models"])
TestedHorizon = Annotated[
    int | None,
    Query(ge=1, le=MAX_PRETRAINED_HORIZON, description="How many steps ahead; by default as for a forecast."),
]

ROWS: Responses = {
    200: {
        "model": BacktestPage,
        "description": "One page of rows. Tables (CSV, NDJSON, Arrow, Parquet, Excel) "
        "hold all, with columns for each method's median and bounds.",
        "content": table_content(
            "unique_id,cutoff,ds,step,y,scale,lstm,lstm-lo-80,lstm-hi-80\n"
            "Norway,2018,2021,3,5408320.0,33207.4,5415402.9,5401220.5,5430188.1\n"
        ),
    },
    **TABLES,
    **problems(Conflict),
}
SERIES: Responses = {
    200: {
        "model": SeriesMeasuresPage,
        "description": "One page of series. Tables (CSV, NDJSON, Arrow, Parquet, Excel) "
        "hold every one, with a row for each method.",
        "content": table_content(
            "unique_id,method,smape,mase,rmsse,pinball,interval_score,coverage-80\n"
            "Norway,lstm,0.617,1.049,1.121,0.214,5.103,0.81\n"
        ),
    },
    **TABLES,
    **problems(Conflict),
}
ARTIFACT: Responses = {
    200: {
        "description": "A zip: the weights as `weights.safetensors`, what `models` takes to load them as "
        "`model.json`, and the model card as `README.md`, which says how.",
        "content": {ZIP: FILE},
        "headers": {"ETag": {"description": "For `If-None-Match`.", "schema": {"type": "string"}}},
    },
    **FINDS,
    **NOT_MODIFIED,
}
IfNoneMatch = Annotated[
    str | None, Header(description="`ETag` of a file at hand; the answer is 304 as long as it is current.")
]


@router.get("")
async def list_models(
    page: Page,
    principal: CurrentPrincipal,
    read: Read,
    dataset_id: Annotated[str | None, of_dataset("models")] = None,
) -> ModelPage:
    """List models, newest first."""
    return with_opaque_cursor(await read(models.page, principal, dataset_id, page))


@router.get("/pretrained/backtest", responses=problems(NotFound, Conflict))
async def get_pretrained_backtest(
    principal: CurrentPrincipal,
    forecasts: TheForecasts,
    dataset_id: TestedDataset,
    horizon: TestedHorizon = None,
) -> PretrainedBacktestOut:
    """Read how the pretrained network did on a dataset's held-out steps, beside the baselines.

    A backtest that nobody has asked for yet begins now. While it runs the answer is 409, code `unfinished`,
    and `Retry-After` says when to ask again.
    """
    request = ForecastRequest(dataset_id=dataset_id, model_id=PRETRAINED, horizon=horizon)
    return await forecasts.pretrained_backtest(principal, request)


@router.get("/compare", responses=FINDS | problems(Conflict))
async def compare_models(
    model_id: ComparedModels, principal: CurrentPrincipal, read: Read
) -> ModelComparison:
    """Compare models of a dataset on the series, cuts and steps that all were tested on: errors, and verdicts
    against the first.

    `notes` say how their tests differ. Without a window in common the answer is 409.
    """
    return await read(side_by_side.compare, principal, model_id)


@router.get(ONE_MODEL, responses=FINDS)
async def get_model(model_id: ModelId, principal: CurrentPrincipal, read: Read) -> ModelOut:
    """Show a model: its errors beside those of the baselines, and its lineage."""
    return await read(models.get, principal, model_id)


@router.get("/{model_id}/artifact", response_model=None, responses=ARTIFACT)
async def get_artifact(
    model_id: ModelId, principal: CurrentPrincipal, read: Read, if_none_match: IfNoneMatch = None
) -> Response:
    """Download a model: its weights, its calibration and its card, to keep or to use without the service."""
    file = await read(artifact_file.find, principal, model_id)
    if if_none_match is not None and etag_matches(if_none_match.encode(), file.etag):
        return Finished(not_modified(file.etag))
    headers = {name.decode(): value.decode() for name, value in revalidation_headers(file.etag)}
    parts = await read(artifact_file.parts, file)
    return await streamed_response(parts, ZIP, file_headers(file.stem, ZIP) | headers)


@router.get("/{model_id}/backtest", response_model=None, responses=ROWS)
async def get_backtest(
    model_id: ModelId,
    page: CountedPage,
    form: TableForm,
    principal: CurrentPrincipal,
    read: Read,
) -> Response:
    """Read the forecasts of every method for held-out steps, beside the true values."""
    if form.media_type == JSON:
        return json_response(await read(backtests.row_page, principal, model_id, page))
    table = await read(backtests.row_table, principal, model_id)
    return await table_response(table, form, "backtest")


@router.get("/{model_id}/backtest/series", response_model=None, responses=SERIES)
async def list_backtest_series(
    model_id: ModelId,
    page: CountedPage,
    form: TableForm,
    principal: CurrentPrincipal,
    read: Read,
) -> Response:
    """Compare the errors of the methods on each series, by name."""
    if form.media_type == JSON:
        return json_response(await read(backtests.series_page, principal, model_id, page))
    table = await read(backtests.series_table, principal, model_id)
    return await table_response(table, form, "backtest-series")


@router.patch(ONE_MODEL, responses=EDITS)
def update_model(
    model_id: ModelId, changes: ModelUpdate, principal: CurrentPrincipal, session: WriteSession
) -> ModelOut:
    """Name a model, or change what it does when a baseline beats it; takes effect at once."""
    return models.update(session, principal, model_id, changes)


@router.post("/{model_id}/promote", responses=CHANGES)
def promote_model(model_id: ModelId, principal: CurrentPrincipal, session: WriteSession) -> ModelOut:
    """Make this model the champion of its dataset; use it to roll back to a former champion too."""
    return models.promote(session, principal, model_id)


@router.delete(ONE_MODEL, status_code=204, responses=CHANGES)
def delete_model(model_id: ModelId, principal: CurrentPrincipal, session: WriteSession) -> None:
    """Delete a model; if it was the champion, the one promoted before it is champion again."""
    models.delete(session, principal, model_id)
