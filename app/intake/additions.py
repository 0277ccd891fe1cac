"""Read rows to append to a dataset: on its axis, with its columns and names."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints, Mask
from app.intake.beside.laying import cells_of
from app.intake.columns.beside import ROLES
from app.intake.covariates import Covariate
from app.intake.grid.filling import LEAST_VALUES, refuse_short
from app.intake.grid.points import Points, off_step, owners
from app.intake.notes import limit_notes
from app.intake.oddities import report_moved
from app.intake.options import ReadOptions, as_option, named
from app.intake.problems import SHOWN, refuse_rows
from app.intake.repairs import Repairs
from app.intake.rows import Rows, complete, in_zone, refuse_lone
from app.intake.series import names_of, sort, too_few
from app.intake.time.aliases import Alias
from app.intake.time.axis import Kind, TimeAxis
from app.intake.time.candidates import nearest
from app.intake.time.dates import Hints
from app.intake.time.regular import farthest
from app.intake.time.steps import DAY
from app.intake.time.times import Times, WrongFrequency, looks_like_whole_numbers, read_times
from app.schemas.choices import NO_LIMITS, Limits, Missing
from app.schemas.datasets import Detected, Time

KINDS: dict[Kind, str] = {"datetime": "dates", "integer": "integers", "year": "years"}


@dataclass(frozen=True)
class ExistingDataset:
    """What reading rows needs to know of the dataset they are for."""

    axis: TimeAxis
    end: Time
    detected: Detected  # how its first upload was read
    only: str | None  # the name of its series, if it has just one
    limits: Limits = NO_LIMITS
    covariates: tuple[Covariate, ...] = ()

    def options(self, requested: ReadOptions, names: tuple[str, ...]) -> ReadOptions:
        """Return the options; what they do not say is as in the dataset's first upload.

        A role without a column gets that upload's, unless it is absent or named for another role.
        """
        named_already = {
            name
            for text in (requested.id_column, requested.time_column, requested.target_column)
            for name in named(text, names)
        }

        def inherited(option: str | None) -> str | None:
            columns = set(named(option, names))
            return option if columns <= set(names) - named_already else None

        return replace(
            requested.inheriting(self.detected.options),
            id_column=requested.id_column or inherited(self.detected.id_column),
            time_column=requested.time_column or inherited(self.detected.time_column),
            target_column=requested.target_column or inherited(self.detected.target_column),
            finds_covariates=False,
            **self._columns(set(names) - named_already),
        )

    def options_of_table(self, requested: ReadOptions, names: tuple[str, ...]) -> ReadOptions:
        """Return the options for a table with these columns; raises BadInput where none can be the target."""
        options = self.options(requested, names)
        if self.covariates and options.target_column is None:
            self._refuse_covariates_alone(options, names)
        return options

    def _refuse_covariates_alone(self, options: ReadOptions, names: tuple[str, ...]) -> None:
        used = {each.name for each in self.covariates}
        used.update(*(named(text, names) for text in (options.id_column, options.time_column)))
        if names and set(names) <= used:
            target = self.detected.target_column
            raise BadInput(
                f"There are columns beside the target and no target, which is {target!r}. Add that column,"
                " empty where nothing is known yet; at a step that has a value an empty cell removes it.",
                [FieldError("#/target_column", f"there is no column {target!r}")],
            )

    def _columns(self, names: Collection[str]) -> dict[str, Any]:
        """Return the options that name those of the dataset's covariates that were sent."""
        sent = [each for each in self.covariates if each.name in names]
        options = {
            option: as_option(each.name for each in sent if each.role == role)
            for option, role in ROLES.items()
        }
        categories = as_option(each.name for each in sent if each.kind == "category")
        return {**options, "category_columns": categories}


