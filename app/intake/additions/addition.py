"""Rows to append to a dataset, read and put on the steps of their series."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.intake.additions.existing import ExistingDataset
from app.intake.additions.far import Known, refuse_far
from app.intake.additions.times import bare_day_notes, times_of
from app.intake.arrays import Ints, Mask
from app.intake.beside.laying import cells_of
from app.intake.grid.filling import LEAST_VALUES, refuse_short
from app.intake.grid.points import Points, off_step, owners
from app.intake.grid.within_steps import added_within
from app.intake.notes import limit_notes
from app.intake.oddities import report_moved
from app.intake.options import ReadOptions
from app.intake.problems import refuse_rows
from app.intake.repairs import Repairs
from app.intake.rows.rows import Rows, complete
from app.intake.rows.sorting import names_of, sort
from app.intake.series import too_few
from app.intake.time.axis import TimeAxis
from app.intake.time.candidates import nearest
from app.intake.time.regular import farthest
from app.intake.time.steps import steps_between
from app.intake.time.times import Times
from app.schemas.choices import Missing
from app.schemas.datasets import Detected


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
    says_missing: bool = False  # said of these rows, not of the upload alone

    def on_steps(self, known: Known, new: Mask, repairs: Repairs) -> "Addition":
        """Return the rows on the steps of their series: those beside one count for the nearest if it is free.

        Args:
            known: what the dataset has.
            new: (series,) which series it does not have.
            repairs: gets one for each row that is moved.

        Raises BadInput for other times between steps, times far away, or a new series without a value.
        """
        points, frequency = self.points, self.axis.frequency
        refuse_short(points.unique_ids, np.where(new, points.values(), LEAST_VALUES), too_few)
        off = off_step(points.ds, known.begins[points.series], self.axis.step)
        moved = self._moved(known.begins, ~new) if off.any() else points.ds
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
        placed = replace(points, ds=moved)
        if not self.says_missing:
            refuse_far(self.rows, self.row, placed, self.axis, known)
        report_moved(self.rows, self.row[off], moved[off], self.axis, repairs)
        return replace(self, points=placed)

    def _moved(self, begins: Ints, known: Mask) -> Ints:
        """Return the times on steps of their series where it is plain which, and the others as they are.

        It is the nearest step, with a value or without; where rows count for the step that they lie in, it is
        that one, if the nearest is far. No two rows share one.
        """
        points, step = self.points, self.axis.step
        if self.axis.kind != "datetime":
            return points.ds
        each = nearest(points.ds, step, begins[points.series])
        near = each.off <= farthest(step)
        found = np.where(near, each.nearest, points.ds)
        if self.axis.by_period:
            start = begins[points.series]
            begun = step.shift(start, steps_between(step, start, points.ds))
            found = np.where(near, each.nearest, begun)
        shared = np.diff(found, prepend=found[:1] - 1) == 0
        shared[points.offsets[:-1]] = False
        plain = known[points.series] & ~shared & ~np.append(shared[1:], False)
        return np.where(plain, found, points.ds)


def gather_addition(
    rows: Rows, existing: ExistingDataset, options: ReadOptions, detect: Callable[[Times], Detected]
) -> Addition:
    """Sort rows by series and time.

    Raises BadInput where a cell is wrong, a time repeats or the times are of another kind than the dataset's.
    """
    repairs = Repairs()
    kept = complete(rows, repairs)
    bare_days = bare_day_notes(rows, kept, existing.axis)
    rows, times, kept = times_of(rows, kept, existing, options.date_format)
    if options.joins_rows:
        times, kept = added_within(rows.times, times, kept, existing.axis, existing.end)
    ordered = sort(rows, times, kept, options.duplicates, repairs)
    timeline = ordered.timeline
    offsets = np.append(timeline.starts, len(ordered.row))
    beside = cells_of(rows.beside, ordered.repeats, owners(offsets), rows.place)
    times_of_rows = timeline.unique[timeline.rank]
    points = Points(names_of(rows, ordered), offsets, times_of_rows, ordered.y, beside.cells, beside.static)
    detected = detect(times)
    detected.notes += [*bare_days, *limit_notes(points.y, existing.limits)]
    return Addition(points, existing.axis, repairs, detected, rows, ordered.row, options.missing)
