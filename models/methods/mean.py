"""The mean of a forecast beside its median: what comes on average, so that sums of it are right.

Swanson's mean weights the median and the bounds of 80 % with 0.4, 0.3 and 0.3: Hurst, Brown & Swanson (2000),
Swanson's 30-40-30 rule. It needs no tail, which few errors say anything about. Quantiles of demand with zeros
by chance say too little, as most of them are 0: its mean is that of the history. Both were measured in
`docs/experiments/2026-11-30-means.md`.
"""

from collections.abc import Mapping

from models.inputs.intermittence import Demand
from models.methods.calibration import IntervalBounds
from models.methods.forecast import clip
from models.methods.support import Support
from models.panel import Floats

LEVEL = 80
MEDIAN_SHARE, BOUND_SHARE = 0.4, 0.3


def means(bounds: IntervalBounds, lowest: Floats, demands: Mapping[int, Demand]) -> Floats:
    """Return (series, horizon), the mean of each step, no lower than `lowest` (series, 1).

    `demands` are those of series with zeros by chance, by their number.
    """
    # Those of a count are whole numbers, and their mean is not.
    forecast = bounds.at((LEVEL,), Support.free(len(lowest)).at_least(lowest))
    shares = [BOUND_SHARE * side[LEVEL] for side in (forecast.lo, forecast.hi)]
    found = clip(MEDIAN_SHARE * forecast.median + shares[0] + shares[1], lowest)
    for series, demand in demands.items():
        found[series] = demand.means(found.shape[1])
    return found
