"""Request and response bodies of datasets."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.schemas import examples
from app.schemas.choices import Missing
from app.schemas.fields import (
    INTEGER,
    LOWER,
    SEASON_LENGTH,
    UPPER,
    CellIn,
    ColumnFields,
    ColumnKey,
    DatasetIdentifier,
    Limit,
    LimitFields,
    ModelIdentifier,
    Name,
    ReadingFields,
    SeasonLength,
)

Time = str | int
RepairKind = Literal["gap", "duplicate", "moved", "refused"]

MAX_COLUMNS_SHOWN = 100
MAX_SERIES_NAME_LENGTH = 500  # a database indexes at most a few thousand bytes
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
SeriesName = Annotated[str, Field(max_length=MAX_SERIES_NAME_LENGTH)]
TimeText = Annotated[str, Field(max_length=100)]
CellOut = float | str | None
FrequencyText = Annotated[str, Field(max_length=40)]


class ObservationIn(BaseModel):
    """One row of a series; any other key is a column beside the target: numbers, texts, or true and false."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra={"example": examples.OBSERVATION})

    __pydantic_extra__: dict[ColumnKey, CellIn]

    unique_id: Annotated[SeriesName | Int64, Field(description="Name of the series the row belongs to.")] = (
        "series"
    )
    ds: Annotated[
        TimeText | Int64,
        Field(description="When: ISO 8601, or a plain integer (1000 to 2999 read as years)."),
    ]
    y: Annotated[float | None, Field(description="The value observed; null marks a gap.")]


