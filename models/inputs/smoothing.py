"""Exponential smoothing of many short histories at once: the Theta forecast, and means of skewed values.

The level of logarithms is a median of values. Multiplied up to a mean by the spread of the logarithms it is
10 to 100 % too high where those are not normal, or where the forecast itself is uncertain. So the mean of
noisy values is smoothed from the values themselves: whatever their distribution, weighted means of them are
right in sum. Measured in `docs/experiments/2026-11-30-means.md`.
"""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from models.inputs.seasonality import medians, running_means
from models.metrics import NORMAL_DEVIATION

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

NOISY = (0.1, 0.2)
"""Noise of logarithms from which on the mean is that of the values, in part and wholly."""

ENOUGH = (12, 24)
"""Values from which on it is, in part and wholly."""

INFLATION = 3
"""Power of what residuals that last add to the variance of a slope: it is itself uncertain in few values."""

MOST_DOUBT = 0.2
"""Doubt of a mean half a history ahead, from which on its slope needs more than twice the usual evidence."""


class Smoothed(NamedTuple):
    """Theta's `forecast` (batch, horizon); `is_known` (batch, 1): which histories are long enough for it.

    `mean` (batch, horizon) is the logarithm of the mean of the values, for histories that are logarithms;
    `share` (batch, 1), from 0 to 1, is how far it is to be used. Where it is 0, `mean` is of no meaning.
    """

    forecast: Tensor
    is_known: Tensor
    mean: Tensor
    share: Tensor


def theta_forecast(z: Tensor, horizon: int) -> Smoothed:
    """Return Theta's forecast of histories, and the means of those that are logarithms.

    `z` (batch, span) is without season, NaN for gaps. It is simple exponential smoothing with half of the
    least squares slope (Assimakopoulos & Nikolopoulos, 2000; Hyndman & Billah, 2003, Unmasking the Theta
    method), whose weight foretells the history best. Each row is as it would be alone.
    """
    valid = z.isfinite().to(z.dtype)
    # Counted from the last step.
    t = torch.arange(1 - z.shape[1], 1, dtype=z.dtype, device=z.device)
    line = _Line.of(z.nan_to_num(nan=0.0), valid, t)
    slope, share = SLOPE_KEPT * line.slope, _noisy(z, line.steps)
    valid, t = valid[:, -READ:], t[-READ:]
    rest = (z[:, -READ:] - slope * t).nan_to_num(nan=0.0)
    weights = _weights(len(t), z.device)
    levels = running_means(rest[:, None], valid[:, None], weights, dim=2)
    best = _errors(levels, rest, valid).argmin(dim=1, keepdim=True)
    ahead = torch.arange(1, horizon + 1, dtype=z.dtype, device=z.device)
    forecast = mean = levels[..., -1].gather(1, best) + slope * ahead
    # Most histories have little noise, and save the time.
    if share.any():
        own = line.trust() * line.slope
        mean = _log_mean(z[:, -READ:] - own * t, weights[best[:, 0]]) + own * ahead
    return Smoothed(forecast, valid.sum(dim=1, keepdim=True) >= FEWEST, mean, share)


class _Line(NamedTuple):
    """The least squares line through values: `slope`, number of `steps` and their `spread`, all (batch, 1).

    `left` (batch, span) is what it leaves of the values less their mean, 0 for gaps.
    """

    slope: Tensor
    steps: Tensor
    spread: Tensor
    left: Tensor

    @classmethod
    def of(cls, y: Tensor, valid: Tensor, t: Tensor) -> "_Line":
        """Fit values y (batch, span), 0 for gaps, at the steps t (span,)."""
        count = valid.sum(dim=1, keepdim=True).clamp(min=1)
        apart = (t - (t * valid).sum(dim=1, keepdim=True) / count) * valid
        centred = (y - y.sum(dim=1, keepdim=True) / count) * valid
        spread = apart.square().sum(dim=1, keepdim=True).clamp(min=1e-9)
        slope = (apart * centred).sum(dim=1, keepdim=True) / spread
        return cls(slope, count, spread, centred - slope * apart)

    def trust(self) -> Tensor:
        """Return (batch, 1), the share of the slope that chance does not explain: James & Stein (1961)."""
        square = self.left.square().sum(dim=1, keepdim=True)
        products = (self.left[:, 1:] * self.left[:, :-1]).sum(dim=1, keepdim=True)
        alike = products / square.clamp(min=1e-300)
        # A fitted line makes residuals look less alike than errors are (Kendall, 1954).
        lasting = (alike + (1 + 4 * alike) / self.steps).clamp(0, 0.98)
        inflation = ((1 + lasting) / (1 - lasting)) ** INFLATION
        variance = square / (self.steps - 2).clamp(min=1) / self.spread * inflation
        needed = variance * (1 + variance * (self.steps / 2 / MOST_DOUBT).square())
        return (1 - needed / self.slope.square().clamp(min=1e-300)).clamp(min=0)


def _log_mean(z: Tensor, weights: Tensor) -> Tensor:
    """Return (batch, 1), the logarithm of the weighted mean of values; z are theirs, NaN for gaps."""
    valid = z.isfinite()
    weights = weights * valid
    shares = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-300)
    return torch.where(valid, z + shares.log(), -torch.inf).logsumexp(dim=1, keepdim=True)


def _noisy(z: Tensor, count: Tensor) -> Tensor:
    """Return (batch, 1) from 0 to 1, how far the noise of so many logarithms makes means of values better."""
    noise = NORMAL_DEVIATION / 2**0.5 * medians(z.diff(dim=1).abs(), 1).nan_to_num(nan=0.0)
    return _between(noise, NOISY) * _between(count, ENOUGH)


def _between(value: Tensor, limits: tuple[float, float]) -> Tensor:
    """Return 0 up to the first limit, 1 from the second on, and in between what lies between."""
    return ((value - limits[0]) / (limits[1] - limits[0])).clamp(0, 1)


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
