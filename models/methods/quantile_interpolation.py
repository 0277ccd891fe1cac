"""Interpolate between quantiles on the probit scale, where those of a normal distribution lie on a line."""

from functools import lru_cache
from statistics import NormalDist
from typing import Literal

import numpy as np

from models.panel import Floats, Integers


@lru_cache(maxsize=1000)
def probit_places(
    knots: tuple[float, ...], points: tuple[float, ...], side: Literal["left", "right"]
) -> tuple[Integers, Floats]:
    """Return the place of the probabilities `points` among the rising probabilities `knots`.

    Both (points,): the number of the knot to the left, and the share of the way from there to the next knot.
    Points beyond the outermost knots extrapolate the outermost segment. A point at a knot is the end of the
    segment before it for `side` left, and the start of the one after it for right.
    """
    x, z = (np.array([NormalDist().inv_cdf(p) for p in each]) for each in (knots, points))
    left = np.clip(np.searchsorted(x, z, side=side) - 1, 0, len(x) - 2)
    return left, (z - x[left]) / (x[left + 1] - x[left])
