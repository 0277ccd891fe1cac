"""Request and response bodies of forecasts."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples
from app.schemas.backtests import (
    CALIBRATED,
    COVERAGE,
    COVERAGE_RANGE,
    PERIODS,
    UNTESTED,
    Range,
    Share,
)
from app.schemas.choices import (
    DEFAULT_LEVELS,
    MAX_HORIZON,
    MAX_PRETRAINED_HORIZON,
    Outcome,
    Untested,
)
from app.schemas.datasets import Int64, ObservationIn, Time, TimeText
from app.schemas.fields import (
    MAX_LEVELS,
    SEASON_LENGTH,
    DatasetIdentifier,
    Level,
    LimitFields,
    ReadingFields,
    SeasonLength,
    ServedModelIdentifier,
)

HORIZON = (
    "Steps ahead; by default as far as the model reaches. Without a training at most "
    f"{MAX_PRETRAINED_HORIZON}, by default a season, but no fewer than 6 and no more than 48."
)
UNTIL = (
    "Forecast each series up to this time and with it, in place of `horizon`, so that series with different "
    "ends meet in one table: a year, a month, a day or a time (`2025-12` ends with December), or a number. A "
    "series known beyond it has no steps."
)


class AdHocRequest(ReadingFields, LimitFields, BaseModel):
    """Series to forecast that no dataset holds: by themselves, by a dataset's model or by a named one.

    Limits take the place of those of the dataset that is named, if any.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"example": examples.AD_HOC},
    )

    dataset_id: Annotated[
        DatasetIdentifier | None,
        Field(
            description="Forecast with the champion of this dataset, or the pretrained network if it has "
            "none, at the dataset's time steps. With no `model_id` either, the pretrained network forecasts "
            "the series by themselves: it finds their step and calibrates intervals on their own past.",
        ),
    ] = None
    model_id: Annotated[
        ServedModelIdentifier | None,
        Field(
            description="Forecast with this very model instead; `pretrained` is the pretrained network.",
        ),
    ] = None
    horizon: Annotated[int | None, Field(ge=1, le=MAX_HORIZON, description=HORIZON)] = None
    until: Annotated[TimeText | Int64 | None, Field(description=UNTIL)] = None
    level: Annotated[
        list[Level],
        Field(min_length=1, max_length=MAX_LEVELS, description="Intervals in percent, 50 to 99."),
    ] = list(DEFAULT_LEVELS)
    season_length: Annotated[
        SeasonLength | None,
        Field(description=f"{SEASON_LENGTH}Only with neither `dataset_id` nor a trained `model_id`."),
    ] = None
    observations: Annotated[
        list[ObservationIn],
        Field(
            min_length=1,
            description="The rows of up to 1,000 series, in any order, at the time steps of the model if one "
            "is named.",
        ),
    ]


class Interval(BaseModel):
    """The bounds of an interval, one value for each step, and how reliable they are."""

    model_config = ConfigDict(json_schema_extra={"example": examples.INTERVAL})

    lo: Annotated[list[float], Field(description="Lower bounds.")]
    hi: Annotated[list[float], Field(description="Upper bounds.")]
    calibrated: Annotated[bool, Field(description=CALIBRATED)]
    coverage: Annotated[Share, Field(description=COVERAGE)]
    coverage_range: Annotated[Range, Field(description=COVERAGE_RANGE)]
    periods: Annotated[int | None, Field(description=PERIODS)]
    untested: Annotated[Untested | None, Field(description=UNTESTED)]


class SeriesForecast(BaseModel):
    """The forecast of one series."""

    model_config = ConfigDict(json_schema_extra={"example": examples.FORECAST})

    unique_id: Annotated[str, Field(description="Name of the series.")]
    dataset_id: Annotated[
        DatasetIdentifier | None,
        Field(description="The dataset it belongs to; null for series sent with the request."),
    ]
    dataset_version: Annotated[
        int | None, Field(description="The version whose last values the forecast follows; null likewise.")
    ]
    model_id: Annotated[
        ServedModelIdentifier, Field(description="The model used; `pretrained` if none was trained.")
    ]
    frequency: Annotated[str | int, Field(description="Pandas alias of the time step, or an integer step.")]
    ds: Annotated[
        list[Time],
        Field(
            description="The times of the forecast, without those at which the series never has a value, "
            "such as Sundays of a shop that is closed on them."
        ),
    ]
    forecast: Annotated[list[float], Field(description="Medians, one for each time.")]
    mean: Annotated[
        list[float],
        Field(
            description="Means, one for each time: what comes on average, so that sums over series or times "
            "are right. Where values are mostly 0, the median is 0 and the mean is not."
        ),
    ]
    intervals: Annotated[
        dict[str, Interval],
        Field(description="Bounds by level: `80` holds the true value 80 times in 100."),
    ]
    method: Annotated[
        str,
        Field(
            description="The served method: the network by its name (`pretrained` before any training), the "
            "`blend`, or after a fallback a simple method."
        ),
    ]
    verdict: Annotated[
        Outcome | None,
        Field(
            description="The model's own verdict against the best simple method; null without a backtest, "
            "where series are too short for one, or while that of the pretrained network is still running."
        ),
    ]
    warning: Annotated[
        str | None,
        Field(
            description="The verdict in words where the network lost, or was a quarter worse than a simple "
            "method whatever the evidence (with fewer than six `effective_units`, by what luck seldom "
            "makes: 3.5 times of a single one); that the backtest of the pretrained network is still "
            "running, or failed; that columns beside the target, sent with the request, were not used; else "
            "null."
        ),
    ]


class ForecastPage(BaseModel):
    """The forecasts of several series, by name."""

    model_config = ConfigDict(json_schema_extra={"example": {"forecasts": [examples.FORECAST], "next": None}})

    forecasts: list[SeriesForecast]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]
