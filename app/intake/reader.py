"""Read an upload into typed series and their profile, or show how it would be read."""

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import IO

import numpy as np
import pandas as pd

from app.errors import BadInput
from app.intake.additions.addition import Addition, gather_addition
from app.intake.additions.existing import ExistingDataset, refuse_unnamed
from app.intake.beside.judging import NOT_JUDGED, Judged
from app.intake.beside.laying import summaries
from app.intake.beside.observations import beside_keys, columns_of, lacking
from app.intake.columns.beside import unused_notes
from app.intake.columns.coded import Coded
from app.intake.columns.identities import ask_for_keys, further_keys
from app.intake.files.conversion import FileLimits
from app.intake.files.opening import open_tables
from app.intake.files.sheets import the_only
from app.intake.frame import Intake
from app.intake.notes import notes_of
from app.intake.options import ReadOptions
from app.intake.problems import Place, Unsettled
from app.intake.rows.repeated import RepeatedTimes
from app.intake.rows.rows import Rows
from app.intake.series import Gathered, gather
from app.intake.table_cells import finite
from app.intake.table_rows import EMPTY_NAMES, EMPTY_TIMES, OpenTable, open_rows
from app.intake.tables.table import Table
from app.intake.time.seasons import seasons_of
from app.intake.time.times import Times
from app.schemas.choices import Missing
from app.schemas.datasets import MAX_COLUMNS_SHOWN, ColumnOut, Detected, ObservationIn, Profile

__all__ = ["ReadOptions", "read_csv", "read_more_csv", "read_more_rows", "read_rows"]

FIRST_ROWS = 5
LIMITS = FileLimits()


def read_csv(data: bytes | IO[bytes], options: ReadOptions, limits: FileLimits = LIMITS) -> Intake:
    """Read a file; detect its encoding, delimiter, decimal mark, columns, dates and frequency.

    Raises BadInput, with the rows or columns at fault, for what cannot be used, and Unsettled, with the
    options that settle it, for what can be read in several ways.
    """
    table = in_its_zone(open_rows(open_table(data, options, limits), options))
    _refuse_open_questions(table)
    gathered = gather_table(table)
    return intake_of(gathered, table.detected(gathered.times, gathered.judged), options)


def gather_table(table: OpenTable) -> Gathered:
    """Return the series of a table by its roles, open questions or not; raises as `read_csv` does."""
    try:
        return gather(table.rows(), table.options)
    except RepeatedTimes as error:
        raise _explained(table, error) from error


def read_rows(rows: Sequence[ObservationIn], options: ReadOptions) -> Intake:
    """Read the rows of a JSON body; raises BadInput with pointers into `observations`."""
    if not rows:
        raise BadInput("There are no observations. Send at least two for each series.")
    read, unused = rows_of_json(rows, [row.unique_id for row in rows], options)
    gathered = gather(read, options)
    return intake_of(gathered, detected_rows(gathered.times, gathered.judged, unused, options), options)


def read_more_csv(
    data: bytes | IO[bytes], options: ReadOptions, existing: ExistingDataset, limits: FileLimits = LIMITS
) -> Addition:
    """Read delimited text to append to a dataset; raises BadInput as `read_csv` does."""
    opened = open_table(data, options.inheriting(existing.detected.options), limits)
    said = existing.options_of_table(options, opened.names)
    table = open_rows(opened, said, existing.detected.decimal)
    notes = existing.stand_in_notes(table.options, table.roles)
    _refuse_open_questions(table)
    if not (table.roles.ids or existing.only or existing.is_named_by_target):
        raise refuse_unnamed(["#/id_column"])
    try:
        rows = table.rows(existing.only, by_target=len(existing.targets) > 1)
        addition = gather_addition(rows, existing, table.options, table.detected)
    except RepeatedTimes as error:
        raise _explained(table, error) from error
    addition.detected.notes += notes
    return replace(addition, says_missing=options.missing is not None)


