"""Naive2, the yardstick of the M3 and M4 competitions: the last seasonally adjusted value, season put back.

Makridakis, Spiliotis & Assimakopoulos (2020), The M4 Competition, appendix A. A season is taken out, by
classical multiplicative decomposition, where its autocorrelation passes a 90 % test.
"""

import numpy as np

from models.panel import Floats

_CRITICAL = 1.645
"""A standard normal lies within plus and minus this with 90 % probability."""


def naive2(history: Floats, horizon: int, season_length: int) -> Floats:
    """(horizon,): the forecast of one series without gaps."""
    indices = np.ones(season_length)
    if season_length > 1 and _is_seasonal(history, season_length):
        indices = _seasonal_indices(history, season_length)
    places = (len(history) + np.arange(horizon)) % season_length
    adjusted = history[-1] / indices[(len(history) - 1) % season_length]
    forecast: Floats = adjusted * indices[places]
    return forecast


def _is_seasonal(history: Floats, season_length: int) -> bool:
    """Bartlett's test of the autocorrelation at one season; never under three whole seasons."""
    if len(history) < 3 * season_length:
        return False
    centred = history - history.mean()
    power = float(centred @ centred)
    if power == 0:
        return False
    lagged = [float(centred[lag:] @ centred[:-lag]) / power for lag in range(1, season_length + 1)]
    limit = _CRITICAL * np.sqrt((1 + 2 * np.sum(np.square(lagged[:-1]))) / len(history))
    return bool(abs(lagged[-1]) > limit)


def _seasonal_indices(history: Floats, season_length: int) -> Floats:
    """(season_length,) with mean 1, by place in the season counted from the first value."""
    half = season_length // 2
    width = np.ones(season_length) if season_length % 2 else np.r_[0.5, np.ones(season_length - 1), 0.5]
    ratios = np.full(len(history), np.nan)
    ratios[half : len(history) - half] = history[half : len(history) - half] / (
        np.convolve(history, width / season_length, mode="valid")
    )
    means = np.array([np.nanmean(ratios[place::season_length]) for place in range(season_length)])
    indices: Floats = means / means.mean()
    return indices
