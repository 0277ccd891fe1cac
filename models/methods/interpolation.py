"""Interpolate between quantiles on the probit scale, where those of a normal distribution lie on a line."""

from functools import lru_cache
from statistics import NormalDist
from typing import Literal

import numpy as np

from models.panel import Floats, Integers


@lru_cache(maxsize=1000)
def probit_places(
    known: tuple[float, ...], wanted: tuple[float, ...], side: Literal["left", "right"]
) -> tuple[Integers, Floats]:
    """Return where the probabilities `wanted` lie between the rising ones that are `known`.

    Both (wanted,): the number of the known one to the left, and the share of the way to the next. Beyond the
    outermost ones the last segment goes on. `side` is the segment that a known one itself belongs to.
    """
    knots, points = (np.array([NormalDist().inv_cdf(p) for p in each]) for each in (known, wanted))
    left = np.clip(np.searchsorted(knots, points, side=side) - 1, 0, len(knots) - 2)
    return left, (points - knots[left]) / (knots[left + 1] - knots[left])
