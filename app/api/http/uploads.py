"""Read the bodies of uploads: a form with a file and a few fields, or JSON."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import PurePath
from typing import Annotated, Any, NamedTuple, TypeVar, TypeVarTuple

from anyio import to_thread
from fastapi import Depends, Query, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from app.api.deps import CurrentPrincipal, Resources, TheResources, get_write_session
from app.api.http.body_parsing import bad_body, content_type, parse_json
from app.api.http.documentation import request_body
from app.api.http.idempotency import has_claim
from app.api.http.identifiers import DatasetId
from app.api.http.upload_fields import FileFields, UploadFields, columns_said, reading_of
from app.db.engine import DatasetRef, Session
from app.digest import sha256, sha256_of_file
from app.errors import BadInput, FieldError, UnsupportedType
from app.intake.additions.existing import ExistingDataset
from app.intake.files.conversion import FileLimits
from app.intake.preview import preview_csv, preview_rows
from app.intake.reader import read_csv, read_more_csv, read_more_rows, read_rows
from app.schemas.datasets import DatasetCreate, ObservationsIn, PreviewOut
from app.schemas.fields import (
    NAME_RULE,
    forbidden_character,
    lengths_of,
    trimmed,
)
from app.schemas.media_types import JSON, MULTIPART
from app.services.datasets import observations
from app.services.datasets.drafts import Busy
from app.services.datasets.merging import ObservationsUpload, StagedObservations
from app.services.datasets.staging import Staged, StagedDataset, Upload

BUSY_PATIENCE_S, BUSY_PAUSE_S = 30.0, 0.1
Fields = TypeVar("Fields", bound=FileFields)
Parsed = TypeVar("Parsed")
Arguments = TypeVarTuple("Arguments")
Preview = Annotated[
    bool,
    Query(description="Store nothing, and answer how the file would be read: columns, rows, open questions."),
]


class ReadyDataset(NamedTuple):
    """A dataset to publish, and the transaction to do it in."""

    session: Session
    staged: StagedDataset


write_session = asynccontextmanager(get_write_session)
UPLOAD_BODY = request_body({MULTIPART: UploadFields, JSON: DatasetCreate})
OBSERVATIONS_BODY = request_body({MULTIPART: FileFields, JSON: ObservationsIn})


def require_storage(request: Request, _caller: CurrentPrincipal, resources: TheResources) -> None:
    """Raise InsufficientStorage, before the body is read, if the database's disk has no room for it.

    The caller is authenticated first, since nobody else may learn how full the disk is.
    """
    declared = request.headers.get("content-length", "")
    resources.database.require_storage(int(declared) if declared.isdecimal() else 0)


RequireStorage = Depends(require_storage)


async def read_upload(
    request: Request, resources: TheResources, *, preview: Preview = False
) -> Upload | PreviewOut:
    """Read a new dataset from a form or from JSON, or show how it would be read.

    Raises UnsupportedType for another media type, BadInput for data that cannot be used.
    """
    if _media_type(request) == JSON:
        return await _parse(resources, _read_json, await request.body(), preview)
    fields = await _read_form(request, UploadFields)
    return await _parse(resources, _read_table, fields, resources.file_limits, preview)


async def read_observations(
    request: Request, dataset_id: DatasetId, principal: CurrentPrincipal, resources: TheResources
) -> ObservationsUpload:
    """Read rows for a dataset from a form or from JSON; raises as `read_upload` does, and NotFound."""
    media_type = _media_type(request)
    dataset = await resources.read(observations.existing, principal, dataset_id)
    if media_type == JSON:
        return await _parse(resources, _read_more_json, await request.body(), dataset)
    fields = await _read_form(request, FileFields)
    return await _parse(resources, _read_more, fields, dataset, resources.file_limits)


async def _parse(
    resources: Resources, read: Callable[[*Arguments], Parsed], *arguments: *Arguments
) -> Parsed:
    """Run a reader of a body in one of the parsing threads."""
    return await to_thread.run_sync(read, *arguments, limiter=resources.parsing_threads)


def _media_type(request: Request) -> str:
    media_type = content_type(request)
    if media_type not in {MULTIPART, JSON}:
        raise UnsupportedType(
            f"Series come as {MULTIPART} with a `file`, or as {JSON}; this body says "
            f"{media_type or 'nothing about its type'}."
        )
    return media_type


async def _read_form(request: Request, shape: type[Fields]) -> Fields:
    fields = _validated(shape, _once_each(await request.form()))
    if not isinstance(fields.file, UploadFile):
        remedy = "Send the table as the form's part `file`, as a browser or `curl -F file=@data.csv` does."
        raise BadInput(f"There is no file in this form. {remedy}", [FieldError("#/file", remedy)])
    return fields


def _once_each(form: FormData) -> dict[str, Any]:
    repeated = sorted({name for name in form if len(form.getlist(name)) > 1})
    if repeated:
        remedy = "Send one file, and each field once."
        parts = [FieldError(f"#/{name}", remedy) for name in repeated]
        raise BadInput(f"The form has {', '.join(repeated)} more than once. {remedy}", parts)
    return dict(form)


def _read_table(fields: UploadFields, limits: FileLimits, preview: bool) -> Upload | PreviewOut:  # noqa: FBT001
    file, options = fields.file.file, fields.options()
    if preview:
        return preview_csv(file, options, limits)
    intake = read_csv(file, options, limits)
    return Upload(fields.name or _name_of(fields.file), intake, sha256_of_file(file), fields.limits)


def _name_of(file: UploadFile) -> str:
    name = PurePath(file.filename or "").stem
    if (sign := forbidden_character(name)) is not None:
        remedy = (
            f"The name of the file has {sign}. {NAME_RULE}. Give the dataset another one by the field `name`."
        )
        raise BadInput(remedy, [FieldError("#/name", remedy)])
    return trimmed(name) or "dataset"


def _read_json(body: bytes, preview: bool) -> Upload | PreviewOut:  # noqa: FBT001
    content = parse_json(body, DatasetCreate)
    options = replace(
        reading_of(content),
        frequency=content.frequency,
        season_lengths=lengths_of(content.season_length),
        limits=content.limits,
        **columns_said(content),
    )
    if preview:
        return preview_rows(content.observations, options)
    intake = read_rows(content.observations, options)
    return Upload(content.name or "dataset", intake, sha256(body), content.limits)


def _read_more(fields: FileFields, existing: ExistingDataset, limits: FileLimits) -> ObservationsUpload:
    file = fields.file.file
    addition = read_more_csv(file, fields.options(), existing, limits)
    return ObservationsUpload(addition, sha256_of_file(file))


def _read_more_json(body: bytes, existing: ExistingDataset) -> ObservationsUpload:
    content = parse_json(body, ObservationsIn)
    return ObservationsUpload(read_more_rows(content.observations, existing, content.missing), sha256(body))


def _validated(shape: type[Fields], fields: dict[str, Any]) -> Fields:
    try:
        return shape.model_validate(fields)
    except ValidationError as error:
        raise bad_body(error, shape) from error


async def stage_upload(
    request: Request,
    upload: Annotated[Upload | PreviewOut, Depends(read_upload)],
    principal: CurrentPrincipal,
    resources: TheResources,
) -> AsyncIterator[ReadyDataset | PreviewOut]:
    """Pack a new dataset, store all but its last portion, and open the transaction for that.

    A preview is passed on. It gets a transaction only to be kept under its `Idempotency-Key`.
    """
    if isinstance(upload, PreviewOut):
        async with write_session(request, resources) if has_claim(request) else nullcontext():
            yield upload
        return
    staged = StagedDataset(resources.database, resources.heartbeat.id, principal, upload)
    async with _stored(staged, resources), write_session(request, resources) as session:
        yield ReadyDataset(session, staged)


async def stage_observations(
    dataset_id: DatasetId,
    upload: Annotated[ObservationsUpload, Depends(read_observations)],
    principal: CurrentPrincipal,
    resources: TheResources,
) -> AsyncIterator[StagedObservations]:
    """Merge rows into a dataset, and store all but the last portion."""
    ref = DatasetRef(principal.workspace_id, dataset_id)
    staged = StagedObservations(resources.database, resources.heartbeat.id, ref, upload)
    async with _stored(staged, resources):
        yield staged


@asynccontextmanager
async def _stored(staged: Staged, resources: Resources) -> AsyncIterator[None]:
    """Store all but the last portion, in turn with other writers; remove them unless they are published."""
    try:
        while await _prepared(staged, resources):
            async with resources.writers:
                await run_in_threadpool(staged.store)
        yield
    except BaseException:
        async with resources.writers:
            await run_in_threadpool(staged.discard)
        raise


async def _prepared(staged: Staged, resources: Resources) -> bool:
    """Prepare the next portion; wait up to 30 seconds while another call is adding to the dataset."""
    deadline = time.monotonic() + BUSY_PATIENCE_S
    while True:
        try:
            return await to_thread.run_sync(staged.prepare, limiter=resources.packing_threads)
        except Busy:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(BUSY_PAUSE_S)


TheUpload = Annotated[ReadyDataset | PreviewOut, Depends(stage_upload, scope="function")]
TheObservations = Annotated[StagedObservations, Depends(stage_observations, scope="function")]