@dataclass(frozen=True)
class Addition:
    """Rows for a dataset as they were read, before they are merged into it."""

    points: Points
    axis: TimeAxis
    repairs: Repairs
    detected: Detected
    rows: Rows
    row: Ints  # (points,) row of the upload
    missing: Missing | None  # what a step without a value means

    def on_steps(self, begins: Ints, ends: Ints, new: Mask, repairs: Repairs) -> "Addition":
        """Return the rows on the steps of their series: those beside one count for the nearest if it is free.

        Args:
            begins: (series,) the first time of each series.
            ends: (series,) the last time with a value.
            new: (series,) which of them the dataset does not have.
            repairs: gets one for each row that is moved.

        Raises BadInput for other times between steps, or a new series without a value.
        """
        points, frequency = self.points, self.axis.frequency
        refuse_short(points.unique_ids, np.where(new, points.values(), LEAST_VALUES), too_few)
        off = off_step(points.ds, begins[points.series], self.axis.step)
        if not off.any():
            return self
        moved = self._moved(begins, ends, ~new)
        wrong = np.sort(self.row[off & (moved == points.ds)])
        if len(wrong):
            raise refuse_rows(
                self.rows.place,
                "ds",
                wrong,
                lambda row: f"{self.rows.time(row)[:40]!r} is not on a step of {frequency!r}",
                f"Some times do not fit the dataset's frequency {frequency!r}, counted from where their"
                " series begins; correct or leave out these rows",
            )
        report_moved(self.rows, self.row[off], moved[off], self.axis, repairs)
        return replace(self, points=replace(points, ds=moved))

    def _moved(self, begins: Ints, ends: Ints, known: Mask) -> Ints:
        """Return the times on steps of their series where it is plain which, and the others as they are.

        It is the nearest step that comes after all values; where rows count for the step that they lie in, it
        is that one, if the nearest is far. No two rows share one.
        """
        points, step = self.points, self.axis.step
        if self.axis.kind != "datetime":
            return points.ds
        each = nearest(points.ds, step, begins[points.series])
        near = each.off <= farthest(step)
        if self.axis.by_period:
            start = begins[points.series]
            number = (step.position(points.ds) - step.position(start)) // step.size
            found = np.where(near, each.nearest, step.shift(start, number))
        else:
            found = np.where(near & (each.nearest > ends[points.series]), each.nearest, points.ds)
        shared = np.diff(found, prepend=found[:1] - 1) == 0
        shared[points.offsets[:-1]] = False
        plain = known[points.series] & ~shared & ~np.append(shared[1:], False)
        return np.where(plain, found, points.ds)


def gather_addition(
    rows: Rows,
    existing: ExistingDataset,
    options: ReadOptions,
    detect: Callable[[Times], Detected],
) -> Addition:
    """Sort rows by series and time.

    Raises BadInput where a cell is wrong, a time repeats or the times are of another kind than the dataset's.
    """
    repairs = Repairs()
    kept = complete(rows, repairs)
    rows, times, kept = _read_times(rows, kept, existing, options.date_format)
    ordered = sort(rows, times, kept, options.duplicates, repairs)
    timeline = ordered.timeline
    offsets = np.append(timeline.starts, len(ordered.row))
    beside = cells_of(rows.beside, ordered.repeats, owners(offsets), rows.place)
    times_of_rows = timeline.unique[timeline.rank]
    points = Points(names_of(rows, ordered), offsets, times_of_rows, ordered.y, beside.cells, beside.static)
    detected = detect(times)
    detected.notes += limit_notes(points.y, existing.limits)
    return Addition(points, existing.axis, repairs, detected, rows, ordered.row, options.missing)


def refuse_unnamed(pointers: list[str]) -> BadInput:
    """Return the error for rows that name no series where the dataset has several."""
    remedy = "Name the series of each row."
    return BadInput(
        "These rows do not say which series they belong to, and the dataset has several. In a file, name the"
        " column with the series' names by id_column; in JSON, give each observation its unique_id.",
        [FieldError(pointer, remedy) for pointer in pointers[:SHOWN]],
    )


def _read_times(
    rows: Rows, kept: Ints, existing: ExistingDataset, date_format: str | None
) -> tuple[Rows, Times, Ints]:
    """Return rows, the ordinals of their times on the dataset's axis, and the rows that count."""
    axis, zone = existing.axis, existing.axis.zone
    requested = axis.frequency if isinstance(axis.frequency, int) else Alias.parse(axis.frequency)
    try:
        hints = Hints(requested, date_format, existing.detected.date_format, in_utc=zone is not None)
        times = read_times(rows.texts, hints)
    except WrongFrequency as error:
        kind = "integers" if looks_like_whole_numbers(rows.texts) else "dates"
        raise _refuse_kind(rows, kept, existing, kind) from error
    if times.kind != axis.kind:
        raise _refuse_kind(rows, kept, existing, KINDS[times.kind])
    if zone is None or (times.timezone is None and zone.is_fixed):
        if times.timezone is not None or (zone is not None and not _are_bare_days(times, axis)):
            raise _refuse_kind(rows, kept, existing, _zoned(times.timezone))
        return rows, times, kept
    if axis.counts_instants:
        refuse_lone(rows, times, kept, zone)
    return in_zone(rows, times, kept, zone, by_clock=not axis.counts_instants)


def _are_bare_days(times: Times, axis: TimeAxis) -> bool:
    """Return whether times are days without an offset, as the service shows a dataset of days in UTC."""
    return axis.step.whole_days and not np.any(times.ordinals % DAY)


def _zoned(timezone: str | None) -> str:
    return "dates without an offset from UTC" if timezone is None else "dates with an offset from UTC"


def _refuse_kind(rows: Rows, kept: Ints, existing: ExistingDataset, kind: str) -> BadInput:
    axis = existing.axis
    has = _zoned(axis.timezone) if kind.startswith("dates with") else KINDS[axis.kind]
    return refuse_rows(
        rows.place,
        "ds",
        np.sort(kept),
        lambda row: f"{rows.time(row)[:40]!r} is of another kind than the dataset's times",
        f"The dataset's times are {has} at frequency {axis.frequency!r}, its last one is {existing.end!r},"
        f" and those sent are {kind}. Write them as the dataset has them",
    )
