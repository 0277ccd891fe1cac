"""The evidence that series repeat themselves every so many steps, and the error that knowing it saves.

A pattern that repeats is a line in the spectrum at each harmonic of its length. Each harmonic is compared
with how much it differs from block to block of whole cycles, an F ratio that coloured noise keeps low: a line
is narrower than any peak of noise. Before, series are whitened (Box & Jenkins, *Time Series Analysis*, 1970),
since slopes and random walks leak into all harmonics of a few cycles. numpy alone is used: an upload does not
wait for torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.metrics import NORMAL_DEVIATION
from models.panel import Floats, Integers, Panel

LONGEST_READ = 10_000
"""Last steps of a series that are read: two of the longest seasons."""

SHORTEST = 6
"""Steps that shorter series are filled up to with unknown ones: two have no shock, four make two cycles."""

MOST_SERIES, FEWEST_SERIES = 50, 4
"""Series that stand for all of a dataset."""

MOST_VALUES = 16_000
"""Steps of all of them together, as far as that leaves the fewest."""

BLOCKS = 10
"""Blocks of whole cycles, about, between which noise is told: narrow enough for its peaks."""

CYCLES = 10
"""Last cycles that are left out, each in turn, to measure what a pattern gains."""

HARMONICS = (1, 2, 3, 4, 6, 8, 12)
"""How many of the lowest harmonics a pattern may be tested by, beside all of them."""

SMOOTH = (3, 6)
"""How many of the lowest harmonics a pattern may keep to predict a cycle, beside all of them."""

LEAST_FREEDOM = 4
"""Degrees of freedom of the noise below which there is no evidence."""

OUTLIER = 4.0
"""Standard deviations at which shocks are cut."""

ABSURD = 30.0
"""Median distances from the median at which values are cut."""

ROUNDING = 1e-11
"""Share of the spread of a series below which its shocks are what rounding leaves of a smooth curve."""

NOTHING = -np.inf
_TINY = 1e-300

Cycles = Floats  # (series, cycles, steps)


@dataclass(frozen=True, eq=False)
class Evidence:
    """Series of a dataset, aligned at their ends, ready to be tested for any season.

    `values` (series, steps) are logarithms where all are positive, NaN before the start.
    `shocks` (series, steps) are what their own last values do not predict, of unit variance. Series that
    move together tell no more than `independent` of them would.
    """

    values: Floats
    shocks: Floats
    independent: float

    @classmethod
    def of(cls, panel: Panel) -> "Evidence":
        """Return the evidence of a panel: evenly chosen series, the last steps of each."""
        longest = min(max(int(panel.lengths.max()), SHORTEST), LONGEST_READ)
        most = int(np.clip(MOST_VALUES // longest, FEWEST_SERIES, MOST_SERIES))
        chosen = np.unique(np.linspace(0, len(panel.lengths) - 1, most).astype(np.int64))
        values = np.full((len(chosen), longest), np.nan)
        for row, series in zip(values, chosen, strict=True):
            begin, end = panel.offsets[series : series + 2]
            last = panel.values[max(begin, end - longest) : end]
            row[longest - len(last) :] = _centred(last)
        shocks = _standard(_shocks(values), values)
        moving = ~np.isnan(shocks[:, -1])
        return cls(values[moving], shocks[moving], _independent(shocks[moving]))

    @property
    def longest(self) -> int:
        """The steps of the longest series; 0 where no series moves."""
        return self.shocks.shape[1] if len(self.shocks) else 0

    def score(self, length: int, inner: int = 0) -> float:
        """Return how many standard deviations above chance a season stands; -inf for under two cycles.

        `inner` is the length of a shorter one that divides it, whose harmonics do not count.
        """
        per_block = max(self.longest // length // BLOCKS, 1)
        blocks, whole = _fold(self.shocks, length * per_block, self.longest)
        if not len(blocks):
            return NOTHING
        waves = np.fft.rfft(blocks * whole, axis=2)[:, :, per_block::per_block]
        count = whole.sum(axis=1)
        line = np.abs(waves.sum(axis=1)) ** 2 / count
        noise = (np.abs(waves) ** 2).sum(axis=1) - line
        freedom = np.full(line.shape[1], 2.0)
        if length % 2 == 0:
            freedom[-1] = 1  # the highest harmonic has a cosine alone
        own = _own_harmonics(len(freedom), length, inner)
        share = self.independent / len(self.shocks)
        line_freedom = np.cumsum(freedom[own]) * len(blocks) * share
        noise_freedom = np.cumsum(freedom[own]) * float((count - 1).sum()) * share
        line, noise = np.cumsum(line.sum(axis=0)[own]), np.cumsum(noise.sum(axis=0)[own])
        at = [number - 1 for number in (*HARMONICS, len(line)) if number <= len(line)]
        ratio = (line / line_freedom) / np.maximum(noise / noise_freedom, 1e-12 * line + _TINY)
        scores = _normal_of_f(ratio, line_freedom, noise_freedom)
        return float(np.where(noise_freedom < LEAST_FREEDOM, NOTHING, scores)[at].max())

    def gain(self, length: int, inner: int = 0) -> float:
        """Return the share by which the pattern of all other cycles lowers the error of one left out.

        Level and trend of a cycle are its own. It is the mean over series, of which those that it does not
        help count 0. `inner` is the length of a shorter season that is taken out before.
        """
        cycles, whole = _fold(self.values, length, CYCLES)
        if not len(cycles):
            return 0.0
        shape = _without_trend(cycles, whole)
        waves, rest = np.fft.rfft(shape, axis=2), shape
        if inner:
            own = np.insert(_own_harmonics(waves.shape[2] - 1, length, inner), 0, values=True)
            rest = shape - _of_others(np.where(own, 0, waves), whole, length)
            waves = np.where(own, waves, 0)
        without = (np.abs(rest) * whole).sum(axis=(1, 2))
        best, moves = np.zeros(len(rest)), without > ROUNDING * whole.sum(axis=(1, 2)) * length
        for kept in {min(number, length // 2) for number in (*SMOOTH, length)}:
            low = np.where(np.arange(waves.shape[2]) <= kept, waves, 0)
            left = (np.abs(rest - _of_others(low, whole, length)) * whole).sum(axis=(1, 2))
            best = np.maximum(best, np.where(moves, 1 - left / np.maximum(without, _TINY), 0))
        return float(best.mean())


def _centred(values: Floats) -> Floats:
    """Return values (steps,) about 0, gaps filled, absurd ones cut; logarithms of positive ones."""
    known = np.flatnonzero(np.isfinite(values))
    values = values / max(float(np.abs(values[known]).max()), _TINY)
    if values[known].min() > 0:
        values = np.log(np.maximum(values, 0.1 * np.median(values[known])))
    filled = np.interp(np.arange(len(values)), known, values[known])
    filled = filled - float(np.median(filled))
    limit = ABSURD * float(np.median(np.abs(filled))) or np.inf
    filled = np.clip(filled, -limit, limit)
    return filled - float(filled.mean())


def _shocks(values: Floats) -> Floats:
    """Return shocks (series, steps), NaN at the first two: each step without what the one before predicts.

    That is done twice, so that neither a random walk nor its slope remains. A line is taken out before where
    that leaves less: beside noise it is no random walk, and a step is no line.
    """
    steps = np.where(np.isfinite(values), np.arange(values.shape[1], dtype=np.float64), np.nan)
    steps -= np.nanmean(steps, axis=1, keepdims=True)
    slope = np.nansum(steps * values, axis=1) / np.maximum(np.nansum(steps**2, axis=1), _TINY)
    level, line = (_unpredicted(_unpredicted(each)) for each in (values, values - slope[:, None] * steps))
    is_line = np.nansum(np.abs(line), axis=1) < np.nansum(np.abs(level), axis=1)
    return np.pad(np.where(is_line[:, None], line, level), ((0, 0), (2, 0)), constant_values=np.nan)


def _unpredicted(values: Floats) -> Floats:
    """Return (series, steps - 1), each step without its mean and its part of the step before."""
    now, before = values[:, 1:], values[:, :-1]
    squares = np.nansum(np.where(np.isfinite(now), before, 0) ** 2, axis=1)
    share = np.clip(np.nansum(now * before, axis=1) / np.maximum(squares, _TINY), -0.9, 1)
    shocks: Floats = now - share[:, None] * before
    count = np.maximum(np.isfinite(shocks).sum(axis=1, keepdims=True), 1)
    return np.asarray(shocks - np.nansum(shocks, axis=1, keepdims=True) / count)


def _standard(shocks: Floats, values: Floats) -> Floats:
    """Return shocks (series, steps) of unit variance, large ones cut; all NaN for a series without any.

    The first two steps of `values` (series, steps) have none, and count as 0.
    """
    known = np.isfinite(shocks).sum(axis=1)
    usual, rough = NORMAL_DEVIATION * _median(np.abs(shocks), known), _deviation(shocks, known)
    limit = OUTLIER * np.where(usual > 0, np.maximum(usual, 0.02 * rough), rough)[:, None]
    shocks = np.clip(shocks, -limit, limit)
    deviation = _deviation(shocks, known)
    is_smooth = (known < LEAST_FREEDOM) | (deviation <= ROUNDING * (np.nanmax(np.abs(values), axis=1) + 1))
    shocks = shocks / np.where(is_smooth, np.nan, deviation)[:, None]
    first = np.isfinite(values) & np.isnan(shocks) & ~is_smooth[:, None]
    return np.where(first, 0.0, shocks)


def _deviation(shocks: Floats, known: Integers) -> Floats:
    return np.asarray(np.sqrt(np.nansum(shocks**2, axis=1) / np.maximum(known, 1)))


def _median(values: Floats, known: Integers) -> Floats:
    """Return the median of each row (series, steps) that has `known` (series,) values; 0 for none."""
    ordered = np.sort(values, axis=1)  # NaN last
    middle: Floats = np.take_along_axis(ordered, (known // 2)[:, None] % ordered.shape[1], axis=1)[:, 0]
    return np.nan_to_num(middle)


def _independent(shocks: Floats) -> float:
    """Return how many independent series vary as little on average as these do together."""
    if len(shocks) < 2:  # noqa: PLR2004 - one series
        return float(len(shocks))
    shared = shocks[:, np.isfinite(shocks).all(axis=0)].mean(axis=0)
    together = float((shared**2).mean()) if len(shared) else 0.0
    return float(np.clip(1 / max(together, _TINY), 1, len(shocks)))


def _fold(values: Floats, length: int, most: int) -> tuple[Cycles, Cycles]:
    """Return the last cycles (series, cycles, length), 0 for unknown ones, and 1 for each whole one.

    Series without two are left out; the second array is (series, cycles, 1).
    """
    count = min(values.shape[1] // max(length, 1), most)
    if count < 2:  # noqa: PLR2004 - cycles
        return np.zeros((0, 0, length)), np.zeros((0, 0, 1))
    cycles = values[:, -count * length :].reshape(len(values), count, length)
    whole = np.isfinite(cycles).all(axis=2)
    enough = np.flatnonzero(whole.sum(axis=1) > 1)
    kept = np.take(whole, enough, axis=0)[..., np.newaxis]
    return np.where(kept, np.take(cycles, enough, axis=0), 0.0), kept.astype(np.float64)


def _without_trend(cycles: Cycles, whole: Cycles) -> Cycles:
    """Return cycles without their own mean, and without the median change from mean to mean."""
    length, mean = cycles.shape[2], cycles.mean(axis=2)
    change = np.where(whole[:, 1:, 0] * whole[:, :-1, 0] > 0, np.diff(mean, axis=1), np.nan)
    slope = _median(change, np.isfinite(change).sum(axis=1)) / length
    ramp = slope[:, None, None] * (np.arange(length) - (length - 1) / 2)
    return np.asarray((cycles - mean[:, :, None] - ramp) * whole)


def _of_others(waves: NDArray[np.complex128], whole: Cycles, length: int) -> Cycles:
    """Return for each cycle the mean of all others, from their waves."""
    others: NDArray[np.complex128] = (waves.sum(axis=1, keepdims=True) - waves) / (
        whole.sum(axis=1, keepdims=True) - 1
    )
    return np.fft.irfft(others, n=length, axis=2)


def _own_harmonics(count: int, length: int, inner: int) -> NDArray[np.bool_]:
    """Return which of the harmonics 1 to `count` a season has that a shorter one in it has not."""
    if not inner:
        return np.ones(count, dtype=np.bool_)
    return np.asarray(np.arange(1, count + 1) % (length // inner) != 0)


def _normal_of_f(ratio: Floats, freedom: Floats, noise_freedom: Floats) -> Floats:
    """Return the normal deviate as unlikely as an F ratio (Paulson, 1942; from 4 degrees of noise on)."""
    above, below = 2 / (9 * freedom), 2 / (9 * noise_freedom)
    root = np.cbrt(ratio)
    return np.asarray(((1 - below) * root - (1 - above)) / np.sqrt(below * root**2 + above))
