"""Exponential smoothing of many short histories at once, and the Theta forecast that it makes."""

from functools import lru_cache

import torch
from torch import Tensor

from models.inputs.seasonality import running_means

SMOOTHING = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Weights of the newest value that are tried."""

READ = 100
"""Last values that are smoothed; older ones tell the slope alone."""

FOLLOWING = 4
"""Following steps whose mean a level has to foretell: with one, levels follow noise that soon fades."""

SLOPE_KEPT = 0.5
"""Share of the least squares slope that goes on, as in the Theta method."""

FEWEST = 8
"""Values that a forecast needs."""


def theta_forecast(z: Tensor, horizon: int) -> tuple[Tensor, Tensor]:
    """Return Theta's forecast (batch, horizon), and which histories (batch, 1) are long enough for it.

    `z` (batch, span) is without season, NaN for gaps. It is simple exponential smoothing with half of the
    least squares slope (Assimakopoulos & Nikolopoulos, 2000; Hyndman & Billah, 2003, Unmasking the Theta
    method), whose weight foretells the history best. Each row is as it would be alone.
    """
    valid = z.isfinite().to(z.dtype)
    # Counted from the last step.
    t = torch.arange(1 - z.shape[1], 1, dtype=z.dtype, device=z.device)
    slope = SLOPE_KEPT * _slope(z.nan_to_num(nan=0.0), valid, t)
    valid, t = valid[:, -READ:], t[-READ:]
    rest = (z[:, -READ:] - slope * t).nan_to_num(nan=0.0)
    levels = running_means(rest[:, None], valid[:, None], _weights(len(t), z.device), dim=2)
    best = _errors(levels, rest, valid).argmin(dim=1, keepdim=True)
    ahead = torch.arange(1, horizon + 1, dtype=z.dtype, device=z.device)
    return levels[..., -1].gather(1, best) + slope * ahead, valid.sum(dim=1, keepdim=True) >= FEWEST


def _slope(y: Tensor, valid: Tensor, t: Tensor) -> Tensor:
    """Return (batch, 1), the slope of the least squares line through values y (batch, span), 0 for gaps."""
    count = valid.sum(dim=1, keepdim=True).clamp(min=1)
    apart = (t - (t * valid).sum(dim=1, keepdim=True) / count) * valid
    mean = y.sum(dim=1, keepdim=True) / count
    spread = apart.square().sum(dim=1, keepdim=True).clamp(min=1e-9)
    return (apart * (y - mean)).sum(dim=1, keepdim=True) / spread


def _errors(levels: Tensor, rest: Tensor, valid: Tensor) -> Tensor:
    """Return (batch, weights), squared distances of levels to means of the `FOLLOWING` steps after them."""
    sums, counts = (torch.nn.functional.pad(part.cumsum(dim=1), (1, 0)) for part in (rest, valid))
    count = counts[:, 1 + FOLLOWING :] - counts[:, 1:-FOLLOWING]
    following = (sums[:, 1 + FOLLOWING :] - sums[:, 1:-FOLLOWING]) / count.clamp(min=1)
    counted = count * (counts[:, 1:-FOLLOWING] > 0)
    missed = following[:, None] - levels[..., : following.shape[1]]
    return (missed.square() * counted[:, None]).sum(dim=2)


@lru_cache(maxsize=16)
def _weights(steps: int, device: torch.device) -> Tensor:
    """Return (weights, steps) of `running_means`, 1 at the last step."""
    # The cached tensor may be used outside the inference mode that it is made in.
    with torch.inference_mode(mode=False):
        kept = 1 - torch.tensor(SMOOTHING, dtype=torch.float64, device=device)
        return kept[:, None] ** torch.arange(steps - 1, -1, -1, device=device)
