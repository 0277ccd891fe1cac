"""What share of values intervals can be expected to hold, and how far the next ones may be from it.

What a method held at cuts left out is combined with pooled evidence: what intervals of that level held of
series in general. Its share grows with the cuts, as a mean of few groups is drawn to that of all (James &
Stein, 1961).
"""

import math
from collections.abc import Mapping

POOLED: Mapping[int, float] = {50: 0.5, 80: 0.81, 95: 0.96, 99: 0.99}
"""Share of values that intervals of a level held, whatever series: of 29,540 simulated ones of ten kinds and
six frequencies, and of 1,207 of M3, M4 and the population without their test parts.
`docs/experiments/2026-11-30-reported-coverage.md`.
"""

PERIOD_DOUBT, SERIES_DOUBT = 0.09, 0.65
"""Standard deviations of what comes from what is expected, in units of a single value's: of periods, for
however many series, and of one series, which a mean over several makes smaller. From the same series."""

RANGE = 1.645
"""Standard deviations on both sides that hold 90 % of a normal variable."""


def expected_coverage(level: int, held: float, share: float) -> float:
    """Return the share of values that intervals of a level can be expected to hold.

    It is that which they `held` at cuts left out, drawn to the pooled one but for a `share` of its way: what
    a few periods held differs from the next more than from that.
    """
    pooled = POOLED.get(level, level / 100)
    return pooled + share * (held - pooled)


def doubt_of(series: int) -> float:
    """Return the standard deviation of what so many series hold next, in units of a single value's."""
    return math.hypot(PERIOD_DOUBT, SERIES_DOUBT / math.sqrt(series)) if series else math.inf


def coverage_range(level: int, expected: float, doubt: float) -> tuple[float, float]:
    """Return where the share that the next horizon holds lies 90 times in 100."""
    away = RANGE * doubt * math.sqrt(level / 100 * (1 - level / 100))
    return max(0.0, expected - away), min(1.0, expected + away)
