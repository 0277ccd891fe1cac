"""The repairs that an upload needed: the first 1,000 in words, all of them counted."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from app.intake.arrays import Ints, Mask, rows_of
from app.intake.frame import SeriesFrame
from app.intake.time.axis import LONGEST_CYCLE
from app.schemas.datasets import Repair, RepairKind

LISTED = 1_000
LEAST_CYCLES = 3  # as in forecasts, which leave closed steps out
LARGEST_CHANCE = 0.001  # that any place of a cycle is empty for so long at random
AT_A_TIME = 500_000  # steps
MOST_PLACES = 50_000_000  # of the cycles of all series, to be counted at once


class Repairs:
    """Collects repairs, and puts into words only those that are shown."""

    def __init__(self) -> None:
        self.listed: list[Repair] = []
        self.counts: Counter[RepairKind] = Counter()

    def copy(self) -> "Repairs":
        """Return an independent copy."""
        other = Repairs()
        other.listed, other.counts = self.listed.copy(), self.counts.copy()
        return other

    @property
    def total(self) -> int:
        return self.counts.total()

    def add(self, kind: RepairKind, where: Ints, word: Callable[[int], Repair]) -> None:
        """Count one repair for each entry of `where`; `word(entry)` describes it."""
        self.counts[kind] += len(where)
        room = LISTED - len(self.listed)
        self.listed.extend(word(int(entry)) for entry in where[:room])


def add_gaps(repairs: Repairs, frame: SeriesFrame, missing: Mask | None = None) -> int:
    """Add a repair for each run of gaps, or of the gaps in `missing` alone; return how many steps are closed.

    Closed steps, as the Sundays of a shop, are no gaps. Each series begins and ends with a value, so that no
    run spans two series.
    """
    without = np.isnan(frame.y) if missing is None else missing
    missing = without & ~_closed(frame)
    first = np.flatnonzero(missing & ~np.roll(missing, 1))
    after = np.flatnonzero(~missing & np.roll(missing, 1))

    def word(start: int) -> Repair:
        count = int(after[np.searchsorted(after, start)]) - start
        series = int(np.searchsorted(frame.offsets, start, side="right")) - 1
        time = frame.axis.format(frame.ds[start : start + 1])[0]
        steps = f"1 step at {time} is" if count == 1 else f"{count:,} steps from {time} are"
        detail = f"{steps} missing; kept as a gap"
        return Repair(kind="gap", unique_id=frame.unique_ids[series], row=None, detail=detail)

    repairs.add("gap", first, word)
    return int(np.count_nonzero(without)) - int(np.count_nonzero(missing))


def _closed(frame: SeriesFrame) -> Mask:
    """Return (total,), True for steps at a place of a cycle where their series never has a value.

    A place is closed after `LEAST_CYCLES` cycles, or more where other places are often empty too.
    """
    closed = np.zeros(len(frame.y), dtype=np.bool_)
    is_value = ~np.isnan(frame.y)
    some = np.flatnonzero(~np.logical_and.reduceat(is_value, frame.offsets[:-1]))
    if len(some) * LONGEST_CYCLE <= MOST_PLACES:
        for part in np.array_split(some, len(frame.y) // AT_A_TIME + 1):
            _close(closed, frame, is_value, part)
    return closed


def _close(closed: Mask, frame: SeriesFrame, is_value: Mask, some: Ints) -> None:
    """Mark the closed steps of some series."""
    rows, _ = rows_of(frame.offsets, some)
    series = np.repeat(np.arange(len(some), dtype=np.int64), np.diff(frame.offsets)[some])
    for cycle in frame.axis.cycles if len(some) else ():
        at = series * cycle + frame.axis.phase(frame.ds[rows]) % cycle
        steps, values = (
            np.bincount(of, minlength=len(some) * cycle).reshape(len(some), cycle)
            for of in (at, at[is_value[rows]])
        )
        used = np.where(values > 0, steps, 0).sum(axis=1, keepdims=True)
        chance = cycle * (1 - values.sum(axis=1, keepdims=True) / used) ** steps
        places = (values == 0) & (steps >= LEAST_CYCLES) & (chance <= LARGEST_CHANCE)
        closed[rows] |= places.ravel()[at]
