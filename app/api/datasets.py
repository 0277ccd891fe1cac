"""Datasets: upload, append, list, read and delete."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse

from app.api.deps import CurrentPrincipal, KeepVersions, Read, TheResources, WriteSession
from app.api.http.body_parsing import HoldBytes
from app.api.http.content_negotiation import TableForm
from app.api.http.documentation import (
    CHANGES,
    CREATES,
    EDITS,
    FINDS,
    READS_SERIES,
    TABLES,
    Responses,
    problems,
    table_content,
)
from app.api.http.idempotency import ClaimKey, IdempotentRoute
from app.api.http.identifiers import NO_NUL, DatasetId
from app.api.http.paging import CountedPage, Page, with_opaque_cursor
from app.api.http.responses import json_response, streamed_response
from app.api.http.uploads import OBSERVATIONS_BODY, UPLOAD_BODY, RequireStorage, TheObservations, TheUpload
from app.errors import Conflict, InsufficientStorage
from app.schemas.datasets import (
    DatasetOut,
    DatasetPage,
    DatasetUpdate,
    ObservationPage,
    ObservationsOut,
    PreviewOut,
    SeriesName,
    SeriesPage,
    VersionPage,
)
from app.schemas.fields import MAX_NAME_LENGTH
from app.schemas.media_types import JSON, file_headers
from app.services.datasets import catalog, export, observations, update
from app.services.shared.paging import CountedPageRequest

UPLOAD_CHECKS = [RequireStorage, ClaimKey, HoldBytes]
APPENDS = CREATES | READS_SERIES
UPLOADS: Responses = {
    200: {"model": PreviewOut, "description": "With `preview=true`: what it would become."},
    **problems(Conflict, InsufficientStorage),
    **READS_SERIES,
}
OBSERVATIONS: Responses = {
    200: {
        "model": ObservationPage,
        "description": "One page of a series. Tables (CSV, NDJSON, Arrow, Parquet, Excel) hold every step of "
        "one series or of all.",
        "content": table_content("unique_id,ds,y,price\nnorth,2024-05-07,12,3.5\n"),
    },
    **TABLES,
}


class SeriesPart(NamedTuple):
    """A series, and where to begin in it and end."""

    unique_id: str | None
    page: CountedPageRequest


async def _series_part(
    page: CountedPage,
    unique_id: Annotated[
        SeriesName | None,
        Query(description="Name of the series; as a table, every one is answered if it is left out."),
    ] = None,
) -> SeriesPart:
    return SeriesPart(unique_id, page)


router = APIRouter(prefix="/datasets", tags=["datasets"], route_class=IdempotentRoute)


@router.post(
    "",
    status_code=201,
    response_model=DatasetOut,
    responses=UPLOADS,
    openapi_extra=UPLOAD_BODY,
    dependencies=UPLOAD_CHECKS,
)
def create_dataset(upload: TheUpload, response: Response) -> DatasetOut | JSONResponse:
    """Upload series: a table as a file, or rows as JSON.

    Columns, delimiter, encoding, decimal mark, date format and frequency are found; the response says how
    the upload was read, what it holds, and what was repaired. Where several readings are alike, it is refused
    with the candidates and the parameter that settles it; `preview=true` shows all that is open.
    """
    if isinstance(upload, PreviewOut):
        return JSONResponse(upload.model_dump(mode="json"))
    dataset = catalog.create(upload.session, upload.staged)
    response.headers["Location"] = f"/datasets/{dataset.id}"
    return dataset


@router.get("")
async def list_datasets(
    page: Page,
    principal: CurrentPrincipal,
    read: Read,
    name: Annotated[
        str | None, Query(max_length=MAX_NAME_LENGTH, description="Only datasets of just this name.")
    ] = None,
) -> DatasetPage:
    """List datasets, newest first."""
    return with_opaque_cursor(await read(catalog.page, principal, page, name))


@router.get("/{dataset_id}", responses=FINDS)
async def get_dataset(dataset_id: DatasetId, principal: CurrentPrincipal, read: Read) -> DatasetOut:
    """Show a dataset: what it holds, how it was read, what was repaired."""
    return await read(catalog.get, principal, dataset_id)


@router.get("/{dataset_id}/versions", responses=FINDS)
async def list_versions(
    dataset_id: DatasetId, page: Page, principal: CurrentPrincipal, read: Read
) -> VersionPage:
    """List the versions of a dataset that are kept, newest first."""
    return with_opaque_cursor(await read(catalog.versions_page, principal, dataset_id, page))


@router.get("/{dataset_id}/series", responses=FINDS)
async def list_series(
    dataset_id: DatasetId,
    page: Page,
    principal: CurrentPrincipal,
    read: Read,
    search: Annotated[
        SeriesName | None,
        Query(pattern=NO_NUL, description="Only series whose name holds this text, in either case."),
    ] = None,
) -> SeriesPage:
    """List the series of a dataset by name."""
    return with_opaque_cursor(await read(catalog.series_page, principal, dataset_id, page, search))


@router.get("/{dataset_id}/observations", response_model=None, responses=OBSERVATIONS)
async def list_observations(
    dataset_id: DatasetId,
    part: Annotated[SeriesPart, Depends(_series_part)],
    form: TableForm,
    principal: CurrentPrincipal,
    resources: TheResources,
) -> Response:
    """Read the observations of a series, oldest first, with the columns beside them; as tables, of all.

    At the end come the steps ahead, of which columns are known and the value is not. A table that is
    uploaded makes the same dataset.
    """
    if form.media_type == JSON:
        return json_response(await resources.read(catalog.observations, principal, dataset_id, *part))
    table = await resources.read(export.find, principal, dataset_id, part.unique_id)
    parts = table.parts(resources.database, form.media_type, quote_formulas=form.quote_formulas)
    return await streamed_response(parts, form.media_type, file_headers("observations", form.media_type))


@router.post(
    "/{dataset_id}/observations",  # noqa: FAST003  # TheObservations declares it
    responses=APPENDS,
    openapi_extra=OBSERVATIONS_BODY,
    dependencies=UPLOAD_CHECKS,
)
def append_observations(
    rows: TheObservations, session: WriteSession, keep_versions: KeepVersions
) -> ObservationsOut:
    """Append rows to a dataset and correct existing rows, which makes a new version of it.

    A row at an existing time corrects its value (without a value: removes it), other times extend their
    series, and new names make new series. The next forecast starts from the new last values, without a
    training. Rows that equal the stored ones change nothing. A row after the end without a value, but with
    a cell of a column beside the target, is kept for what is ahead of the series. Columns that are not
    named are those of the dataset's first upload, if the file has them.
    """
    return observations.append(session, rows, keep_versions)


@router.patch("/{dataset_id}", responses=EDITS)
def update_dataset(
    dataset_id: DatasetId, changes: DatasetUpdate, principal: CurrentPrincipal, session: WriteSession
) -> DatasetOut:
    """Change a dataset's name, the limits of its forecasts or its seasons; takes effect at once.

    Limits hold for the median, the mean and every bound, whatever method answers, without a training.
    """
    return update.update(session, principal, dataset_id, changes)


@router.delete("/{dataset_id}", status_code=204, responses=CHANGES)
def delete_dataset(dataset_id: DatasetId, principal: CurrentPrincipal, session: WriteSession) -> None:
    """Delete a dataset with all its versions and models; its unfinished jobs are cancelled."""
    catalog.delete(session, principal, dataset_id)
