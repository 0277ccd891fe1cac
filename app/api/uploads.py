"""Read the body of `POST /datasets`: a file with a few fields beside it, or JSON."""

import hashlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from app.api.bodies import JSON, bad_fields, content_type, inlined, parsed
from app.errors import BadInput, FieldError, UnsupportedType
from app.intake.frame import Intake
from app.intake.reader import Columns, read_csv, read_rows
from app.schemas.datasets import DatasetCreate

MULTIPART = "multipart/form-data"


@dataclass(frozen=True)
class Upload:
    """A dataset that has been read and is not stored yet."""

    name: str
    intake: Intake
    source_sha256: str


class UploadFields(BaseModel):
    """The fields beside a file."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"required": ["file"]})

    file: Annotated[
        Any,
        Field(
            description="The table, with a header row: delimited text (CSV, TSV, ...).",
            json_schema_extra={"type": "string", "format": "binary"},
        ),
    ] = None
    name: Annotated[
        str | None, Field(max_length=200, description="A name for people; by default that of the file.")
    ] = None
    id_column: Annotated[str | None, Field(description="Column that names the series; found if absent.")] = (
        None
    )
    time_column: Annotated[str | None, Field(description="Column with the times; found if absent.")] = None
    target_column: Annotated[str | None, Field(description="Column with the values; found if absent.")] = None
    frequency: Annotated[
        str | None,
        Field(description="Pandas alias (`D`, `MS`, `h`, ...), or 1 for plain integers; found if absent."),
    ] = None


REQUEST_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {"schema": inlined(UploadFields)},
            JSON: {"schema": inlined(DatasetCreate)},
        },
    },
}


async def read_upload(request: Request) -> Upload:
    """Read the body in whichever of its two forms it comes.

    Raises UnsupportedType for any other form, BadInput for what cannot be used.
    """
    said = content_type(request)
    if said == MULTIPART:
        return await _read_form(await request.form())
    if said == JSON:
        return await run_in_threadpool(_read_json, await request.body())
    raise UnsupportedType(
        f"A dataset comes as {MULTIPART} with a `file`, or as {JSON}; this body says "
        f"{said or 'nothing about its type'}."
    )


async def _read_form(form: FormData) -> Upload:
    fields = _validated(UploadFields, _once_each(form))
    if not isinstance(fields.file, UploadFile):
        remedy = "Send the table as the form's part `file`, as a browser or `curl -F file=@data.csv` does."
        raise BadInput(f"There is no file in this form. {remedy}", [FieldError("#/file", remedy)])
    data = await fields.file.read()
    return await run_in_threadpool(_read_table, fields, fields.file.filename, data)


def _once_each(form: FormData) -> dict[str, Any]:
    repeated = sorted({name for name in form if len(form.getlist(name)) > 1})
    if repeated:
        remedy = "Send one file, and each field once."
        parts = [FieldError(f"#/{name}", remedy) for name in repeated]
        raise BadInput(f"The form has {', '.join(repeated)} more than once. {remedy}", parts)
    return dict(form)


def _read_table(fields: UploadFields, filename: str | None, data: bytes) -> Upload:
    columns = Columns(
        id_column=fields.id_column or None,
        time_column=fields.time_column or None,
        target_column=fields.target_column or None,
        frequency=fields.frequency or None,
    )
    name = fields.name or PurePath(filename or "").stem or "dataset"
    return Upload(name, read_csv(data, columns), hashlib.sha256(data).hexdigest())


def _read_json(body: bytes) -> Upload:
    sent = parsed(body, DatasetCreate)
    intake = read_rows(sent.observations, sent.frequency)
    return Upload(sent.name or "dataset", intake, hashlib.sha256(body).hexdigest())


def _validated(shape: type[UploadFields], fields: dict[str, Any]) -> UploadFields:
    try:
        return shape.model_validate(fields)
    except ValidationError as error:
        raise bad_fields(error) from error


TheUpload = Annotated[Upload, Depends(read_upload)]
