"""Read an upload into typed series, and a profile of what was detected and repaired."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.errors import BadInput, FieldError
from app.intake.additions import Addition, ExistingDataset, gather_addition, refuse_unnamed
from app.intake.arrays import Ints, Mask
from app.intake.columns.numbers import MISSING, is_doubtful, read_numbers
from app.intake.columns.roles import Roles, find_roles
from app.intake.columns.table_layout import MAX_COLUMNS, Dtype, Table, open_table
from app.intake.frame import Intake
from app.intake.limits import upload_notes
from app.intake.options import ReadOptions
from app.intake.problems import Place, refuse_rows
from app.intake.repairs import Repairs
from app.intake.rows import Rows
from app.intake.series import Gathered, gather
from app.intake.time.seasons import seasons_found
from app.intake.time.times import Times
from app.schemas.choices import NO_LIMITS, Limits
from app.schemas.datasets import Detected, ObservationIn, Profile

__all__ = ["ReadOptions", "read_csv", "read_more_csv", "read_more_rows", "read_rows"]

EMPTY_TIMES = ("", "NA", "N/A", "n/a", "NaN", "nan", "NaT", "null", "NULL", "None")
EMPTY_NAMES = ("",)  # NA is Namibia
Floats = NDArray[np.float64]
Categories: TypeAlias = "pd.Series[str]"  # of dtype category


def read_csv(data: bytes, options: ReadOptions, max_columns: int = MAX_COLUMNS) -> Intake:
    """Read delimited text; detect its encoding, delimiter, decimal mark, columns, dates and frequency.

    Raises BadInput, with the rows or columns at fault, for what cannot be used.
    """
    file = _open(data, options, max_columns)
    name = re.sub(
        r"[\t\r\n]+", " ", file.roles.target
    )  # a header cell may have several lines, a name has one
    gathered = gather(file.rows(name), options.frequency, options.season_lengths, options.date_format)
    _refuse_merged(file, options, gathered.repairs, gathered.frame.y)
    return _intake(gathered, file.detected(gathered.times), options.limits)


def read_rows(
    rows: Sequence[ObservationIn],
    frequency: str | int | None,
    season_lengths: tuple[int, ...] | None = None,
    limits: Limits = NO_LIMITS,
) -> Intake:
    """Read the rows of a JSON body; raises BadInput with pointers into `observations`."""
    if not rows:
        raise BadInput("There are no observations. Send at least two for each series.")
    gathered = gather(_rows_of_json(rows, [row.unique_id for row in rows]), frequency, season_lengths)
    return _intake(gathered, _detected_rows(gathered.times), limits)


def read_more_csv(
    data: bytes, options: ReadOptions, existing: ExistingDataset, max_columns: int = MAX_COLUMNS
) -> Addition:
    """Read delimited text to append to a dataset; raises BadInput as `read_csv` does."""
    file = _open(data, options, max_columns, existing)
    if file.roles.id is None and existing.only is None:
        raise refuse_unnamed(["#/id_column"])
    addition = gather_addition(file.rows(existing.only or ""), existing, file.detected)
    _refuse_merged(file, options, addition.repairs, addition.points.y)
    return addition


def read_more_rows(rows: Sequence[ObservationIn], existing: ExistingDataset) -> Addition:
    """Read the rows of a JSON body to append to a dataset; raises BadInput as `read_rows` does."""
    unnamed = [i for i, row in enumerate(rows) if "unique_id" not in row.model_fields_set]
    if unnamed and existing.only is None:
        raise refuse_unnamed([f"#/observations/{i}/unique_id" for i in unnamed])
    names = [row.unique_id if "unique_id" in row.model_fields_set else existing.only for row in rows]
    return gather_addition(_rows_of_json(rows, names), existing, _detected_rows)


@dataclass(frozen=True)
class _File:
    """A table whose columns have roles and have been read."""

    table: Table
    roles: Roles
    cells: "_Cells"

    def rows(self, unnamed: str) -> Rows:
        """Return the rows; without a column of names, all belong to the series `unnamed`."""
        place, cells = Place(self.table.first_row), self.cells
        times, texts = _coded(cells.frame[self.roles.time], EMPTY_TIMES)
        if self.roles.id is None:
            blank = (times < 0) & np.isnan(cells.y)
            series, names = np.where(blank, -1, 0), [unnamed]
        else:
            series, names = _coded(cells.frame[self.roles.id], EMPTY_NAMES)
        return Rows(place, series, tuple(names), times, pd.Series(texts, dtype="object"), cells.y)

    def detected(self, times: Times) -> Detected:
        return Detected(
            format="csv",
            id_column=self.roles.id,
            time_column=self.roles.time,
            target_column=self.roles.target,
            encoding=self.table.encoding,
            delimiter=self.table.delimiter,
            decimal=self.cells.decimal,
            date_format=times.date_format,
            notes=[note for note in (self.roles.note, *times.notes) if note],
        )


def _open(
    data: bytes, options: ReadOptions, max_columns: int, existing: ExistingDataset | None = None
) -> _File:
    table = open_table(data, max_columns)
    if not table.has_rows:
        raise BadInput("The file has a header and no rows. Send one row for each time of each series.")
    requested = existing.options(options, table.names) if existing else options
    roles = find_roles(table.sample(table.names), requested, table.texts)
    return _File(table, roles, _read_cells(table, roles, existing.detected.decimal if existing else None))


def _rows_of_json(rows: Sequence[ObservationIn], unique_ids: Sequence[str | int | None]) -> Rows:
    place = Place(None)
    series, names = _coded(pd.Series([str(name) for name in unique_ids], dtype="category"), EMPTY_NAMES)
    times, texts = _coded(pd.Series([str(row.ds) for row in rows], dtype="category"), EMPTY_TIMES)
    y = np.array([np.nan if row.y is None else row.y for row in rows], dtype=np.float64)
    _refuse_infinite(place, y)
    return Rows(place, series, tuple(names), times, pd.Series(texts, dtype="object"), y)


def _detected_rows(times: Times) -> Detected:
    return Detected(
        format="json",
        id_column="unique_id",
        time_column="ds",
        target_column="y",
        date_format=times.date_format,
        notes=list(times.notes),
    )


@dataclass(frozen=True)
class _Cells:
    """The columns that have a role, row by row."""

    frame: pd.DataFrame  # names and times as categories
    y: Floats
    decimal: str


def _read_cells(table: Table, roles: Roles, previous: str | None) -> _Cells:
    """Parse plain numbers while reading; read any other notation as text and judge it as a column."""
    kinds: dict[str, Dtype] = {name: "category" for name in (roles.id, roles.time) if name}
    sample = table.sample([roles.target])
    if previous != "," and not is_doubtful(sample[roles.target], table.delimiter):
        try:
            frame = table.read({**kinds, roles.target: "float64"}, missing=MISSING)
        except ValueError:
            pass  # some cell is not a plain number
        else:
            return _Cells(frame, _checked(table, frame[roles.target].to_numpy()), ".")
    frame = table.read({**kinds, roles.target: "str"})
    numbers = read_numbers(frame[roles.target], table.delimiter, previous)
    _refuse_text(table, roles, frame, numbers.wrong)
    return _Cells(frame, _checked(table, numbers.numbers), numbers.decimal)


def _checked(table: Table, y: Floats) -> Floats:
    _refuse_infinite(Place(table.first_row), y)
    return y


def _refuse_text(table: Table, roles: Roles, frame: pd.DataFrame, wrong: Mask) -> None:
    if wrong.any():
        raise refuse_rows(
            Place(table.first_row),
            "y",
            np.flatnonzero(wrong),
            lambda row: f"{str(frame[roles.target].iloc[row])[:40]!r} is not a number",
            f"Column {roles.target!r} holds text where numbers should be; correct these cells, or leave them"
            " empty where there is no value",
        )


def _refuse_infinite(place: Place, y: Floats) -> None:
    infinite = np.isinf(y)
    if infinite.any():
        raise refuse_rows(
            place,
            "y",
            np.flatnonzero(infinite),
            lambda _: "the value is infinite or too large for a 64-bit float",
            "Some values are infinite; leave them empty where there is no value",
        )


def _coded(column: Categories, empty: tuple[str, ...]) -> tuple[Ints, list[str]]:
    """Return each row's code, -1 for an empty cell, and the distinct texts, stripped and sorted."""
    texts = pd.Series(column.cat.categories, dtype="object").str.strip()
    code_of, distinct = pd.factorize(texts.mask(texts.isin(empty)), sort=True)
    return np.append(code_of, -1).astype(np.int64)[column.cat.codes], list(distinct)