def read_more_rows(
    rows: Sequence[ObservationIn], existing: ExistingDataset, missing: Missing | None = None
) -> Addition:
    """Read the rows of a JSON body to append to a dataset; raises BadInput as `read_rows` does."""
    unnamed = [i for i, row in enumerate(rows) if "unique_id" not in row.model_fields_set]
    if unnamed and existing.only is None:
        raise refuse_unnamed([f"#/observations/{i}/unique_id" for i in unnamed])
    names = [row.unique_id if "unique_id" in row.model_fields_set else existing.only for row in rows]
    options = existing.options(ReadOptions(missing=missing), beside_keys(rows))
    read, unused = rows_of_json(rows, names, options)
    addition = gather_addition(
        read, existing, options, lambda times: detected_rows(times, NOT_JUDGED, unused, options)
    )
    points = addition.points
    # A row may be of a value alone and another of a later price: neither removes what it does not mention.
    left = lacking(rows, addition.row, [*points.cells, *points.static])
    return replace(addition, points=points.sent_in(left), says_missing=missing is not None)


def rows_of_json(
    rows: Sequence[ObservationIn], unique_ids: Sequence[str | int | None], options: ReadOptions
) -> tuple[Rows, tuple[ColumnOut, ...]]:
    """Return the rows of a JSON body, and its columns that are not used.

    Raises BadInput for an infinite value, and as `columns_of` does.
    """
    place = Place(None)
    beside, unused = columns_of(rows, options)
    series = Coded.of(pd.Series([str(name) for name in unique_ids], dtype="category"), EMPTY_NAMES)
    times = Coded.of(pd.Series([str(row.ds) for row in rows], dtype="category"), EMPTY_TIMES)
    y = np.array([np.nan if row.y is None else row.y for row in rows], dtype=np.float64)
    texts = pd.Series(times.texts, dtype="object")
    values = finite(place, y, options)
    return Rows(place, series.codes, series.texts, times.codes, texts, values, beside), unused


def detected_rows(
    times: Times | None, judged: Judged, unused: Sequence[ColumnOut], options: ReadOptions
) -> Detected:
    """Return how the rows of a JSON body were read."""
    columns = [*judged.columns.values(), *unused]
    return Detected(
        format="json",
        id_column="unique_id",
        time_column="ds",
        target_column="y",
        date_format=times.date_format if times else None,
        columns=columns[:MAX_COLUMNS_SHOWN],
        options=options.shown,
        notes=[*(times.notes if times else []), *judged.notes, *unused_notes(columns)],
    )


def open_table(data: bytes | IO[bytes], options: ReadOptions, limits: FileLimits) -> Table:
    """Return the table that a file holds, before any column has a role."""
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    return the_only(open_tables(file, options, limits), lambda table: open_rows(table, options))


def in_its_zone(table: OpenTable) -> OpenTable:
    """Return a table with the zone that its times say they are in, unless the caller says another."""
    times = table.roles.times
    if table.options.time_zone is not None or len(times) != 1:
        return table
    zone = table.table.time_zone(times[0])
    return replace(table, options=replace(table.options, time_zone=zone)) if zone else table


def _refuse_open_questions(table: OpenTable) -> None:
    if table.roles.questions:
        raise Unsettled(table.roles.questions)


def _explained(table: OpenTable, error: RepeatedTimes) -> Unsettled:
    """Return the error for times that repeat; it asks for further columns of names where there are any."""
    roles = table.roles
    frame = table.table.coded([*roles.ids, *roles.times, *roles.keys])
    further = further_keys(frame, roles.ids, roles.times, roles.keys)
    return Unsettled([ask_for_keys(roles.ids, further, table.table.names)]) if further else error


def intake_of(gathered: Gathered, detected: Detected, options: ReadOptions) -> Intake:
    """Return the series with their profile."""
    frame, repairs = gathered.frame, gathered.repairs
    lengths = np.diff(frame.offsets)
    gaps = int(np.count_nonzero(np.isnan(frame.y)))
    start, end = frame.axis.format(np.array([frame.ds.min(), frame.ds.max()]))
    notes = [*detected.notes, *notes_of(frame, options)]
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
        seasons=seasons_of(frame.axis, int(lengths.max())),
        covariates=summaries(frame),
        detected=detected.model_copy(update={"notes": notes}),
        repairs=repairs.listed,
        repairs_total=repairs.total,
    )
    return Intake(frame, profile)
