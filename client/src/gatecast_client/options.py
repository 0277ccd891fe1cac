"""What may be said in calls; what is left out is found, or has the service's own default."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, TypedDict

Preset = Literal["quick", "balanced", "accurate"]
OnLoss = Literal["warn", "fallback", "refuse"]
Duplicates = Literal["refuse", "sum", "mean", "last"]
Missing = Literal["gap", "zero"]
Layout = Literal["long", "wide"]
Seasons = int | Sequence[int]
"""The steps in a season, or in each of several; 1 for none."""


class Reading(TypedDict, total=False):
    """How to read a table; several columns are separated by commas."""

    id_column: str
    time_column: str
    target_column: str
    past_columns: str
    future_columns: str
    static_columns: str
    category_columns: str
    unused_columns: str
    frequency: str
    date_format: str
    time_zone: str
    decimal: Literal[".", ","]
    encoding: str
    skip_rows: int
    sheet: str
    layout: Layout
    duplicates: Duplicates
    missing: Missing
    missing_values: str


class Limiting(TypedDict, total=False):
    """What forecasts stay in; None is no limit."""

    lower: float | None
    upper: float | None
    integer: bool


class Uploading(Reading, Limiting, total=False):
    """How to read a table, and what its forecasts are to be like."""

    season_length: Seasons


class Fitting(TypedDict, total=False):
    """How to train a model; `/docs` has the defaults under `POST /train`."""

    architecture: Literal["lstm", "gru", "rnn", "cnn", "all"]
    start: Literal["auto", "pretrained", "scratch"]
    method: Literal["auto", "network", "blend"]
    measure: Literal["auto", "mase", "rmsse", "wql"]
    seed: int
    priority: int
    season_length: Seasons | None


class Training(Fitting, total=False):
    """How to train and test a model, and what becomes of it."""

    on_loss: OnLoss
    promote: Literal["auto", "always", "never"]
    cuts: int | None
    step_size: int | None
    level: Sequence[int]


class Asking(Limiting, total=False):
    """What a forecast is to be: the second group is for one's own series, the third for a dataset's."""

    horizon: int
    until: str
    level: Sequence[int]
    model_id: str

    dataset_id: str
    season_length: Seasons
    date_format: str
    time_zone: str
    duplicates: Duplicates
    missing: Missing
    missing_values: Sequence[float]

    unique_id: str | Sequence[str]
    dataset_version: int


def said(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is not None."""
    return {name: value for name, value in values.items() if value is not None}


def form(values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is said as the texts of a form."""
    return {name: _text(value) for name, value in said(values).items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{Decimal(str(value)):f}"  # forms take no exponents
    return str(value) if isinstance(value, str | int) else ",".join(map(str, value))
