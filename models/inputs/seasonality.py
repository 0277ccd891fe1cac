"""The seasonal pattern of many short histories at once, by classical decomposition.

A value's deviation from the centred average over one season, averaged by its place in the season, is the
pattern (Makridakis, Wheelwright & Hyndman, *Forecasting*, 1998, section 3/4). On logarithms it is the
multiplicative pattern, on plain values the additive one.
"""

import torch
from torch import Tensor
from torch.nn import functional


def seasonal_pattern(z: Tensor, season_length: int, seasons: int) -> Tensor:
    """Return (batch, season_length): entry j is the pattern j steps after the origin, modulo the season.

    `z` is (batch, span), NaN for gaps, with span >= seasons * season_length. The pattern is shrunk towards
    zero by how little it explains, and is zero without two whole seasons.
    """
    deviations = _deviations(z, season_length)[:, -seasons * season_length :]
    by_place = deviations.reshape(len(z), seasons, season_length)
    counts = by_place.isfinite().sum(dim=1)
    pattern = by_place.nansum(dim=1) / counts.clamp(min=1)
    pattern = pattern - pattern.mean(dim=1, keepdim=True)
    return pattern * _shrinkage(by_place, pattern, counts)


def _deviations(z: Tensor, season_length: int) -> Tensor:
    """Return (batch, span), the value minus the average over the season around it; NaN for gaps.

    Half a season at each end has no such average and is NaN, so no value after the origin is needed.
    """
    half = season_length // 2
    average = _moving_average(z, season_length)
    if season_length % 2 == 0:
        average = (average[:, 1:] + average[:, :-1]) / 2
    return z - functional.pad(average, (half, half), value=torch.nan)


def _moving_average(z: Tensor, width: int) -> Tensor:
    """Return (batch, span - width + 1), plain averages; NaN where a value is missing.

    Running sums make the cost independent of the width.
    """
    sums = functional.pad(z.nan_to_num(nan=0.0).cumsum(dim=1), (1, 0))
    gaps = functional.pad(z.isnan().cumsum(dim=1), (1, 0))
    whole = gaps[:, width:] == gaps[:, :-width]
    return ((sums[:, width:] - sums[:, :-width]) / width).masked_fill(~whole, torch.nan)


def _shrinkage(by_place: Tensor, pattern: Tensor, counts: Tensor) -> Tensor:
    """Return (batch, 1) from 0 to 1: one minus the reciprocal of the F ratio of pattern against rest.

    The positive-part shrinkage of James & Stein (1961) towards no season.
    """
    total, places = counts.sum(dim=1), counts.shape[1]
    freedom = total - places
    explained = (counts * pattern**2).sum(dim=1) / (places - 1)
    rest = ((by_place - pattern[:, None]) ** 2).nansum(dim=(1, 2)) / freedom.clamp(min=1)
    share = (1 - rest / explained.clamp(min=1e-300)).clamp(min=0)
    return torch.where(freedom >= places, share, 0.0)[:, None]
