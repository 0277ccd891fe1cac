"""Forecast with a trained ensemble: from the latest values to medians and interval bounds."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from models.choices import DEFAULT_LEVELS
from models.config import TrainingConfig, View
from models.inputs.level_shift import odd_ends, without_shift
from models.inputs.outliers import tamed
from models.inputs.scaling import Scale, Transform, features, seasonal_component
from models.inputs.smoothing import theta_forecast
from models.inputs.spread import spread_factors
from models.inputs.trend import trend_forecast
from models.inputs.windows import FlatPanel, cut_windows, windows_per_cut
from models.methods.forecast import Forecast, SmoothedMeans, checked_horizon, checked_levels, floors
from models.methods.quantile_interpolation import probit_places
from models.network.forecaster import Forecaster
from models.network.mixture import mixture
from models.panel import Floats, Integers, Panel

THETA_SHARE = 0.3
"""Share of the way from the pretrained networks' median to Theta's. It was chosen on held-out steps:
`docs/experiments/2026-11-30-theta-moving-seasons.md`."""

FEWEST_ROWS = 8
"""Rows of a forward pass, at least: with less, matrices are multiplied in another order, and the last bits of
a series' forecast would depend on the series beside it."""

BELIEF = 1.0
"""Jumps of its own that a series needs, to know as much of the next as the networks."""

OWN_SHARE = 0.2
"""Share of what was found itself in a mixture of readings, without such jumps: neither may be true."""

LEAST_BELIEF = 0.2
"""Share that each reading has at least, before what the series itself says: so bounds hold both."""

POINTS = tuple((place + 0.5) / 60 for place in range(60))
"""Probabilities of the points that stand for each part of a mixture."""

CURVE_SHARE = 0.75
"""Share of the way from trained networks' median to the trend of a smooth curve that is believed wholly."""


def ensemble_forecast(
    forecaster: Forecaster,
    panel: Panel,
    *,
    horizon: int | None = None,
    levels: Sequence[int] = DEFAULT_LEVELS,
) -> Forecast:
    """Forecast the next `horizon` steps of every series, at most and by default the trained horizon.

    The bounds of level L are the quantiles (1 ± L/100) / 2. All are finite, widen with the level, and are not
    negative for a series without negative values. Only the last `history_limit` values of a series are read.
    Raise `HorizonTooLong`, `InvalidLevel`, and `UnusableHistory` for a series without a value there.
    """
    steps = checked_horizon(forecaster.config, horizon)
    wanted = checked_levels(levels)
    recent = tamed(panel.tail(forecaster.config.history_limit))
    lowest = floors(recent)
    flat = FlatPanel.of(recent, forecaster.device)
    rows = torch.arange(recent.series, device=forecaster.device)
    parts = [
        _forecast_batch(forecaster, flat, _filled(some), wanted)[: len(some), :steps].cpu().numpy()
        for some in torch.split(rows, windows_per_cut(forecaster.config))
    ]
    outputs = np.concatenate(parts)
    smoothed = SmoothedMeans(outputs[..., 0], outputs[:, :1, 1])
    return replace(_to_forecast(outputs[..., 2:], wanted).at_least(lowest), smoothed=smoothed)


def _filled(rows: Tensor) -> Tensor:
    """Return at least `FEWEST_ROWS` rows: these, and then the last of them again."""
    missing = FEWEST_ROWS - len(rows)
    return rows if missing <= 0 else torch.cat([rows, rows[-1:].expand(missing, *rows.shape[1:])])


@torch.inference_mode()
def _forecast_batch(forecaster: Forecaster, flat: FlatPanel, rows: Tensor, levels: list[int]) -> Tensor:
    """Return (rows, horizon, 3 + 2 * levels) float64: mean, its share, median, then bounds of each level.

    The bounds are the lower and the upper one. `rows` (rows,) are the numbers of the series in one pass.
    """
    config = forecaster.config
    # The origin is the end of each series: there are no targets.
    windows = cut_windows(flat, rows, origins=flat.ends[rows], ends=flat.ends[rows], config=config)
    transform = Transform.of(windows.history, config.season_length)
    z = transform.forward(windows.history)
    if not config.trainable_members:
        z = without_shift(z)
    found = _ensemble_quantiles(forecaster, windows.phases, z, transform.positive)
    if not config.trainable_members:
        found = _with_both_readings(forecaster, windows.phases, z, transform.positive, found)
    quantiles, mean, share, _ = found
    chosen = torch.cat([mean[..., None], _at_levels(quantiles, config.quantiles, levels)], dim=2)
    outputs = transform.inverse(chosen.flatten(1)).reshape(chosen.shape)
    shares = share[..., None].expand(-1, config.horizon, 1)
    return torch.cat([outputs[..., :1], shares, _widening(outputs[..., 1:])], dim=2)


