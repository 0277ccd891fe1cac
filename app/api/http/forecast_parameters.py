"""Read the request parameters of `GET /forecast` by hand: FastAPI takes longer than the forecast."""

from typing import Annotated, Any
from urllib.parse import parse_qs

from pydantic import BaseModel, Field, ValidationError

from app.api.http.content_negotiation import FORECAST_OFFERS, FORMAT, QUOTE_FORMULAS, media_type_of
from app.api.http.errors import bad_fields
from app.api.http.paging import CURSOR_TEXT, MAX_CURSOR_LENGTH, MAX_PAGE_SIZE
from app.api.http.unknown_names import refuse_unknown
from app.schemas.choices import DEFAULT_LEVELS, MAX_HORIZON
from app.schemas.datasets import SeriesName, TimeText
from app.schemas.fields import MAX_LEVELS, DatasetIdentifier, Level, ServedModelIdentifier
from app.schemas.forecast import HORIZON, UNTIL
from app.schemas.media_types import ForecastFormat
from app.services.forecasting.request import ForecastRequest
from app.services.shared.paging import CURSOR, PageRequest, decode_cursor


class Parameters(BaseModel):
    """The parameters of `GET /forecast`."""

    dataset_id: Annotated[
        DatasetIdentifier | None,
        Field(
            description="Forecast with the champion of this dataset, or with the pretrained network as long "
            "as it has none.",
        ),
    ] = None
    model_id: Annotated[
        ServedModelIdentifier | None,
        Field(
            description="Forecast with this very model instead. `pretrained` is the pretrained network, also "
            "where there is a champion; it needs `dataset_id` as well.",
        ),
    ] = None
    unique_id: Annotated[
        list[SeriesName],
        Field(description="Name of a series; repeat it for several, leave it out for every one."),
    ] = []
    horizon: Annotated[int | None, Field(ge=1, le=MAX_HORIZON, description=HORIZON)] = None
    until: Annotated[TimeText | None, Field(description=UNTIL)] = None
    level: Annotated[
        list[Level],
        Field(description="Interval in percent, 50 to 99; repeat it for several.", max_length=MAX_LEVELS),
    ] = list(DEFAULT_LEVELS)
    dataset_version: Annotated[
        int | None,
        Field(ge=1, lt=2**31, description="Forecast from the end of this version; by default the newest."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE, description="Most items on the page.")] = 100
    cursor: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=MAX_CURSOR_LENGTH,
            json_schema_extra={"pattern": CURSOR},
            description=CURSOR_TEXT,
        ),
    ] = None
    format: Annotated[ForecastFormat | None, Field(description=FORMAT)] = None
    quote_formulas: Annotated[bool, Field(description=QUOTE_FORMULAS)] = False


REPEATED = ("unique_id", "level")


def read_request(query_string: bytes, accept: bytes) -> ForecastRequest:
    """Read a request from its query string and its `Accept`. Raises BadInput and NotAcceptable."""
    parameters = _parameters(query_string)
    return ForecastRequest(
        dataset_id=parameters.dataset_id,
        model_id=parameters.model_id,
        dataset_version=parameters.dataset_version,
        unique_ids=tuple(dict.fromkeys(parameters.unique_id)),
        horizon=parameters.horizon,
        until=parameters.until,
        levels=tuple(dict.fromkeys(parameters.level)),
        page=PageRequest(parameters.limit, decode_cursor(parameters.cursor)),
        media_type=media_type_of(parameters.format, accept.decode("latin-1"), FORECAST_OFFERS),
        quote_formulas=parameters.quote_formulas,
    )


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
            "description": "`ETag` of a response at hand; the response is 304 as long as it is current.",
            "schema": {"type": "string"},
        },
    ]


DESCRIBED = {"parameters": _described()}
