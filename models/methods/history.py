"""The quantiles of a series' own past values: the forecast of what comes by chance alone, a climatology.

Where there is nothing to find, nothing is better than these (Gneiting, Balabdaoui & Raftery, 2007,
Probabilistic forecasts, calibration and sharpness, section 4), so that a network has to show that it knows
more.
"""

from collections.abc import Sequence

import numpy as np

from models.methods.forecast import Forecast
from models.panel import Floats, Panel


def history_forecast(panel: Panel, horizon: int, levels: Sequence[int]) -> Forecast:
    """Return the median of each series' values and their quantiles at `levels`, alike at every step.

    Each series has a value.
    """
    tails = [side * level / 200 for level in levels for side in (-1, 1)]
    found = _quantiles(panel, [0.5, *(0.5 + tail for tail in tails)])
    ahead = np.repeat(found[:, :, None], horizon, axis=2)
    return Forecast(
        ahead[0],
        lo={level: ahead[1 + 2 * place] for place, level in enumerate(levels)},
        hi={level: ahead[2 + 2 * place] for place, level in enumerate(levels)},
    )


def _quantiles(panel: Panel, probabilities: Sequence[float]) -> Floats:
    """Return (probabilities, series), the least value that such a share of the values does not exceed."""
    rows = np.split(panel.values, panel.offsets[1:-1])
    found = [np.quantile(row[np.isfinite(row)], probabilities, method="inverted_cdf") for row in rows]
    return np.stack(found, axis=1)
