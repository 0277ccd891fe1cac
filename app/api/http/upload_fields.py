"""The fields of a form beside its file: what the caller says of how to read it."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.intake.options import BESIDE, ReadOptions, as_option
from app.schemas.choices import Duplicates, Layout, Missing
from app.schemas.datasets import FrequencyText
from app.schemas.fields import (
    CATEGORY_COLUMNS,
    DATE_FORMAT,
    DUPLICATES,
    FUTURE_COLUMNS,
    MISSING,
    MISSING_VALUES,
    PAST_COLUMNS,
    SEASON_LENGTH,
    STATIC_COLUMNS,
    TIME_ZONE,
    UNUSED_COLUMNS,
    ColumnFields,
    DateFormat,
    LimitTexts,
    Name,
    ReadingFields,
    SeasonLengthText,
    TimeZone,
    lengths_of,
    parse_season_length,
)

COLUMN_TEXT = 5_000  # characters that name columns
SEVERAL = "; several are separated by commas."
FOUND = "; several are separated by commas. Found if absent."
ColumnNames = Annotated[str, Field(max_length=COLUMN_TEXT)]


def _as_file(schema: dict[str, Any]) -> None:
    schema.clear()
    schema.update(
        type="string",
        format="binary",
        description="The table: delimited text (CSV, TSV, ...) or a workbook with a header, JSON, Parquet or "
        "Arrow; also packed by gzip or Zstandard.",
    )


class FileFields(BaseModel):
    """The fields beside a file; an empty one counts as absent.

    They default to "" rather than null, which Swagger UI would fill with "string".
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"required": ["file"]})

    file: Annotated[Any, Field(json_schema_extra=_as_file)] = None
    id_column: Annotated[
        ColumnNames,
        Field(
            description="Column that names the series; several, separated by commas, are joined with ` / ` "
            "(`store,family`). Found if absent.",
        ),
    ] = ""
    time_column: Annotated[
        ColumnNames,
        Field(
            description="Column with the times; several are a date and a time of day, or a year and a month, "
            "a quarter or a week (`Year,Month`). Found if absent.",
        ),
    ] = ""
    target_column: Annotated[
        ColumnNames,
        Field(
            description="Column with the values; several make one series each. Found if absent.",
        ),
    ] = ""
    date_format: Annotated[DateFormat, Field(description=DATE_FORMAT)] = ""
    decimal: Annotated[
        Literal["", ".", ","], Field(description="The mark before decimals; found if absent.")
    ] = ""
    encoding: Annotated[
        str, Field(max_length=40, description="Text encoding, as Python names it; found if absent.")
    ] = ""
    skip_rows: Annotated[
        str,
        Field(
            pattern="^[0-9]{0,3}$",
            description="Lines to skip above the header, where they are not found.",
        ),
    ] = ""
    sheet: Annotated[
        str, Field(max_length=255, description="Sheet of a workbook, where several hold tables.")
    ] = ""
    layout: Annotated[
        Literal["", Layout],
        Field(
            description="`long`: a row for each value; `wide`: a column of values for each time or series. "
            "Found if absent.",
        ),
    ] = ""
    duplicates: Annotated[Literal["", Duplicates], Field(description=DUPLICATES)] = ""
    missing: Annotated[Literal["", Missing], Field(description=MISSING)] = ""
    missing_values: Annotated[
        str,
        Field(
            max_length=COLUMN_TEXT,
            description=f"{MISSING_VALUES}, or texts; several are separated by commas.",
        ),
    ] = ""

    def options(self) -> ReadOptions:
        """Return what the caller says of how to read the file."""
        return ReadOptions(
            id_column=self.id_column or None,
            time_column=self.time_column or None,
            target_column=self.target_column or None,
            date_format=self.date_format or None,
            decimal=self.decimal or None,
            encoding=self.encoding or None,
            skip_rows=int(self.skip_rows or 0) or None,
            sheet=self.sheet or None,
            layout=self.layout or None,
            duplicates=self.duplicates or None,
            missing=self.missing or None,
            missing_values=self.missing_values or None,
        )


class UploadFields(LimitTexts, FileFields):
    """The fields beside the file of a new dataset."""

    name: Annotated[Name, Field(description="A name for people; by default that of the file.")] = ""
    frequency: Annotated[
        FrequencyText,
        Field(description="Pandas alias (`D`, `MS`, `h`, ...), or 1 for plain integers; found if absent."),
    ] = ""
    season_length: Annotated[
        SeasonLengthText,
        Field(max_length=40, description=f"{SEASON_LENGTH}Several are separated by commas: `7,365`."),
    ] = ""
    time_zone: Annotated[TimeZone, Field(description=TIME_ZONE)] = ""
    past_columns: Annotated[ColumnNames, Field(description=f"{PAST_COLUMNS}{FOUND}")] = ""
    future_columns: Annotated[ColumnNames, Field(description=f"{FUTURE_COLUMNS}{FOUND}")] = ""
    static_columns: Annotated[ColumnNames, Field(description=f"{STATIC_COLUMNS}{FOUND}")] = ""
    category_columns: Annotated[ColumnNames, Field(description=f"{CATEGORY_COLUMNS}{SEVERAL}")] = ""
    unused_columns: Annotated[ColumnNames, Field(description=f"{UNUSED_COLUMNS}{SEVERAL}")] = ""

    def options(self) -> ReadOptions:
        """Return what the caller says of how to read the file, and of its steps."""
        return replace(
            super().options(),
            frequency=self.frequency or None,
            season_lengths=lengths_of(parse_season_length(self.season_length)),
            time_zone=self.time_zone or None,
            limits=self.limits,
            **self._columns(),
        )

    def _columns(self) -> dict[str, Any]:
        return {option: getattr(self, option) or None for option in BESIDE}


def columns_said(fields: ColumnFields) -> dict[str, Any]:
    """Return what the fields of a JSON body say of the columns beside the target, as reading options."""
    return {option: as_option(getattr(fields, option)) for option in BESIDE}


def reading_of(fields: ReadingFields) -> ReadOptions:
    """Return what the fields of a JSON body say of how to read its rows."""
    return ReadOptions(
        date_format=fields.date_format,
        time_zone=fields.time_zone,
        duplicates=fields.duplicates,
        missing=fields.missing,
        missing_values=",".join(map(str, fields.missing_values)) or None,
    )
