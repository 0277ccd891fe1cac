"""Merge further values into existing series."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.intake.arrays import Floats, Ints, Mask
from app.intake.covariates import Cells, differ, spread, step_columns
from app.intake.frame import SeriesFrame
from app.intake.grid.filling import FAR_AWAY, StepValues, fill, refuse_short, refuse_vast
from app.intake.grid.points import Points, counted, owners
from app.intake.problems import listed
from app.intake.time.steps import steps_between


@dataclass(frozen=True)
class Merged:
    """Series with further values merged into them; the counts are of rows."""

    frame: SeriesFrame
    changed: Mask  # (series,)
    gaps: Mask  # (total,) steps that are new gaps
    appended: int
    corrected: int
    lost: int  # of cells before the first value, which are left out


@dataclass(frozen=True)
class _Canvas:
    """The steps of series, with room for what is merged into them; `zero` are the rows where series began."""

    offsets: Ints  # (series + 1,)
    zero: Ints  # (series,)
    y: Floats  # (rows,)
    cells: Mapping[str, Cells]  # each (rows,)

    @classmethod
    def around(cls, old: SeriesFrame, series: Ints, number: Ints) -> "_Canvas":
        """Return series, with room for rows that are `number` steps after where their series begin."""
        high = np.diff(old.row_offsets) - 1
        low = np.zeros_like(high)
        np.minimum.at(low, series, number)
        np.maximum.at(high, series, number)
        rows = int(old.row_offsets[-1]) + len(number)
        refuse_vast(old.axis.frequency, int((high - low + 1).sum()), rows, FAR_AWAY)
        offsets = np.append(0, np.cumsum(high - low + 1))
        zero = offsets[:-1] - low
        y = np.full(offsets[-1], np.nan)
        y[_placed(old.offsets, zero)] = old.y
        cells: Mapping[str, Cells] = {}
        if old.covariates is not None:
            at = _placed(old.row_offsets, zero)
            cells = spread(step_columns(old.columns), old.covariates.steps, at, len(y))
        return cls(offsets, zero, y, cells)

    def lay(self, at: Ints, points: Points, rows: Ints) -> Mask:
        """Put some rows of points into the rows `at`; return which of these that changes."""
        y = points.y[rows]
        changed: Mask = ~((self.y[at] == y) | (np.isnan(self.y[at]) & np.isnan(y)))
        self.y[at] = y
        for name, column in self.cells.items():
            if name in points.cells:
                cells = _laid(column[at], points, name, rows)
                changed |= differ(column[at], cells)
                column[at] = cells
        return changed

    def frame(self, old: SeriesFrame, static: Mapping[str, Cells]) -> SeriesFrame:
        """Return the series. Raises BadInput where one has no value."""
        series = owners(self.offsets)
        values = counted(series[~np.isnan(self.y)], len(self.zero))
        refuse_short(old.unique_ids, values, _left_short)
        number = np.arange(len(self.y)) - self.zero[series]
        laid = StepValues(series, number, old.begins, self.y, self.cells)
        return fill(old.axis, old.unique_ids, laid, old.columns, static)


def merge(old: SeriesFrame, points: Points) -> Merged:
    """Merge points into the series of the same names, on the steps that those have.

    A point replaces the value at its time, and the cells of the columns that were sent; NaN or None removes.
    Cells at a new step ahead are appended, and so is a value that comes for them later. Raises BadInput where
    a series would be left with no value, or where nearly all steps would be gaps.
    """
    series, number = points.series, steps_between(old.axis.step, old.begins[points.series], points.ds)
    is_there = (number >= 0) & (number < np.diff(old.row_offsets)[series])
    says = np.flatnonzero(is_there | points.says_something)  # elsewhere there is nothing to remove
    canvas = _Canvas.around(old, series[says], number[says])
    laid = np.zeros(len(number), dtype=np.bool_)
    laid[says] = canvas.lay(canvas.zero[series[says]] + number[says], points, says)
    static, other_static = _static(old, points)
    frame = canvas.frame(old, static)

    start = steps_between(old.axis.step, old.begins, frame.begins)
    laid &= is_there | (number >= start[series])  # cells before the first value are left out
    is_new = ~is_there | ((number >= np.diff(old.offsets)[series]) & ~np.isnan(points.y))
    appended = laid & is_new
    corrected = (laid | other_static[series]) & ~appended
    changed = counted(series[appended | corrected], len(old.unique_ids)) > 0
    lost = ~is_there & (number < start[series]) & points.says_something
    counts = (int(np.count_nonzero(rows)) for rows in (appended, corrected, lost))
    return Merged(frame, changed, _new_gaps(old, frame, start), *counts)


def _placed(offsets: Ints, zero: Ints) -> Ints:
    """Return where the rows of series are, if those of each are moved to begin at `zero` (series,)."""
    at: Ints = (zero - offsets[:-1])[owners(offsets)] + np.arange(offsets[-1])
    return at


def _laid(stored: Cells, points: Points, name: str, rows: Ints) -> Cells:
    """Return what becomes of stored cells of a column, given the rows (or series) of points for them."""
    sent = points.column(name)
    if name not in points.left:
        return sent[rows]
    laid: Cells = np.where(points.left[name][rows], stored, sent[rows])
    return laid


def _static(old: SeriesFrame, points: Points) -> tuple[dict[str, Cells], Mask]:
    """Return the static cells after a merge, and which series' cells it changes."""
    static = dict(old.covariates.static) if old.covariates else {}
    changed = np.zeros(len(old.unique_ids), dtype=np.bool_)
    for name in static.keys() & points.static.keys():
        cells = _laid(static[name], points, name, np.arange(len(changed)))
        changed |= differ(static[name], cells)
        static[name] = cells
    return static, changed


def _new_gaps(old: SeriesFrame, new: SeriesFrame, start: Ints) -> Mask:
    """Return the steps that are gaps and were none; `start` (series,) are the steps that series begin at."""
    gaps, series = np.flatnonzero(np.isnan(old.y)), owners(old.offsets)
    series = series[gaps]
    number = gaps - old.offsets[series] - start[series]
    inside = (number >= 0) & (number < np.diff(new.offsets)[series])
    fresh = np.isnan(new.y)
    fresh[new.offsets[series[inside]] + number[inside]] = False
    return fresh


def _left_short(short: list[str]) -> str:
    return (
        f"with these rows {listed(short)} would have none. Send values in their place, or leave these rows"
        " out."
    )