def _refuse_merged(file: _File, requested: ReadOptions, repairs: Repairs, y: Floats) -> None:
    """Raise BadInput where half of all rows are duplicates: then a column of names was not found."""
    roles = file.roles
    used = len({roles.id, roles.time, roles.target} - {None})
    if requested.id_column is not None or len(file.table.names) <= used:
        return
    if repairs.counts["duplicate"] >= np.count_nonzero(~np.isnan(y)):
        raise BadInput(
            "Most times stand more than once in their series. Name the column that tells the series apart"
            " with id_column, or send each time once.",
            [FieldError("#/id_column", "needed, because times repeat")],
        )


def _intake(gathered: Gathered, detected: Detected, limits: Limits) -> Intake:
    frame, repairs = gathered.frame, gathered.repairs
    detected.notes += upload_notes(frame.y, limits)
    lengths = np.diff(frame.offsets)
    gaps = int(np.count_nonzero(np.isnan(frame.y)))
    start, end = frame.axis.format(np.array([frame.ds.min(), frame.ds.max()]))
    profile = Profile(
        series=len(frame.unique_ids),
        observations=len(frame.y) - gaps,
        gaps=gaps,
        shortest=int(lengths.min()),
        longest=int(lengths.max()),
        start=start,
        end=end,
        frequency=frame.axis.frequency,
        season_length=frame.axis.season_length,
        seasons=seasons_found(frame.axis, int(lengths.max())),
        detected=detected,
        repairs=repairs.listed,
        repairs_total=repairs.total,
    )
    return Intake(frame, profile)
