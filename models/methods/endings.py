"""Interval bounds of demand that may be over: zeros as far as its chance goes, and the sizes that it had.

A network that was never told how demand ends expects it to come back, more of it with every step ahead.
"""

from collections.abc import Mapping

import numpy as np

from models.inputs.intermittence import Demand
from models.methods.calibration import PROBABILITIES, IntervalBounds


def with_endings(bounds: IntervalBounds, demands: Mapping[int, Demand]) -> IntervalBounds:
    """Return bounds of series, with their own for those of `demands` (by number) that may be over."""
    upper, horizon = np.array(PROBABILITIES), bounds.median.shape[1]
    both = np.stack([1 - upper, upper], axis=1)
    found = {number: demand.quantiles(both, horizon) for number, demand in demands.items()}
    ending = {number: quantiles for number, quantiles in found.items() if quantiles is not None}
    if not ending:
        return bounds
    median, half_widths = bounds.median.copy(), bounds.half_widths.copy()
    for number, quantiles in ending.items():
        median[number] = quantiles[0, 0]
        half_widths[:, :, number] = np.abs(quantiles - quantiles[0, 0])
    return IntervalBounds(median, half_widths)