class DatasetCreate(ColumnFields, ReadingFields, LimitFields, BaseModel):
    """Series sent as JSON instead of as a file."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "example": {
                **examples.NOTHING_SAID,
                **examples.NO_COLUMNS,
                "future_columns": ["price"],
                "duplicates": "last",
                "missing_values": [-999.0],
                "name": "visitors",
                "frequency": "D",
                "season_length": [7],
                "lower": 0.0,
                "upper": None,
                "integer": True,
                "observations": [
                    {"unique_id": "museum", "ds": "2026-01-01", "y": 310.0, "price": 9.5},
                    {"unique_id": "museum", "ds": "2026-01-02", "y": 287.0, "price": 9.5},
                    {"unique_id": "museum", "ds": "2026-01-03", "y": 402.0, "price": 7.0},
                    {"unique_id": "museum", "ds": "2026-01-04", "y": None, "price": 7.0},
                ],
            },
        },
    )

    name: Annotated[Name | None, Field(description="A name for people; need not be unique.")] = None
    frequency: Annotated[
        FrequencyText | Int64 | None,
        Field(
            description="Pandas alias, old or new (`D`, `MS`, `ME`, `QE`, `h`), or an integer step; "
            "found from the times if absent."
        ),
    ] = None
    season_length: Annotated[
        SeasonLength | None, Field(description=f"{SEASON_LENGTH}Trainings may be given others.")
    ] = None
    observations: Annotated[list[ObservationIn], Field(min_length=1, description="The rows, in any order.")]


class Repair(BaseModel):
    """Something that the upload repaired or left out."""

    model_config = ConfigDict(json_schema_extra={"example": examples.REPAIR})

    kind: Annotated[
        RepairKind,
        Field(
            description="`gap`: a missing time step, kept as a gap that the training masks. `duplicate`: a "
            "time that stands again, of which `duplicates` says what counts. `moved`: a row that counts for "
            "the step nearest to its time. `refused`: a row without a time or a series name."
        ),
    ]
    unique_id: Annotated[str | None, Field(description="The series concerned.")]
    row: Annotated[
        int | None,
        Field(
            description="Row of the file as a spreadsheet numbers it (the header is row 1); for a JSON "
            "body the index of the observation, from 0; null for a gap, which has no row."
        ),
    ]
    detail: Annotated[str, Field(description="What was done, in a sentence.")]


class ColumnOut(BaseModel):
    """A column of an uploaded table."""

    model_config = ConfigDict(json_schema_extra={"example": examples.COLUMN})

    name: Annotated[str, Field(description="Its name in the header.")]
    role: Annotated[
        Literal["id", "time", "target", "past", "future", "static", "unused"],
        Field(
            description="What it is read as; several columns may share a role. `past`, `future` and `static` "
            "are covariates: known up to the target's end, also ahead of it, or one value for each series."
        ),
    ]
    reason: Annotated[str, Field(description="Why, in words.")]


class Detected(BaseModel):
    """How the upload was read."""

    model_config = ConfigDict(json_schema_extra={"example": examples.DETECTED})

    format: Annotated[
        Literal["csv", "json", "excel", "parquet", "arrow"], Field(description="The kind of input.")
    ]
    id_column: Annotated[
        str | None,
        Field(description="Columns with the series' names, separated by commas; null: one series."),
    ]
    time_column: Annotated[str, Field(description="Columns with the times, separated by commas.")]
    target_column: Annotated[str, Field(description="Columns with the values, separated by commas.")]
    encoding: Annotated[str | None, Field(description="Text encoding of the file.")] = None
    delimiter: Annotated[str | None, Field(description="Character between the columns.")] = None
    decimal: Annotated[str | None, Field(description="Decimal mark of the numbers.")] = None
    date_format: Annotated[
        str | None,
        Field(
            description="`ISO8601`, a strptime format (`%q` is a quarter), `excel`, `epoch_s`, `epoch_ms`, "
            "`decimal_year`, `integer` or `year`."
        ),
    ] = None
    columns: Annotated[
        list[ColumnOut], Field(description="The first 100 columns of the table, with their roles.")
    ] = []
    options: Annotated[
        dict[str, str | int],
        Field(description="What the caller said of how to read it; rows that are appended are read alike."),
    ] = {}
    notes: Annotated[
        list[str],
        Field(description="Choices that were not obvious, and what is odd about the data, in sentences."),
    ] = []


class SeasonOut(BaseModel):
    """A season that the series may have."""

    model_config = ConfigDict(json_schema_extra={"example": examples.SEASON})

    length: Annotated[int, Field(description="Its steps; a year of days counts as 365, of weeks as 52.")]
    name: Annotated[
        str, Field(description="`minute`, `day`, `week` or `year`; `season` where it is none of these.")
    ]
    found: Annotated[
        bool | None,
        Field(
            description="Whether the series show it (50 at most are read), null if unknown. "
            "A forecast judges it anew for each series."
        ),
    ]
    gain: Annotated[
        float | None,
        Field(
            description="Share of the error of cycles left out that it saves, a mean over series; where it "
            "holds a shorter one, what it adds. Null where not measured."
        ),
    ]
    reason: Annotated[str | None, Field(description="Why it is not found, in words.")]


class CovariateOut(BaseModel):
    """A column beside the target."""

    model_config = ConfigDict(json_schema_extra={"example": examples.COVARIATE})

    name: Annotated[str, Field(description="Its name.")]
    role: Annotated[
        Literal["past", "future", "static"],
        Field(
            description="`past`: known up to the target's end. `future`: known ahead of it as well. "
            "`static`: one value for each series."
        ),
    ]
    kind: Annotated[Literal["number", "category"], Field(description="What its cells are.")]
    values: Annotated[int, Field(description="Cells that are filled; of a static one, series that have it.")]
    missing: Annotated[
        int,
        Field(description="Steps of the series without a cell; of a static one, series without one."),
    ]
    ahead: Annotated[
        int, Field(description="Steps that it is known ahead of the target's end, in the series with most.")
    ]


class Profile(BaseModel):
    """The contents of a dataset version."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PROFILE})

    series: Annotated[int, Field(description="Number of series.")]
    observations: Annotated[int, Field(description="Number of values, gaps not counted.")]
    gaps: Annotated[int, Field(description="Time steps without a value, those when a series is closed too.")]
    shortest: Annotated[int, Field(description="Steps in the shortest series.")]
    longest: Annotated[int, Field(description="Steps in the longest series.")]
    start: Annotated[Time, Field(description="First time over all series.")]
    end: Annotated[Time, Field(description="Last time over all series.")]
    frequency: Annotated[str | int, Field(description="Pandas alias of the time step, or an integer step.")]
    season_length: Annotated[
        int, Field(description="Steps in the shortest season (12 for months); 1 for none.")
    ]
    seasons: Annotated[
        list[SeasonOut],
        Field(
            description="The seasons that the series may have, the shortest first: as `season_length` gave "
            "them, else those of the time step, else those found in the values.",
            default_factory=list,
        ),
    ]
    intermittent: Annotated[
        int | None,
        Field(
            description="Series with intermittent demand: no negative values, and a value above 0 less often "
            "than every 1.32 steps, by chance. Null for datasets from before this was counted."
        ),
    ] = None
    covariates: Annotated[
        list[CovariateOut],
        Field(description="The columns beside the target, which networks may use.", default_factory=list),
    ]
    detected: Annotated[Detected, Field(description="How the first upload was read.")]
    repairs: Annotated[list[Repair], Field(description="The first 1,000 repairs of this version's rows.")]
    repairs_total: Annotated[int, Field(description="Number of repairs, those not listed included.")]


