"""The shapes of datasets, and of what an upload found."""

from datetime import datetime

from gatecast_client.shapes.base import Cell, Shape, Time


class Repair(Shape):
    """Something that the upload repaired or left out."""

    kind: str
    unique_id: str | None
    row: int | None
    detail: str


class Column(Shape):
    """A column of an uploaded table."""

    name: str
    role: str
    reason: str


class Detected(Shape):
    """How the upload was read."""

    format: str
    id_column: str | None
    time_column: str
    target_column: str
    encoding: str | None
    delimiter: str | None
    decimal: str | None
    date_format: str | None
    columns: list[Column]
    options: dict[str, Time]
    notes: list[str]


class Season(Shape):
    """A season that the series may have."""

    length: int
    name: str
    found: bool | None
    gain: float | None
    reason: str | None


class Covariate(Shape):
    """A column beside the target."""

    name: str
    role: str
    kind: str
    values: int
    missing: int
    ahead: int


class Profile(Shape):
    """The contents of a dataset version."""

    series: int
    observations: int
    gaps: int
    shortest: int
    longest: int
    start: Time
    end: Time
    frequency: Time
    season_length: int
    seasons: list[Season]
    intermittent: int | None
    covariates: list[Covariate]
    detected: Detected
    repairs: list[Repair]
    repairs_total: int


class Row(Shape):
    """A row of an upload as it was read."""

    unique_id: str | None
    ds: Time | None
    y: float | None


class Question(Shape):
    """A choice that the file leaves open."""

    parameter: str
    question: str
    candidates: list[str]


class FileProblem(Shape):
    """What must be mended in the file, or by a parameter, before it can be uploaded."""

    detail: str
    pointers: list[str]


class Preview(Shape):
    """What an upload would become; nothing is stored."""

    detected: Detected
    rows: list[Row]
    questions: list[Question]
    problems: list[FileProblem]
    off_step: int
    profile: Profile | None


class DatasetSummary(Shape):
    """A dataset in a list."""

    id: str
    name: str
    version: int
    champion_id: str | None
    created_at: datetime
    series: int
    observations: int
    frequency: Time
    start: Time
    end: Time


class Dataset(Shape):
    """A dataset with its profile."""

    id: str
    name: str
    version: int
    champion_id: str | None
    created_at: datetime
    lower: float | None
    upper: float | None
    integer: bool
    profile: Profile


class Appended(Dataset):
    """A dataset after an append, with the number of rows of each kind."""

    appended: int
    corrected: int
    unchanged: int
    new_series: int
    detected: Detected
    repairs: list[Repair]
    repairs_total: int


class Version(Shape):
    """A version of a dataset."""

    version: int
    created_at: datetime
    series: int
    observations: int
    start: Time
    end: Time
    repairs_total: int


class Series(Shape):
    """One series of a dataset."""

    unique_id: str
    length: int
    observations: int
    start: Time
    end: Time
    ahead: int
    static: dict[str, Cell]


class Observations(Shape):
    """The observations of a series, oldest first, with the columns beside them."""

    unique_id: str
    dataset_id: str
    dataset_version: int
    ds: list[Time]
    y: list[float | None]
    columns: dict[str, list[Cell]]
    static: dict[str, Cell]
