"""What a caller says of how to read an upload."""

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from app.schemas.choices import NO_LIMITS, Duplicates, Layout, Limits, Missing

BESIDE = ("past_columns", "future_columns", "static_columns", "category_columns", "unused_columns")
SHOWN = (
    *("frequency", "date_format", "time_zone", "decimal", "encoding", "skip_rows", "sheet", "layout"),
    *("duplicates", "missing", "missing_values"),
)
INHERITED = (
    *("date_format", "decimal", "encoding", "sheet", "layout", "duplicates", "missing"),
    "missing_values",
)
"""What holds for rows that are appended as well, unless they say otherwise."""


@dataclass(frozen=True)
class ReadOptions:
    """What the caller says of an upload; what is None is found.

    A column option names one column, or several as a line of comma-separated values.
    """

    id_column: str | None = None
    time_column: str | None = None
    target_column: str | None = None
    past_columns: str | None = None  # covariates known up to the target's end
    future_columns: str | None = None  # those known ahead of it as well
    static_columns: str | None = None  # those with one value for each series
    category_columns: str | None = None  # columns of categories, though they may hold numbers
    unused_columns: str | None = None
    finds_covariates: bool = True  # among the columns that no option names
    frequency: str | int | None = None
    season_lengths: tuple[int, ...] | None = None
    limits: Limits = NO_LIMITS
    date_format: str | None = None
    time_zone: str | None = None  # whose local times they are, as Europe/Berlin
    decimal: Literal[".", ","] | None = None
    encoding: str | None = None  # of a text, as Python names it
    skip_rows: int | None = None
    sheet: str | None = None  # of a workbook
    layout: Layout | None = None  # whether there is a row for each value, or a column for each time or series
    duplicates: Duplicates | None = None  # what becomes of several values at one time
    missing: Missing | None = None  # what a step without a value means
    missing_values: str | None = None  # texts or numbers that stand for no value, separated by commas

    @property
    def sentinels(self) -> tuple[str, ...]:
        """Return the texts that stand for no value."""
        return split_line(self.missing_values or "")

    @property
    def joins_rows(self) -> bool:
        """Whether several rows of one time become one."""
        return self.duplicates not in {None, "refuse"}

    @property
    def shown(self) -> dict[str, str | int]:
        """Return what was said, by option; names, times, values and seasons are shown elsewhere."""
        said = {name: getattr(self, name) for name in (*SHOWN, *(BESIDE if self.finds_covariates else ()))}
        return {name: value for name, value in said.items() if value is not None}

    def inheriting(self, earlier: Mapping[str, Any]) -> "ReadOptions":
        """Return these options, with those of an earlier upload where they hold for further rows."""
        missing = {name: earlier[name] for name in INHERITED if name in earlier}
        return replace(
            self, **{name: value for name, value in missing.items() if getattr(self, name) is None}
        )


NOTHING_SAID = ReadOptions()


def named(text: str | None, columns: Collection[str]) -> tuple[str, ...]:
    """Return the columns that an option names: one whose name is the whole text, else each part of it."""
    if not text:
        return ()
    return (text,) if text in columns else split_line(text)


def as_option(names: Iterable[str]) -> str | None:
    """Return the text by which an option names these columns; None for no column."""
    every = list(names)
    if len(every) <= 1:
        return every[0] if every else None
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(every)
    return line.getvalue()


def split_line(text: str) -> tuple[str, ...]:
    """Return the cells of a line of comma-separated values, stripped, without empty ones."""
    cells = next(csv.reader([text.replace("\n", " ").replace("\r", " ")], skipinitialspace=True), [])
    return tuple(cell.strip() for cell in cells if cell.strip())