class _Found(NamedTuple):
    """What networks forecast, in units of the transform.

    `quantiles` (batch, horizon, quantiles); `mean` (batch, horizon) of values, used as far as `share` (batch,
    1) says; `season` (batch, span + horizon) of the history and the steps ahead.
    """

    quantiles: Tensor
    mean: Tensor
    share: Tensor
    season: Tensor


def _with_both_readings(
    forecaster: Forecaster, phases: Tensor, z: Tensor, logs: Tensor, found: _Found
) -> _Found:
    """Return forecasts of odd last values as a mixture: they are a new level, exceptions, or as was found.

    How far the median that was found is on the way from the one level to the other is what networks believe
    of it, and counts as much as `BELIEF` jumps that the series had before.
    """
    odd = odd_ends(z - found.season[:, : z.shape[1]])
    if odd is None:
        return found
    rows, config = odd.rows, forecaster.config
    both = torch.cat([odd.shifted, odd.without]) + found.season[rows, : z.shape[1]].repeat(2, 1)
    twice = _filled(torch.cat([rows, rows + len(z)])) % len(z)
    made = _ensemble_quantiles(forecaster, phases[twice], _filled(both), logs[twice]).quantiles[: len(both)]
    middle = made.shape[2] // 2
    (shifted, without), own = made.chunk(2), found.quantiles[rows]
    apart = (shifted - without)[..., middle]
    way = (own - without)[..., middle] / torch.where(apart == 0, 1.0, apart)
    believed = way.clamp(LEAST_BELIEF, 1 - LEAST_BELIEF).mean(dim=1, keepdim=True)
    unknown = BELIEF / (BELIEF + odd.stayed + odd.back)
    stays = unknown * (believed + odd.stayed / BELIEF)
    own_share = OWN_SHARE * unknown
    shares = (1 - own_share) * stays, (1 - own_share) * (1 - stays), own_share
    left, place = _interpolation_at(config.quantiles, POINTS)
    parts = torch.stack([shifted, without, own], dim=2)
    points = parts[..., left] + place.to(z.device) * (parts[..., left + 1] - parts[..., left])
    quantiles = found.quantiles.clone()
    quantiles[rows] = mixture(points, torch.cat(shares, dim=1), config.quantiles)
    return found._replace(quantiles=quantiles)


def _ensemble_quantiles(forecaster: Forecaster, phases: Tensor, z: Tensor, logs: Tensor) -> _Found:
    """Return the members' mean, in rising order.

    It is moved toward Theta's forecast as far as networks are pretrained: trained ones have learned how such
    series go on. It is moved toward the trend as far as the history speaks for one, and as far as networks
    are pretrained or it is a smooth curve. `logs` (batch, 1) are on logarithms.
    """
    config = forecaster.config
    views: dict[View, tuple[Scale, Tensor]] = {}
    seasons: dict[tuple[int, ...], Tensor] = {}
    total = torch.zeros((), dtype=z.dtype, device=z.device)
    for view, network in zip(config.views, forecaster.networks, strict=True):
        if view not in views:
            season = _season_of(seasons, z, phases, view, config)
            scale = Scale.of(z, season, view, config)
            views[view] = scale, features(z, scale, phases, view, config)
        scale, inputs = views[view]
        total = total + scale.inverse(network(inputs).to(z.dtype), 0)
    quantiles = (total / config.members).sort(dim=2).values
    season = _season_of(seasons, z, phases, "last", config)
    pretrained = 1 - len(config.trainable_members) / config.members
    quantiles, mean, share = _toward_simple_ways(quantiles, z, season, logs, pretrained)
    if pretrained:
        quantiles = _spread(quantiles, z, season, config, pretrained)
    return _Found(quantiles, mean, share, season)