class RowOut(BaseModel):
    """A row of an upload as it was read."""

    model_config = ConfigDict(json_schema_extra={"example": examples.ROW})

    unique_id: Annotated[str | None, Field(description="The series; null where the row names none.")]
    ds: Annotated[Time | None, Field(description="The time; as it is written where it could not be read.")]
    y: Annotated[float | None, Field(description="The value.")]


class QuestionOut(BaseModel):
    """A choice that the file leaves open."""

    model_config = ConfigDict(json_schema_extra={"example": examples.QUESTION})

    parameter: Annotated[str, Field(description="The parameter of the upload that settles it.")]
    question: Annotated[str, Field(description="What is open, in words.")]
    candidates: Annotated[
        list[str], Field(description="What the parameter may be set to; empty where the question says it.")
    ]


class ProblemOut(BaseModel):
    """What must be mended in the file, or by a parameter, before it can be uploaded."""

    model_config = ConfigDict(json_schema_extra={"example": examples.UNREADABLE})

    detail: Annotated[str, Field(description="What is wrong and how to mend it, in words.")]
    pointers: Annotated[list[str], Field(description="The first rows or parameters concerned.")]


class PreviewOut(BaseModel):
    """What an upload would become; nothing is stored.

    Where `questions` are open, all else is as their likeliest answers would have it, and the upload itself is
    refused until they are settled.
    """

    model_config = ConfigDict(json_schema_extra={"example": examples.PREVIEW})

    detected: Annotated[Detected, Field(description="How it is read: columns with roles, notes.")]
    rows: Annotated[list[RowOut], Field(description="The first five rows as they are read.")]
    questions: Annotated[list[QuestionOut], Field(description="What is open, and what settles it.")]
    problems: Annotated[list[ProblemOut], Field(description="What else keeps it from being uploaded.")]
    off_step: Annotated[
        int, Field(description="Rows beside the step, which count for the nearest; the repairs name them.")
    ]
    profile: Annotated[
        Profile | None,
        Field(description="What it would hold: step, span and repairs; null where it cannot be read so far."),
    ]


class DatasetSummary(BaseModel):
    """A dataset in a list."""

    model_config = ConfigDict(json_schema_extra={"example": examples.SUMMARY})

    id: Annotated[DatasetIdentifier, Field(description="Identifier, to be used in every other call.")]
    name: Annotated[str, Field(description="Name for people.")]
    version: Annotated[int, Field(description="Newest version; the first is 1.")]
    champion_id: Annotated[
        ModelIdentifier | None,
        Field(description="Model the dataset forecasts with; null means the pretrained network."),
    ]
    created_at: Annotated[datetime, Field(description="When it was uploaded.")]
    series: Annotated[int, Field(description="Number of series.")]
    observations: Annotated[int, Field(description="Number of values, gaps not counted.")]
    frequency: Annotated[str | int, Field(description="Pandas alias of the time step, or an integer step.")]
    start: Annotated[Time, Field(description="First time over all series.")]
    end: Annotated[Time, Field(description="Last time over all series.")]


class DatasetOut(BaseModel):
    """A dataset with its profile."""

    model_config = ConfigDict(json_schema_extra={"example": examples.DATASET})

    id: Annotated[DatasetIdentifier, Field(description="Identifier, to be used in every other call.")]
    name: Annotated[str, Field(description="Name for people.")]
    version: Annotated[int, Field(description="Newest version; the first is 1.")]
    champion_id: Annotated[
        ModelIdentifier | None,
        Field(description="Model the dataset forecasts with; null means the pretrained network."),
    ]
    created_at: Annotated[datetime, Field(description="When it was uploaded.")]
    lower: Annotated[float | None, Field(description=LOWER)]
    upper: Annotated[float | None, Field(description=UPPER)]
    integer: Annotated[bool, Field(description=INTEGER)]
    profile: Annotated[Profile, Field(description="What it holds, how it was read and what was repaired.")]


