"""How much wider than the pretrained networks say the quantiles of a short history are: pooled evidence.

A short history has few windows of its own to calibrate on, so it borrows from series like it: how far values
came from the median, over the half-widths of the networks, on simulated short series and on M3 and M4 without
their test parts. Next steps miss by a tenth more. Further ahead series that wander (whose changes do not turn
back) miss by a quarter more, and those that return by less. A season of few cycles adds to it.

Calibration goes on from there: `docs/experiments/2026-11-30-short-histories.md` has the measures and the fit.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

from models.inputs.seasonality import medians
from models.metrics import NORMAL_DEVIATION

NEAR = 0.04
"""Logarithm of the factor of the next step; of others `FAR` and what comes below are added."""

FAR = 0.21
"""Logarithm that is added far ahead, and in part before: `1 - 1 / sqrt(step)` of it."""

TURNING = 1.0
"""What is added far ahead, times the correlation of neighbouring changes: 0 of a walk, -0.5 of noise."""

FEW_VALUES = 0.3
"""What is added, over the root of the number of values."""

FEW_CYCLES = 0.26
"""What is added, over the root of the cycles that a season is known from, if it is as wide as the changes."""

LEAST_CORRELATION, MOST_CORRELATION = -0.5, 0.1
"""Limits of the correlation that counts: beyond them there was nothing to fit on."""

SMOOTH = (0.5, 0.8)
"""Correlations from which on a history is a smooth curve, in part and wholly: then nothing is added."""

SHORT, LONG = 100, 400
"""Values up to which all of it is added, and from which on nothing is: they have windows of their own."""

FEWEST = 8
"""Values that fewer ones count as."""

_FURTHEST = 3.0
"""Changes are cut at so many robust standard deviations."""


def spread_factors(rest: Tensor, season: Tensor, season_length: int, horizon: int) -> Tensor:
    """Return (batch, horizon), what distances of quantiles from the median are multiplied by.

    `rest` (batch, span) is without season, NaN for gaps; `season` (batch, span) is that season.
    """
    count = rest.isfinite().sum(dim=1, keepdim=True).clamp(min=FEWEST).to(rest.dtype)
    turning, width = _changes(rest)
    clear = (_deviation(torch.where(rest.isfinite(), season, torch.nan)) / width.clamp(min=1e-300)).clamp(
        max=1
    )
    far = _far(horizon, rest.device)
    wider = NEAR + (FEW_VALUES + FEW_CYCLES * clear * season_length**0.5) / count.sqrt()
    wider = wider + far * (FAR + TURNING * turning.clamp(LEAST_CORRELATION, MOST_CORRELATION))
    is_short = ((LONG / count).log() / math.log(LONG / SHORT)).clamp(0, 1)
    is_rough = ((SMOOTH[1] - turning) / (SMOOTH[1] - SMOOTH[0])).clamp(0, 1)
    factors: Tensor = (wider * is_short * is_rough * (width > 0)).exp()
    return factors


def _changes(rest: Tensor) -> tuple[Tensor, Tensor]:
    """Return the correlation of neighbouring changes and their deviation: (batch, 1), 0 for none."""
    changes = rest.diff(dim=1)
    center = medians(changes, 1)
    apart = NORMAL_DEVIATION * medians((changes - center).abs(), 1)
    limit = torch.where(apart > 0, _FURTHEST * apart, torch.inf)
    cut = center + torch.minimum(torch.maximum(changes - center, -limit), limit)
    own = (cut - cut.nanmean(dim=1, keepdim=True)).nan_to_num(nan=0.0)
    squares = own.square().sum(dim=1, keepdim=True)
    products = (own[:, 1:] * own[:, :-1]).sum(dim=1, keepdim=True)
    turning = products / squares.clamp(min=1e-300)
    # In a short history changes look as if they turned back more than they do (Kendall, 1954).
    count = changes.isfinite().sum(dim=1, keepdim=True).clamp(min=FEWEST)
    return turning + (1 + 4 * turning) / count, _deviation(cut)


def _deviation(values: Tensor) -> Tensor:
    """Return (batch, 1), the standard deviation of values (batch, span), NaN for gaps; 0 for none."""
    apart = values - values.nanmean(dim=1, keepdim=True)
    return apart.square().nanmean(dim=1, keepdim=True).sqrt().nan_to_num(nan=0.0)


@lru_cache(maxsize=64)
def _far(horizon: int, device: torch.device) -> Tensor:
    """Return (horizon,), how far ahead each step is: 0 to 1."""
    with torch.inference_mode(mode=False):
        return 1 - torch.arange(1, horizon + 1, dtype=torch.float64, device=device).rsqrt()
