"""Find the seasons of series whose time step suggests none, and say what those that it suggests are worth.

Candidates come from the autocorrelation and the periodogram of a dataset's series together, and from the
lengths of everyday seasons. Each has to stand out of the noise, and to lower the error of cycles left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from models.choices import LONGEST_SEASON
from models.inputs.season_evidence import Evidence
from models.panel import Floats, Panel

USUAL = (4, 5, 7, 12, 24, 48, 52, 96, 168, 365)
"""The lengths of days, weeks and years of common steps: expected, so that less evidence will do."""

USUAL_SCORE, LEAST_SCORE, KNOWN_SCORE = 3.5, 4.5, 2.3
"""Standard deviations above chance for a usual length, any other, and one that the step suggests."""

LEAST_GAIN = 0.05
"""Share of the error of left-out cycles that a season has to save."""

ALIKE = 0.9
"""Share of the best gain from which on a season is as good: the usual or the shorter one is taken."""

INNER_SHARE = 0.4
"""Share of a season's gain that a season within it needs, as a day within a week."""

WITHIN = (5, 10)
"""Least and most times that a season within another repeats in it: a day in a working week, or in a week."""

PARTS = (2, 3, 4, 5, 7)

NEIGHBOURS = 0.05
"""Share of a length within which others are the same season, told less well."""

PEAKS = 5
LAGS = 10
MULTIPLES = 8


@dataclass(frozen=True)
class Judgement:
    """Whether a season stands out of the noise, and the share by which it lowers the error of cycles."""

    found: bool
    gain: float


def search(panel: Panel) -> tuple[int, ...]:
    """Return the lengths of the seasons that the series of a panel show, rising: none, one or two."""
    evidence = Evidence.of(panel)
    longest = min(evidence.longest // 2, LONGEST_SEASON)
    if longest < 2:  # noqa: PLR2004 - steps
        return ()
    candidates = {*_peaks(evidence.shocks, longest), *(length for length in USUAL if length <= longest)}
    found = _passing(evidence, candidates.union(*map(_parts, candidates)))
    return _chosen(evidence, found, longest) if found else ()


def judge(panel: Panel, lengths: Sequence[int]) -> dict[int, Judgement]:
    """Return what the seasons of these rising lengths are worth; none that no series has two cycles of.

    A longer one counts for what it adds to the longest shorter one that divides it.
    """
    evidence, judged = Evidence.of(panel), {}
    for number, length in enumerate(lengths):
        inner = max((shorter for shorter in lengths[:number] if length % shorter == 0), default=0)
        if 2 * length <= min(int(panel.lengths.max()), evidence.values.shape[1]):
            gain = evidence.gain(length, inner)
            found = gain >= LEAST_GAIN and evidence.score(length, inner) >= KNOWN_SCORE
            judged[length] = Judgement(found, round(gain, 3))
    return judged


@dataclass(frozen=True)
class _Found:
    """A season that stands out: its score and its gain."""

    length: int
    score: float
    gain: float


def _chosen(evidence: Evidence, found: list[_Found], longest: int) -> tuple[int, ...]:
    """Return the best of the found seasons, with one within it or around it where there is one."""
    best = _best(evidence, found)

    def around(times: Iterable[int]) -> list[_Found]:
        """Return the longer seasons that add to the best."""
        return _passing(evidence, {n * best.length for n in times if n * best.length <= longest}, best.length)

    least, most = WITHIN
    if longer := around(range(2, least)):
        best = _best(evidence, longer, best.length)
    within = [
        one.length
        for one in found
        if best.length % one.length == 0
        and best.length // one.length >= least
        and one.gain >= INNER_SHARE * best.gain
    ]
    if within and max(within) >= min(USUAL):
        return max(within), best.length
    longer = around(range(least, most + 1))
    return (best.length, _best(evidence, longer, best.length).length) if longer else (best.length,)


def _passing(evidence: Evidence, lengths: Iterable[int], inner: int = 0) -> list[_Found]:
    """Return the seasons that stand out and have a gain, the shortest first."""
    passing = []
    for length in sorted(lengths):
        score = evidence.score(length, inner)
        if score >= _needed(length):
            gain = evidence.gain(length, inner)
            passing += [_Found(length, score, gain)] if gain >= LEAST_GAIN else []
    return passing


def _best(evidence: Evidence, found: list[_Found], inner: int = 0) -> _Found:
    """Return the season that gains most, or the shortest part of it that gains as much.

    Few cycles tell little of a gain. Of neighbours, such as 51, 52 and 53, it is the one that stands out
    most. A part that noise hides may stand out less than what contains it. `inner` divides all of them.
    """
    top = max(found, key=lambda one: one.gain * (1 - one.length / evidence.longest))
    near = [one for one in found if abs(one.length - top.length) <= NEIGHBOURS * top.length]
    best = max(near, key=lambda one: one.score - _needed(one.length))
    for part in sorted(_parts(best.length)):
        is_as_usual = part in USUAL or best.length not in USUAL
        if is_as_usual and (not inner or (part > inner and part % inner == 0)):
            score, gain = evidence.score(part, inner), evidence.gain(part, inner)
            if score >= KNOWN_SCORE and gain >= ALIKE * best.gain:
                return _Found(part, score, gain)
    return best


def _needed(length: int) -> float:
    """Return the least score of a season of this length."""
    return USUAL_SCORE if length in USUAL else LEAST_SCORE


def _parts(length: int) -> set[int]:
    """Return the lengths that fit into a length a few times."""
    return {length // times for times in PARTS if length % times == 0 and length >= 2 * times}


def _peaks(shocks: Floats, longest: int) -> set[int]:
    """Return lengths at which the shocks (series, steps) are most like themselves, or most periodic."""
    steps = shocks.shape[1]
    power = np.abs(np.fft.rfft(np.nan_to_num(shocks), n=2 * steps, axis=1)) ** 2
    likeness = np.fft.irfft(power, axis=1)[:, :steps]
    mean = (likeness / likeness[:, :1]).mean(axis=0)
    total, variance = np.zeros((2, longest + 1))
    for times in range(1, MULTIPLES + 1):
        part = mean[::times][: longest + 1]
        total[: len(part)] += part
        variance[: len(part)] += (steps - times * np.arange(len(part))) / steps**2
    strength = total / np.sqrt(variance)
    strength[:2] = -np.inf
    lags = np.argsort(-strength, kind="stable")[:LAGS]
    return {int(lag) for lag in (*lags, *_periods(power.mean(axis=0), steps)) if 2 <= lag <= longest}  # noqa: PLR2004


def _periods(power: Floats, steps: int) -> list[int]:
    """Return the lengths of the strongest peaks of a periodogram, and of their multiples."""
    inside = power[1:-1]
    peaks = 1 + np.flatnonzero((inside >= power[:-2]) & (inside >= power[2:]))
    strongest = peaks[np.argsort(-power[peaks], kind="stable")[:PEAKS]]
    lengths = 2 * steps / strongest
    whole = [np.round(lengths * times) for times in (1, 2, 3, 4)]
    return [int(length) for length in np.concatenate([*whole, np.floor(lengths), np.ceil(lengths)])]
