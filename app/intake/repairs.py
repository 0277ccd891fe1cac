"""The repairs that an upload needed: the first 1,000 in words, all of them counted."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from app.intake.arrays import Ints, Mask
from app.intake.frame import SeriesFrame
from app.schemas.datasets import Repair, RepairKind

LISTED = 1_000


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


def add_gaps(repairs: Repairs, frame: SeriesFrame, missing: Mask | None = None) -> None:
    """Add a repair for each run of gaps, or of the gaps in `missing` alone.

    Each series begins and ends with a value, so that no run spans two series.
    """
    missing = np.isnan(frame.y) if missing is None else missing
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
