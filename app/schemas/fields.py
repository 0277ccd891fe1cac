"""Types of fields with rules of their own: names and identifiers, lengths of seasons, and limits."""

import difflib
import re
from typing import Annotated, Any, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    GetCoreSchemaHandler,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import CoreSchema

from app.schemas.choices import LONGEST_SEASON, MAX_LEVEL, MIN_LEVEL, Duplicates, Limits, Missing

MAX_ID_LENGTH = 200
MAX_NAME_LENGTH = 200
MAX_CELL_LENGTH = 500
# Control characters (C0, DEL, C1), line and paragraph separators, marks that change the direction of writing,
# and surrogates. Zero-width joiners are allowed: Persian and Hindi need them.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
NAME_RULE = "A name holds no tab, line break or other character that controls how text is shown"


DATASET_ID, MODEL_ID, JOB_ID = r"^ds_[0-9a-f]+$", r"^model_[0-9a-f]+$", r"^job_[0-9a-f]+$"
SCHEDULE_ID, WORKER_ID = r"^schedule_[0-9a-f]+$", r"^worker_[0-9a-f]+$"
SERVED_MODEL_ID = r"^(model_[0-9a-f]+|pretrained)$"


def _identifier(pattern: str) -> Any:
    # The pattern is documented and not checked: a text of another form is an id that does not exist, a 404.
    return Field(max_length=MAX_ID_LENGTH, json_schema_extra={"pattern": pattern})


DatasetIdentifier = Annotated[str, _identifier(DATASET_ID)]
ModelIdentifier = Annotated[str, _identifier(MODEL_ID)]
ServedModelIdentifier = Annotated[str, _identifier(SERVED_MODEL_ID)]
JobIdentifier = Annotated[str, _identifier(JOB_ID)]
ScheduleIdentifier = Annotated[str, _identifier(SCHEDULE_ID)]
WorkerIdentifier = Annotated[str, _identifier(WORKER_ID)]


def forbidden_character(name: str) -> str | None:
    """Return the first forbidden character as `U+202E`, or None."""
    found = _FORBIDDEN.search(name)
    return None if found is None else f"U+{ord(found[0]):04X}"


def trimmed(name: str) -> str:
    """Return a name without surrounding blanks and without a byte order mark."""
    return name.strip().strip("\ufeff").strip()


def _validated(name: str) -> str:
    if (character := forbidden_character(name)) is not None:
        raise ValueError(f"{NAME_RULE}, and this one has {character}: leave it out")
    return trimmed(name)


Name = Annotated[
    str,
    AfterValidator(_validated),
    Field(
        max_length=MAX_NAME_LENGTH,
        json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$"},
    ),
]
"""The name of a dataset or a model; empty, or of blanks alone, it counts as none."""

MOST_SEASONS = 4
SEASON_RULE = (
    f"season_length is a whole number of steps from 2 to {LONGEST_SEASON:,}, or a list of up to "
    f"{MOST_SEASONS}; 1 alone means no season"
)
SEASON_LENGTH = (
    "Steps in a season (12 for months), or in each of several; 1 for none. Given lengths replace those that "
    "the time step suggests or the values show. "
)


def read_season_length(value: object) -> list[int]:
    """Return the lengths in rising order, each once; raises ValueError."""
    lengths = value if isinstance(value, list) else [value]
    fits = all(type(length) is int and 1 <= length <= LONGEST_SEASON for length in lengths)
    if not fits or not 1 <= len(lengths) <= MOST_SEASONS or (1 in lengths and set(lengths) != {1}):
        raise ValueError(f"{SEASON_RULE}, got {str(value)[:40]}")
    return sorted(set(lengths))


def parse_season_length(text: str) -> list[int] | None:
    """Return the lengths in a text such as `7,365`; None for an empty one. Raises ValueError."""
    if not text.strip():
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(
        part.isascii() and part.isdecimal() and len(part) <= len(str(LONGEST_SEASON)) for part in parts
    ):
        raise ValueError(f"{SEASON_RULE}. Several are separated by commas; got {text[:40]!r}")
    return read_season_length([int(part) for part in parts])


