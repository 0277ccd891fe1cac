"""The times of rows, sorted by series and time, and how far they are apart."""

from dataclasses import dataclass

import numpy as np

from app.intake.arrays import Ints, Mask
from app.intake.time.steps import DAY, Step


@dataclass(frozen=True)
class Timeline:
    """Rows sorted by series and time, without repeats: distinct times, and each row's index into them."""

    unique: Ints  # (times,) distinct ordinals, ascending
    rank: Ints  # (rows,) index into `unique`
    starts: Ints  # (series,) first row of each series

    @property
    def lengths(self) -> Ints:
        return np.diff(np.append(self.starts, len(self.rank)))

    def between(self, values: Ints) -> Ints:
        """Return the differences of `values` (one a distinct time) from row to row within each series."""
        return np.delete(np.diff(values[self.rank]), self.starts[1:] - 1)

    def since_start(self, values: Ints) -> Ints:
        """Return for each row the value at its time minus the value at the first time of its series."""
        rows = values[self.rank]
        return rows - np.repeat(rows[self.starts], self.lengths)

    def common(self, values: Ints) -> int:
        """Return the greatest common divisor of all differences; 0 if there are none."""
        return int(np.gcd.reduce(self.between(values), initial=0))


def one_series(unique: Ints) -> Timeline:
    return Timeline(unique, np.arange(len(unique), dtype=np.int64), np.zeros(1, dtype=np.int64))


def misfits(times: Timeline, step: Step) -> Mask:
    """Return the rows whose time is not a whole number of steps after the first time of their series."""
    off_step = ~step.fits(times.unique)[times.rank]
    off_step |= times.since_start(step.position(times.unique)) % step.size != 0
    if step.keeps_clock:
        off_step |= times.since_start(times.unique % DAY) != 0
    return off_step


def filled(times: Timeline, step: Step) -> float:
    """Return the share of steps with a row, from the first to the last time of each series."""
    return len(times.rank) / int(step_counts(times, step).sum())


def step_counts(times: Timeline, step: Step) -> Ints:
    """Return the steps of each series from its first time to its last, inclusive; shape (series,)."""
    last = np.append(times.starts[1:], len(times.rank)) - 1
    counts: Ints = times.since_start(step.position(times.unique))[last] // step.size + 1
    return counts
