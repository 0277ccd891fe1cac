"""Steps at which series never have a value: a shop closed on Sundays, an exchange closed at night."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.panel import Floats, Panel

Mask = NDArray[np.bool_]

LEAST_CYCLES = 3
"""Whole cycles that a place has to be empty for, the last ones of its series."""

LARGEST_CHANCE = 0.001
"""Largest chance that any place of a cycle is empty for so long by values missing at random."""


def open_steps(panel: Panel, cycles: Sequence[int], horizon: int) -> Mask | None:
    """Return (series, horizon), False for steps ahead that are closed; None where all are open.

    `cycles` are lengths in steps, such as a week's. A place in a cycle is closed after `LEAST_CYCLES` whole
    cycles without a value there, or more where other places are often empty too.
    """
    with_gaps = np.flatnonzero(np.logical_or.reduceat(np.isnan(panel.values), panel.offsets[:-1]))
    is_open = np.ones((panel.series, horizon), dtype=np.bool_)
    for series in with_gaps:
        values = panel.values[panel.offsets[series] : panel.offsets[series + 1]]
        for length in cycles:
            is_open[series] &= ~np.resize(_closed_places(values, length), horizon)
    return None if is_open.all() else is_open


def _closed_places(values: Floats, length: int) -> Mask:
    """Return (length,), the closed places; the first is that of the step after the last value."""
    count = len(values) // length
    if count < LEAST_CYCLES:
        return np.zeros(length, dtype=np.bool_)
    filled = np.isfinite(values[-count * length :]).reshape(count, length)[::-1]
    used = filled[:LEAST_CYCLES].any(axis=0)
    if not used.any():
        return np.zeros(length, dtype=np.bool_)
    empty = np.where(filled.any(axis=0), filled.argmax(axis=0), count)
    chance = length * (1 - filled[:, used].mean()) ** empty
    closed: Mask = ~used & (chance <= LARGEST_CHANCE)
    return closed