def lengths_of(value: list[int] | None) -> tuple[int, ...] | None:
    """Return the lengths for a time axis: none for no season, None where nothing is said."""
    return None if value is None else tuple(length for length in value if length > 1)


def _checked(text: str) -> str:
    parse_season_length(text)
    return text


_LENGTH = {"type": "integer", "minimum": 1, "maximum": LONGEST_SEASON}
SeasonLength = Annotated[
    list[int],
    PlainValidator(read_season_length),
    WithJsonSchema(
        {"anyOf": [_LENGTH, {"type": "array", "items": _LENGTH, "minItems": 1, "maxItems": MOST_SEASONS}]}
    ),
]
SeasonLengthText = Annotated[str, AfterValidator(_checked)]

MAX_LEVELS = 10
Level = Annotated[int, Field(ge=MIN_LEVEL, le=MAX_LEVEL)]
"""The level of an interval, in percent."""

LOWER = "No forecast, mean or bound is below it. "
UPPER = "No forecast, mean or bound is above it. "
INTEGER = (
    "Whether forecasts are whole numbers: the median the nearest one, bounds the first and the last whole "
    "number within them; the mean is not rounded. "
)
_NUMBER = "^([+-]?[0-9]+([.][0-9]+)?)?$"
Limit = Annotated[float | None, Field(allow_inf_nan=False)]


def parse_limits(lower: str = "", upper: str = "", integer: str = "") -> Limits:
    """Return the limits in the texts of a form, of which empty ones say nothing. Raises ValueError."""
    return Limits(_parse_number(lower), _parse_number(upper), integer == "true")


def _parse_number(text: str) -> float | None:
    if not re.fullmatch(_NUMBER, text):
        raise ValueError(f"a limit is a number such as 0 or 1.5, got {text[:40]!r}")
    return float(text) if text else None


def _checked_number(text: str) -> str:
    _parse_number(text)
    return text


LimitText = Annotated[
    str, AfterValidator(_checked_number), Field(max_length=40, json_schema_extra={"pattern": _NUMBER})
]


class LimitFields(BaseModel):
    """The limits that forecasts stay within."""

    lower: Annotated[Limit, Field(description=LOWER)] = None
    upper: Annotated[Limit, Field(description=UPPER)] = None
    integer: Annotated[bool, Field(description=INTEGER)] = False

    @field_validator("upper", "integer")
    @classmethod
    def _fit(cls, value: Any, info: ValidationInfo) -> Any:
        Limits(**{**_given(info), str(info.field_name): value})
        return value

    @property
    def limits(self) -> Limits:
        """The limits as one value."""
        return Limits(self.lower, self.upper, self.integer)


class LimitTexts(BaseModel):
    """The same as fields of a form."""

    lower: Annotated[LimitText, Field(description=LOWER)] = ""
    upper: Annotated[LimitText, Field(description=UPPER)] = ""
    integer: Annotated[Literal["", "true", "false"], Field(description=INTEGER)] = ""

    @field_validator("upper", "integer")
    @classmethod
    def _fit(cls, value: str, info: ValidationInfo) -> str:
        parse_limits(**{**_given(info), str(info.field_name): value})
        return value

    @property
    def limits(self) -> Limits:
        """The limits as one value."""
        return parse_limits(self.lower, self.upper, self.integer)


def _given(info: ValidationInfo) -> dict[str, Any]:
    """Return the limits among the fields before the one that is checked."""
    return {name: info.data[name] for name in ("lower", "upper") if name in info.data}