class DatasetUpdate(BaseModel):
    """Changes to a dataset; a field that is left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"example": examples.DATASET_UPDATE, "minProperties": 1},
    )

    name: Annotated[Name | None, Field(description="A name for people; null leaves it.")] = None
    lower: Annotated[Limit, Field(description=f"{LOWER}Null removes it.")] = None
    upper: Annotated[Limit, Field(description=f"{UPPER}Null removes it.")] = None
    integer: Annotated[bool | None, Field(description=f"{INTEGER}Null leaves it.")] = None
    season_length: Annotated[
        SeasonLength | None,
        Field(
            description=f"{SEASON_LENGTH}Null leaves them. Others make a new version; trained models keep "
            "those that they were trained with."
        ),
    ] = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("Give at least one of name, lower, upper, integer and season_length")
        if self.name == "":
            raise ValueError("A dataset has a name: give one that is not empty, or leave it out")
        return self


class ObservationsIn(BaseModel):
    """Rows to append to a dataset, sent as JSON instead of as a file."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "example": {
                "missing": None,
                "observations": [{"unique_id": "museum", "ds": "2026-01-04", "y": 398.0}],
            },
        },
    )

    missing: Annotated[
        Missing | None,
        Field(
            description="What a step without a row means: `gap`, no known value; `zero`, nothing happened. "
            "As the upload said if absent; said here, rows may lie far away."
        ),
    ] = None
    observations: Annotated[
        list[ObservationIn],
        Field(
            min_length=1,
            description="The rows, in any order; `unique_id` may be left out where the dataset has one "
            "series. `y` null removes the stored value, null of another column its cell; a row leaves the "
            "columns that it does not have.",
        ),
    ]


class ObservationsOut(DatasetOut):
    """A dataset after an append, with the number of rows of each kind."""

    model_config = ConfigDict(json_schema_extra={"example": examples.APPENDED})

    appended: Annotated[
        int,
        Field(
            description="Rows at new times: after the end, before the start, or of a new series; and those "
            "with the value of a step of which only columns were known."
        ),
    ]
    corrected: Annotated[int, Field(description="Rows at existing times with another value or cell.")]
    unchanged: Annotated[int, Field(description="Rows that equal what is stored.")]
    new_series: Annotated[int, Field(description="Series that the dataset did not have.")]
    detected: Annotated[Detected, Field(description="How these rows were read.")]
    repairs: Annotated[list[Repair], Field(description="The first 1,000 repairs of these rows.")]
    repairs_total: Annotated[int, Field(description="Number of their repairs, those not listed included.")]


class DatasetPage(BaseModel):
    """One page of datasets, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"datasets": [examples.SUMMARY], "next": examples.CURSOR}}
    )

    datasets: list[DatasetSummary]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]


class VersionOut(BaseModel):
    """A version of a dataset."""

    model_config = ConfigDict(json_schema_extra={"example": examples.VERSION})

    version: Annotated[int, Field(description="Its number; the first upload is 1.")]
    created_at: Annotated[datetime, Field(description="When it was made.")]
    series: Annotated[int, Field(description="Number of series.")]
    observations: Annotated[int, Field(description="Number of values, gaps not counted.")]
    start: Annotated[Time, Field(description="First time over all series.")]
    end: Annotated[Time, Field(description="Last time over all series.")]
    repairs_total: Annotated[int, Field(description="Repairs of the rows that made it.")]


class VersionPage(BaseModel):
    """One page of versions, newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"versions": [examples.VERSION], "next": None}})

    versions: list[VersionOut]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]


class SeriesOut(BaseModel):
    """One series of a dataset."""

    model_config = ConfigDict(json_schema_extra={"example": examples.SERIES})

    unique_id: Annotated[str, Field(description="Name of the series.")]
    length: Annotated[int, Field(description="Time steps from first to last, gaps included.")]
    observations: Annotated[int, Field(description="Number of values.")]
    start: Annotated[Time, Field(description="First time.")]
    end: Annotated[Time, Field(description="Last time.")]
    ahead: Annotated[
        int, Field(description="Steps after the last one for which a column beside the target is known.")
    ]
    static: Annotated[
        dict[str, CellOut], Field(description="The columns with one value for the series, by name.")
    ]


class SeriesPage(BaseModel):
    """One page of series, by name."""

    model_config = ConfigDict(json_schema_extra={"example": {"series": [examples.SERIES], "next": None}})

    series: list[SeriesOut]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]


class ObservationPage(BaseModel):
    """One page of the observations of a series, oldest first."""

    model_config = ConfigDict(json_schema_extra={"example": examples.OBSERVATIONS})

    unique_id: Annotated[str, Field(description="Name of the series.")]
    dataset_id: Annotated[DatasetIdentifier, Field(description="The dataset it belongs to.")]
    dataset_version: Annotated[int, Field(description="Version the observations are of.")]
    ds: Annotated[list[Time], Field(description="Times, ISO 8601, or integers.")]
    y: Annotated[
        list[float | None],
        Field(description="Values, one for each time; null for a gap, and at times ahead of the last value."),
    ]
    columns: Annotated[
        dict[str, list[CellOut]],
        Field(description="Columns beside the target, by name: a number or a text for each time, or null."),
    ]
    static: Annotated[
        dict[str, CellOut], Field(description="The columns with one value for the series, by name.")
    ]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]
