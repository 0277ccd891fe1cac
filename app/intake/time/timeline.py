"""The times of rows, sorted by series and time, and how far they are apart."""

from dataclasses import dataclass

import numpy as np

from app.intake.arrays import Ints, Mask
from app.intake.time.steps import DAY, Step

LONE_GAPS = 10  # times the second longest gap: how far off a mistyped time lies
LEAST_KNOWN = 20  # times, to tell a mistyped one from them


@dataclass(frozen=True)
class Timeline:
    """Rows sorted by series and time, without repeats: distinct times, and each row's index into them."""

    unique: Ints  # (times,) distinct ordinals, ascending
    rank: Ints  # (rows,) index into `unique`
    starts: Ints  # (series,) first row of each series

    @property
    def lengths(self) -> Ints:
        return np.diff(np.append(self.starts, len(self.rank)))

    def of_series(self, series: int) -> Ints:
        """Return the times of one series."""
        first = int(self.starts[series])
        return self.unique[self.rank[first : first + int(self.lengths[series])]]

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


@dataclass(frozen=True)
class Change:
    """Where a series goes from one regular step to another."""

    row: int  # of the timeline, the first on the other step
    before: Step
    after: Step


def turning(unique: Ints) -> int:
    """Return the number of differences before they become most unlike, by their logarithms.

    It is the split into two means that leaves the least squared error; needs three times.
    """
    logs = np.log(np.diff(unique))
    sums, counts = np.cumsum(logs)[:-1], np.arange(1, len(logs))
    means = sums / counts - (logs.sum() - sums) / (len(logs) - counts)
    return int((counts * (len(logs) - counts) * means**2).argmax()) + 1


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


def far_off(times: Timeline) -> Mask | None:
    """Return the few rows at an end that lie as far off as a mistyped year puts them, or None."""
    gaps = np.diff(times.unique)
    if len(times.unique) < LEAST_KNOWN:
        return None
    at = int(gaps.argmax())
    longest, second = (int(gap) for gap in np.partition(gaps, -2)[[-1, -2]])
    before = times.rank <= at
    few = before if before.mean() < 1 / 2 else ~before
    rest = (
        times.unique[at] - times.unique[0] if few is not before else times.unique[-1] - times.unique[at + 1]
    )
    is_odd = longest >= max(LONE_GAPS * second, rest)
    return few if is_odd and few.sum() <= max(1, len(few) // 100) else None


def without(times: Timeline, rows: Mask) -> Timeline:
    """Return the timeline of the other rows; it keeps those of a series that has no others."""
    owner = np.repeat(np.arange(len(times.starts)), times.lengths)
    rank, owner = times.rank[~rows], owner[~rows]
    return Timeline(times.unique, rank, np.flatnonzero(np.append(True, np.diff(owner) > 0)))