DATE_FORMAT = "How the times are written, as in Python's strptime (`%d/%m/%Y`); found if absent."
TIME_ZONE = (
    "The zone of local times, such as `Europe/Berlin`: an hour that clocks repeat is two steps, one that "
    "they leave out is no gap, and forecasts are answered in local time with its offset from UTC."
)
DUPLICATES = (
    "What several rows at one time of a series are: `sum` of parts, such as sales; `mean` of measurements; "
    "`last` where a later row corrects an earlier one. By default such rows are refused."
)
MISSING = "What a step without a value means: `gap`, unknown (the default), or `zero`, nothing happened."
MISSING_VALUES = "Numbers that stand for no value, such as -999"
MOST_MISSING_VALUES = 20
DateFormat = Annotated[str, Field(max_length=40)]
TimeZone = Annotated[str, Field(max_length=40)]


class ReadingFields(BaseModel):
    """What a caller says of how to read rows."""

    date_format: Annotated[DateFormat | None, Field(description=DATE_FORMAT)] = None
    time_zone: Annotated[TimeZone | None, Field(description=TIME_ZONE)] = None
    duplicates: Annotated[Duplicates | None, Field(description=DUPLICATES)] = None
    missing: Annotated[Missing | None, Field(description=MISSING)] = None
    missing_values: Annotated[
        list[float],
        Field(
            max_length=MOST_MISSING_VALUES,
            description=f"{MISSING_VALUES}.",
            examples=[[-999]],
        ),
    ] = []


ROW_FIELDS = ("unique_id", "ds", "y")
ALIKE, ALIKE_SHORT = 0.8, 0.6  # how near a key is to a field that is meant: uniqueid, and yy


def _checked_key(key: str) -> str:
    """Return the key of a column; raises ValueError for one that looks like a misspelt field of a row."""
    plain = re.sub(r"\W+", "_", key.strip().lower())
    alike = ALIKE_SHORT if len(plain) <= len("ds") else ALIKE
    if meant := difflib.get_close_matches(plain, ROW_FIELDS, 1, alike):
        raise ValueError(f"This call knows no such field. Did you mean {meant[0]}?")
    if (character := forbidden_character(key)) is not None:
        raise ValueError(f"{NAME_RULE}, and this one has {character}: leave it out")
    return key


ColumnKey = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH), AfterValidator(_checked_key)]
"""The key of a column beside the target, in a row of JSON."""


class _OneMessage:
    """Lets a value that fits no member of a union be refused in one sentence."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: Any = handler(source)
        union = schema.get("schema", schema)
        union["custom_error_type"] = "cell_type"
        union["custom_error_message"] = (
            "A cell is a number, a text of up to 500 characters, true, false or null"
        )
        return cast("CoreSchema", schema)


CellIn = Annotated[float | bool | Annotated[str, Field(max_length=MAX_CELL_LENGTH)] | None, _OneMessage()]

PAST_COLUMNS = "Columns beside the target that are known up to its end"
FUTURE_COLUMNS = "Columns beside the target that are known ahead of its end"
STATIC_COLUMNS = "Columns with one value for each series"
CATEGORY_COLUMNS = "Columns of categories, though they may hold numbers: codes"
UNUSED_COLUMNS = "Columns that are passed over"
MOST_COLUMNS = 100
ColumnNameList = Annotated[
    list[Annotated[str, Field(max_length=MAX_NAME_LENGTH)]], Field(max_length=MOST_COLUMNS)
]


class ColumnFields(BaseModel):
    """What a caller says of the columns beside the target; the role of others is found."""

    past_columns: Annotated[ColumnNameList, Field(description=f"{PAST_COLUMNS}; found if absent.")] = []
    future_columns: Annotated[ColumnNameList, Field(description=f"{FUTURE_COLUMNS}; found if absent.")] = []
    static_columns: Annotated[ColumnNameList, Field(description=f"{STATIC_COLUMNS}; found if absent.")] = []
    category_columns: Annotated[ColumnNameList, Field(description=f"{CATEGORY_COLUMNS}.")] = []
    unused_columns: Annotated[ColumnNameList, Field(description=f"{UNUSED_COLUMNS}.")] = []
