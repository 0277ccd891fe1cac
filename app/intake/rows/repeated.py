"""What becomes of rows that stand for one time: of their values, and of the columns beside these."""

from dataclasses import dataclass, replace

import numpy as np

from app.errors import FieldError
from app.intake.arrays import Floats, Ints, Mask
from app.intake.columns.coded import Column
from app.intake.problems import SHOWN, Question, Unsettled
from app.intake.repairs import Repairs
from app.intake.rows.rows import Rows
from app.schemas.choices import Duplicates
from app.schemas.datasets import Repair

MOSTLY = 1 / 2  # of the times
WORDS: dict[str, str] = {
    "sum": "their sum counts",
    "mean": "their mean counts",
    "last": "the last one counts",
}


@dataclass(frozen=True)
class Repeats:
    """Rows sorted by series and time, and which of them stand for the same time as the next."""

    rows: Ints  # (rows,) of the upload
    again: Mask  # (rows,)
    duplicates: Duplicates | None  # what becomes of them

    def settle(self, column: Column) -> Column:
        """Return a column with one cell for each time: numbers take the mean, or the last; texts the last.

        A category that mostly differs among the rows of one time is in trouble.
        """
        cells = column.cells[self.rows % len(column.cells)]  # several targets repeat the rows
        if not self.again.any():
            return replace(column, cells=cells)
        if column.texts is None and self.duplicates != "last":
            return replace(column, cells=self._mean(np.asarray(cells, dtype=np.float64)))
        settled = replace(column, cells=cells[~self.again])
        different = np.count_nonzero(np.diff(cells)[self.again[:-1]])
        if column.texts is not None and different > MOSTLY * len(settled.cells):
            return replace(settled, trouble="differs among the rows of one time")
        return settled

    def _mean(self, cells: Floats) -> Floats:
        """Return the mean for each time; of equal numbers that number, which a division may miss."""
        starts = np.flatnonzero(~np.append(False, self.again[:-1]))
        low, high = np.fmin.reduceat(cells, starts), np.fmax.reduceat(cells, starts)
        return np.where(low == high, low, combined(cells, self.again, "mean"))


class RepeatedTimes(Unsettled):
    """Several rows stand for one time, and nothing says what becomes of them."""


def settle(rows: Rows, ordered: Ints, again: Mask, duplicates: Duplicates | None, repairs: Repairs) -> Floats:
    """Return the value of each time, in the order of the last row of each; empty values do not count.

    Args:
        rows: the upload.
        ordered: (rows,) rows sorted by series and time.
        again: (rows,) whether the next of them stands for the same time of the same series.
        duplicates: what becomes of several values of one time.
        repairs: gets one for each row that repeats.

    Raises RepeatedTimes where a time repeats and nothing says what becomes of its rows.
    """
    y = rows.y[ordered]
    if not again.any():
        return y
    if duplicates is None or duplicates == "refuse":
        raise _refusal(rows, ordered, np.flatnonzero(again))
    _report(rows, ordered, again, duplicates, repairs)
    return y[~again] if duplicates == "last" else combined(y, again, duplicates)


def combined(y: Floats, again: Mask, duplicates: Duplicates) -> Floats:
    """Return the sum or the mean of values that stand for one time; NaN where all are."""
    starts = np.flatnonzero(~np.append(False, again[:-1]))
    is_value = ~np.isnan(y)
    counts = np.add.reduceat(is_value, starts, dtype=np.int64)
    totals = np.add.reduceat(np.where(is_value, y, 0.0), starts)
    return np.where(counts > 0, totals / (np.maximum(counts, 1) if duplicates == "mean" else 1), np.nan)


def _report(rows: Rows, ordered: Ints, again: Mask, duplicates: Duplicates, repairs: Repairs) -> None:
    last = np.flatnonzero(~again)

    def word(at: int) -> Repair:
        row, other = int(ordered[at]), int(ordered[last[np.searchsorted(last, at)]])
        where = f"{rows.place.noun} {rows.place.number(other)}"
        one, same = rows.time(row), rows.times[row] == rows.times[other]
        again = f"{one} stands again in {where}" if same else f"{one} is in the step of {where}"
        return rows.repair("duplicate", row, f"{again}, and {WORDS[duplicates]}")

    repairs.add("duplicate", np.flatnonzero(again), word)


def _refusal(rows: Rows, ordered: Ints, at: Ints) -> RepeatedTimes:
    place, noun = rows.place, rows.place.noun
    pairs = [(int(ordered[i]), int(ordered[i + 1])) for i in at[:SHOWN]]
    one, other = pairs[0]
    question = Question(
        "duplicates",
        f"{len(ordered):,} {noun}s stand for {len(ordered) - len(at):,} times: {len(at):,} repeat a time of"
        f" their series, the first is {rows.time(one)[:40]} in {noun}s {place.number(one)} and"
        f" {place.number(other)}. Say by duplicates what they are: sum, where each is a part of the whole,"
        " such as a sale; mean, where all measure the same; last, where a later one corrects an earlier.",
        tuple(WORDS),
        "times repeat",
    )
    error = RepeatedTimes([question])
    error.errors += tuple(
        FieldError(
            place.pointer(row, "ds"), f"{rows.time(row)[:40]} stands again in {noun} {place.number(again)}"
        )
        for row, again in pairs
    )
    return error
