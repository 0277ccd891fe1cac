"""Read what a forecast is asked for, by hand: FastAPI's own reading costs more than the forecast."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Request
from pydantic import BaseModel, Field, ValidationError
from starlette.types import Scope

from app.api.http.content_negotiation import ARROW, CSV, JSON, NDJSON, PNG, SVG, choice
from app.api.http.errors import bad_fields
from app.api.http.identifiers import MAX_ID_LENGTH
from app.api.http.paging import CURSOR, LONGEST, NEXT, decode_cursor
from app.api.http.unknown_names import refuse_unknown
from app.schemas.choices import MAX_HORIZON
from app.schemas.datasets import SeriesName
from app.schemas.forecast import HORIZON
from app.services.forecasting.resolve import ForecastQuery
from app.services.forecasting.response_cache import Spelling
from app.services.shared.paging import PageRequest

OFFERS = (JSON, CSV, NDJSON, ARROW, PNG, SVG)
ANY = b"*/*"


class Parameters(BaseModel):
    """The parameters of `GET /forecast`."""

    dataset_id: Annotated[
        str | None,
        Field(
            max_length=MAX_ID_LENGTH,
            description="Forecast with the champion of this dataset, or with the pretrained network as long "
            "as it has none.",
        ),
    ] = None
    model_id: Annotated[
        str | None,
        Field(
            max_length=MAX_ID_LENGTH,
            description="Forecast with this very model instead. `pretrained` is the pretrained network, also "
            "where there is a champion; it needs `dataset_id` as well.",
        ),
    ] = None
    unique_id: Annotated[
        list[SeriesName],
        Field(description="Name of a series; repeat it for several, leave it out for every one."),
    ] = []
    horizon: Annotated[int | None, Field(ge=1, le=MAX_HORIZON, description=HORIZON)] = None
    level: Annotated[
        list[Annotated[int, Field(ge=50, le=99)]],
        Field(description="Interval in percent, 50 to 99; repeat it for several.", max_length=10),
    ] = [80, 95]
    dataset_version: Annotated[
        int | None,
        Field(ge=1, lt=2**31, description="Forecast from the end of this version; by default the newest."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=1000, description="Most items on the page.")] = 100
    cursor: Annotated[
        str | None,
        Field(min_length=1, max_length=LONGEST, json_schema_extra={"pattern": CURSOR}, description=NEXT),
    ] = None

    @property
    def query(self) -> ForecastQuery:
        """What is to be forecast."""
        return ForecastQuery(
            dataset_id=self.dataset_id,
            model_id=self.model_id,
            dataset_version=self.dataset_version,
            unique_ids=tuple(dict.fromkeys(self.unique_id)),
            horizon=self.horizon,
            levels=tuple(dict.fromkeys(self.level)),
        )


REPEATED = ("unique_id", "level")


@dataclass(frozen=True)
class Question:
    """A forecast that is asked for: of what, and as what; `spelling` is how it was put."""

    query: ForecastQuery
    page: PageRequest
    media_type: str
    spelling: Spelling
    known: bytes | None


def read_question(request: Request) -> Question:
    """Read a question from its parameters and headers.

    Raises BadInput and NotAcceptable.
    """
    asked = _parameters(request.scope["query_string"])
    spelling, known = spoken(request.scope)
    return Question(
        query=asked.query,
        page=PageRequest(asked.limit, decode_cursor(asked.cursor)),
        media_type=choice(spelling[1].decode("latin-1"), OFFERS),
        spelling=spelling,
        known=known,
    )


def spoken(scope: Scope) -> tuple[Spelling, bytes | None]:
    """Return how a question is put, by whom, and what `If-None-Match` says is known."""
    accept, authorization, known = ANY, b"", None
    for name, value in scope["headers"]:
        if name == b"accept":
            accept = value
        elif name == b"authorization":
            authorization = value
        elif name == b"if-none-match":
            known = value
    return (scope["query_string"], accept, authorization), known


def _parameters(query_string: bytes) -> Parameters:
    values = parse_qs(query_string.decode("latin-1"), keep_blank_values=True)
    refuse_unknown(values, Parameters.model_fields)
    fields = {name: each if name in REPEATED else each[-1] for name, each in values.items()}
    try:
        return Parameters.model_validate(fields)
    except ValidationError as error:
        raise bad_fields([{**part, "loc": ("query", *part["loc"])} for part in error.errors()]) from error


def _described() -> list[dict[str, Any]]:
    properties = Parameters.model_json_schema()["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.pop("description"),
            "schema": schema,
        }
        for name, schema in properties.items()
    ] + [
        {
            "name": "if-none-match",
            "in": "header",
            "required": False,
            "description": "`ETag` of an answer that is at hand; as long as it is right, the answer is 304.",
            "schema": {"type": "string"},
        },
    ]


DESCRIBED = {"parameters": _described()}
