"""What a caller says of how to read an upload."""

from dataclasses import dataclass

from app.schemas.choices import NO_LIMITS, Limits


@dataclass(frozen=True)
class ReadOptions:
    """The columns, frequency, seasons and limits that the caller names; what is None is found."""

    id_column: str | None = None
    time_column: str | None = None
    target_column: str | None = None
    frequency: str | int | None = None
    season_lengths: tuple[int, ...] | None = None
    date_format: str | None = None
    limits: Limits = NO_LIMITS
