"""Values so far from all others that they are mistakes: what networks and baselines read in their place."""

import numpy as np
from numpy.typing import NDArray

from models.panel import Floats, Integers, Panel

FAR = 10.0
"""A value further from the bulk of its series than so many times the bulk's width is absurd."""

BULK = (0.05, 0.95)
"""Quantiles between which the bulk of a series lies."""

FEWEST = 12
"""Values of a series that tell its bulk."""

SUSPECT = 0.6
"""Share of the root of the number of values: a lone outlier is that many standard deviations away, nearly."""


def tamed(panel: Panel) -> Panel:
    """Return series with absurd values drawn to the edge of what is not; the same panel where there are none.

    A value counts as absurd only where the next one is not: what stays away has moved, and the last may be a
    move. Series of which half the values are equal, as intermittent demand, are left alone.
    """
    # Near the ends of float64 squares and reach overflow, and nothing is absurd.
    with np.errstate(over="ignore", invalid="ignore"):
        return _drawn_in(panel, np.flatnonzero(_are_suspect(panel)))


def _drawn_in(panel: Panel, suspects: Integers) -> Panel:
    values: Floats | None = None
    for series in suspects:
        first, last = int(panel.offsets[series]), int(panel.offsets[series + 1])
        some = panel.values[first:last]
        low, *middle, high = np.nanquantile(some, (BULK[0], 0.25, 0.75, BULK[1]))
        reach = FAR * (high - low) if middle[0] < middle[1] else 0.0
        outside = (some < low - reach) | (some > high + reach)
        absurd = outside & np.append(~outside[1:], False)
        if reach > 0 and absurd.any():
            values = panel.values.copy() if values is None else values
            values[first:last] = np.where(absurd, np.clip(some, low - reach, high + reach), some)
    return panel if values is None else Panel(values, panel.offsets, panel.phases)


def _are_suspect(panel: Panel) -> NDArray[np.bool_]:
    """Return (series,), which series have a value as far away as a lone outlier would be."""
    starts, known = panel.offsets[:-1], ~np.isnan(panel.values)
    count = np.add.reduceat(known, starts, dtype=np.float64).clip(min=1)
    mean = np.add.reduceat(np.where(known, panel.values, 0.0), starts) / count
    away = np.abs(np.where(known, panel.values - np.repeat(mean, panel.lengths), 0.0))
    spread = np.sqrt(np.add.reduceat(away * away, starts) / count)
    suspect: NDArray[np.bool_] = np.maximum.reduceat(away, starts) > SUSPECT * np.sqrt(count) * spread
    enough: NDArray[np.bool_] = count >= FEWEST
    return suspect & enough
