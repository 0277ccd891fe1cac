"""Refuse rows to append that lie far away from the times of their dataset, as a mistyped year does."""

from dataclasses import dataclass

import numpy as np

from app.intake.arrays import Ints, Mask
from app.intake.grid.points import Points
from app.intake.problems import refuse_rows
from app.intake.rows.rows import Rows
from app.intake.time.axis import TimeAxis
from app.intake.time.steps import Step, steps_between

LEAST_FAR = 20  # steps; a short dataset may well grow by more than it has


@dataclass(frozen=True)
class Known:
    """The times that the series of some rows have in their dataset."""

    begins: Ints  # (series,) where the steps of each are counted from
    reaches: Ints  # (series,) steps from there that have a value or a cell; 0 for a new one
    start: int  # the first time of the whole dataset
    end: int  # its last one


def refuse_far(rows: Rows, row: Ints, points: Points, axis: TimeAxis, known: Known) -> None:
    """Raise BadInput for rows from which a new gap to the dataset is longer than that is.

    Args:
        rows: the upload.
        row: (points,) row of the upload.
        points: the rows on the steps of their series.
        axis: that of the dataset.
        known: what the dataset has.
    """
    far = _are_far(points, axis.step, known)
    if far.any():
        raise refuse_rows(
            rows.place,
            "ds",
            np.sort(row[far]),
            lambda at: f"{rows.time(at)[:40]!r} lies far away from the dataset's times",
            "Some times lie far away, as with a mistyped year: the steps to the dataset's last or first time"
            " would be gaps, more than it has steps. Correct them; or if they are right, say missing=gap, or"
            " missing=zero if a step without a row means that nothing happened",
        )


def _are_far(points: Points, step: Step, known: Known) -> Mask:
    """Return (points,), which rows lie beyond the dataset by more empty steps than it has.

    A new series that lies elsewhere as a whole is not among them.
    """
    begins = known.begins
    first = steps_between(step, begins, np.full_like(begins, known.start))
    last = steps_between(step, begins, np.full_like(begins, known.end))
    most = np.maximum(LEAST_FAR, last - first + 1)
    last = np.where(known.reaches > 0, np.maximum(last, known.reaches - 1), last)
    series, says = points.series, points.says_something
    number = steps_between(step, begins[series], points.ds)
    after, before = says & (number > last[series]), says & (number < first[series])
    # Rows in between fill a step: those of the series that come before a late row, or after an early one.
    earlier, later = np.cumsum(after), np.cumsum(before[::-1])[::-1]
    behind = np.append(later, 0)[points.offsets[1:]]
    empty_after = number - last[series] - (earlier - np.append(0, earlier)[points.offsets[:-1]][series])
    empty_before = first[series] - number - (later - behind[series])
    far: Mask = (after & (empty_after > most[series])) | (before & (empty_before > most[series]))
    leaves_no_gap = np.logical_and.reduceat(far, points.offsets[:-1]) & (known.reaches == 0)
    far &= ~leaves_no_gap[series]
    return far
