"""The mean of a forecast beside its median: what comes on average, so that sums of it are right.

Swanson's mean weights the median and the bounds of 80 % with 0.4, 0.3 and 0.3: Hurst, Brown & Swanson (2000),
Swanson's 30-40-30 rule. It needs no tail, which few errors say anything about. Bounds of noisy logarithms
say too much: there it is smoothed from the values (`models.inputs.smoothing`). Quantiles of demand with zeros
by chance say too little, as most of them are 0: its mean is that of the history. All were measured in
`docs/experiments/2026-11-30-means.md`.
"""

from collections.abc import Mapping

import numpy as np

from models.inputs.intermittence import Demand
from models.methods.calibration import IntervalBounds
from models.methods.forecast import SmoothedMeans, clip
from models.methods.support import Support
from models.panel import Floats

LEVEL = 80
MEDIAN_SHARE, BOUND_SHARE = 0.4, 0.3


def means(
    bounds: IntervalBounds,
    lowest: Floats,
    demands: Mapping[int, Demand],
    smoothed: SmoothedMeans | None = None,
) -> Floats:
    """Return (series, horizon), the mean of each step, no lower than `lowest` (series, 1).

    `demands` are those of series with zeros by chance, by their number. `smoothed` means are used as far as
    they say, by the geometric mean.
    """
    # Those of a count are whole numbers, and their mean is not.
    forecast = bounds.at((LEVEL,), Support.free(len(lowest)).at_least(lowest))
    shares = [BOUND_SHARE * side[LEVEL] for side in (forecast.lo, forecast.hi)]
    found = clip(MEDIAN_SHARE * forecast.median + shares[0] + shares[1], lowest)
    if smoothed is not None and smoothed.share.any():
        found = _toward(found, smoothed)
    for series, demand in demands.items():
        found[series] = demand.means(found.shape[1])
    return found


def _toward(means: Floats, smoothed: SmoothedMeans) -> Floats:
    """Return the means, moved as far as their share says on the way to smoothed ones; those are positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        between = means ** (1 - smoothed.share) * smoothed.values**smoothed.share
    return np.where(smoothed.share > 0, between, means)