def _season_of(
    seasons: dict[tuple[int, ...], Tensor], z: Tensor, phases: Tensor, view: View, config: TrainingConfig
) -> Tensor:
    """Return the seasonal component of a view; views that remove the same seasons share it."""
    lengths = config.season_lengths_of(view)
    if lengths not in seasons:
        seasons[lengths] = seasonal_component(z, phases, view, config)
    return seasons[lengths]


def _toward_simple_ways(
    quantiles: Tensor, z: Tensor, season: Tensor, logs: Tensor, pretrained: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return quantiles (batch, horizon, quantiles), moved toward Theta, then toward a trend that is believed.

    Beside them are Theta's means and their share. `pretrained` is the share of the networks that are.
    """
    span, horizon = z.shape[1], quantiles.shape[1]
    rest, after = z - season[:, :span], season[:, span:]
    mean, mean_share = torch.zeros_like(after), torch.zeros_like(z[:, :1])
    if pretrained:
        theta = theta_forecast(rest, horizon)
        quantiles = _toward(quantiles, theta.forecast + after, pretrained * THETA_SHARE * theta.is_known)
        mean, mean_share = theta.mean + after, pretrained * theta.share * logs
    trend = trend_forecast(rest, horizon, logs)
    share = torch.where(trend.is_curve, max(pretrained, CURVE_SHARE), pretrained)
    return _toward(quantiles, trend.forecast + after, share * trend.weight), mean, mean_share


def _spread(
    quantiles: Tensor, z: Tensor, season: Tensor, config: TrainingConfig, pretrained: float
) -> Tensor:
    """Return quantiles (batch, horizon, quantiles), spread as far as series like these missed the median."""
    before, median = season[:, : z.shape[1]], quantiles[..., [quantiles.shape[2] // 2]]
    factors = spread_factors(z - before, before, config.season_length, quantiles.shape[1])
    return median + factors[..., None] ** pretrained * (quantiles - median)


def _toward(quantiles: Tensor, forecast: Tensor, weight: Tensor) -> Tensor:
    """Return quantiles (batch, horizon, quantiles), moved by `weight` (batch, 1) of the way to a forecast."""
    median = quantiles[..., quantiles.shape[2] // 2]
    return quantiles + (weight * (forecast - median))[..., None]


def _at_levels(quantiles: Tensor, trained: tuple[float, ...], levels: list[int]) -> Tensor:
    """Interpolate (batch, horizon, trained) quantiles to (batch, horizon, 1 + 2 * levels)."""
    left, weight = _interpolation(trained, tuple(levels))
    below, above = quantiles[..., left], quantiles[..., left + 1]
    return below + weight.to(quantiles.device) * (above - below)


@lru_cache(maxsize=64)
def _interpolation(trained: tuple[float, ...], levels: tuple[int, ...]) -> tuple[Integers, Tensor]:
    """Return the trained quantile left of each output, and its share of the way to the next."""
    tails = [level / 200 for level in levels]
    return _interpolation_at(trained, (0.5, *(side for tail in tails for side in (0.5 - tail, 0.5 + tail))))


@lru_cache(maxsize=64)
def _interpolation_at(trained: tuple[float, ...], wanted: tuple[float, ...]) -> tuple[Integers, Tensor]:
    """Return the same for probabilities."""
    left, share = probit_places(trained, wanted, "right")
    # The cached tensor may be used outside the inference mode that it is made in.
    with torch.inference_mode(mode=False):
        return left, torch.tensor(share)


def _widening(outputs: Tensor) -> Tensor:
    """Return the outputs without the crossings of bounds that rounding causes."""
    median = outputs[..., :1]
    lo = torch.cat([median, outputs[..., 1::2]], dim=2).cummin(dim=2).values
    hi = torch.cat([median, outputs[..., 2::2]], dim=2).cummax(dim=2).values
    return torch.stack([lo, hi], dim=3).flatten(2)[..., 1:]


def _to_forecast(outputs: Floats, levels: list[int]) -> Forecast:
    return Forecast(
        median=outputs[..., 0],
        lo={level: outputs[..., 1 + 2 * i] for i, level in enumerate(levels)},
        hi={level: outputs[..., 2 + 2 * i] for i, level in enumerate(levels)},
    )
