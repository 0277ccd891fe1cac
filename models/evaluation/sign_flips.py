"""Permutation tests of mean differences: if neither method were better, each could have the other sign.

Sources: Fisher (1935), The Design of Experiments, section 21; Good (2005), Permutation, Parametric and
Bootstrap Tests of Hypotheses.

The best of several candidates looks better than it is, so all differences of a unit get the same sign. The
p-value is the share of draws in which any of them is as extreme as the judged one. Extreme means rare for
candidates, and wide for baselines that are ahead. Source: Westfall & Young (1993), Resampling-Based Multiple
Testing.

Units that move together make their mean vary more than these draws do: `inflation` is how many times more its
variance is, and all observed gaps are that much less surprising.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.panel import Floats

EXACT_UNITS = 12
"""With up to so many units all combinations of signs are counted; with more, `DRAWS` are drawn."""

DRAWS = 10_000

_AT_ONCE = 500

_ROUNDING = 1e-9
"""Sums that differ by this share count as equal: the order of adding changes them."""


def sign_flip(gaps: Floats, seed: int, inflation: float = 1.0) -> float:
    """Return the two-sided p-value of the largest absolute mean of `gaps` (units, rivals)."""
    largest = np.abs(gaps).max(initial=0.0)
    if largest == 0:
        return 1.0
    # In units of the largest, so that no sum overflows; the test does not depend on the unit.
    scaled = gaps / largest
    observed = np.abs(scaled.sum(axis=0)).max() / math.sqrt(inflation)
    observed -= _ROUNDING * np.abs(scaled).sum(axis=0).max()
    return float(np.mean(_sums(scaled, seed).max(axis=1) >= observed))


def min_p(gaps: Floats, seed: int, inflation: float = 1.0) -> float:
    """Return the two-sided p-value of the first of `gaps` (units, candidates), chosen as the best.

    It is the share of draws in which any candidate's gap is as rare as the first's observed one: Westfall &
    Young's single-step min P. A gap is rare if few draws of the same candidate reach it, so candidates with
    larger errors count like any other. For one candidate it equals `sign_flip`. A candidate with the errors
    of the first adds nothing. The p-value of the first alone, times the number of candidates, is an upper
    bound (Bonferroni).
    """
    largest = np.abs(gaps).max(axis=0, initial=0.0)
    scaled = gaps / np.where(largest > 0, largest, 1.0)
    sums, rounding = _sums(scaled, seed), _ROUNDING * np.abs(scaled).sum(axis=0)
    as_wide = sums[:, 0] >= np.abs(scaled[:, 0].sum()) / math.sqrt(inflation) - rounding[0]
    if as_wide.all():
        return 1.0
    # Count the same number of draws of each candidate as rare, or fewer where that would split ties.
    next_widest = np.sort(sums, axis=0)[-1 - as_wide.sum()]
    as_rare = (sums > next_widest + rounding).any(axis=1)
    return float(np.mean(as_wide | as_rare))


def _sums(gaps: Floats, seed: int) -> Floats:
    """Return (draws, columns), the absolute sums of `gaps` (units, columns) with one random sign a unit.

    Up to `EXACT_UNITS` units the draws are all combinations of signs. With more units they are the observed
    signs and `DRAWS` random ones, so that no p-value is zero.
    """
    units = len(gaps)
    if units <= EXACT_UNITS:
        return _signed((np.arange(2**units)[:, None] >> np.arange(units)) & 1, gaps)
    generator = np.random.default_rng(seed)
    drawn = [
        _signed(generator.integers(0, 2, (_AT_ONCE, units), dtype=np.int8), gaps)
        for _ in range(0, DRAWS, _AT_ONCE)
    ]
    return np.concatenate([np.abs(gaps.sum(axis=0, keepdims=True)), *drawn])


def _signed(signs: NDArray[np.integer[Any]], gaps: Floats) -> Floats:
    """Return (draws, columns), the absolute sums over the units, with `signs` (draws, units) of 0 or 1."""
    width: Floats = np.abs((2 * signs - 1) @ gaps)
    return width
