"""From a trained ensemble and the latest values to medians and interval bounds."""

from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor

from models.config import HISTORY_LIMIT, View
from models.inputs.scaling import Scale, Transform, features, view_pattern
from models.inputs.windows import FlatPanel, Windows, cut_windows
from models.methods.forecast import Forecast, checked_horizon, checked_levels, floors
from models.network.forecaster import Forecaster
from models.panel import Floats, Integers, Panel

_BATCH = 4096


def ensemble_forecast(
    forecaster: Forecaster, panel: Panel, *, horizon: int | None = None, levels: Sequence[int] = (80, 95)
) -> Forecast:
    """Forecast the next `horizon` steps of every series, up to and by default the trained horizon.

    Level L bounds the interval meant to hold L % of what comes: its ends are the quantiles (1 ± L/100) / 2.
    Answers are finite, bounds widen with the level around the median, and nothing is below zero where the
    series never was. Only the last `HISTORY_LIMIT` values of a series count. Raises `HorizonTooLong`,
    `InvalidLevel`, and `UnusableHistory` for a series with no value there.
    """
    steps = checked_horizon(forecaster.config, horizon)
    wanted = checked_levels(levels)
    recent = panel.tail(HISTORY_LIMIT)
    lowest = floors(recent)
    flat = FlatPanel.of(recent, forecaster.device)
    parts = [
        _answer(forecaster, flat, first, wanted)[:, :steps].cpu().numpy()
        for first in range(0, recent.series, _BATCH)
    ]
    return _arranged(np.concatenate(parts), wanted).at_least(lowest)


@torch.inference_mode()
def _answer(forecaster: Forecaster, flat: FlatPanel, first: int, levels: list[int]) -> Tensor:
    """(rows, horizon, 1 + 2 * levels) float64: the median, then lower and upper bound of each level.

    The rows are one batch of series, from number `first` on.
    """
    config = forecaster.config
    rows = torch.arange(first, min(first + _BATCH, len(flat.ends)), device=flat.ends.device)
    # The history is known to its end, and the targets lie beyond it.
    windows = cut_windows(flat, rows, origins=flat.ends[rows], ends=flat.ends[rows], config=config)
    transform = Transform.of(windows.history)
    quantiles = _ensemble_quantiles(forecaster, windows, transform.forward(windows.history))
    chosen = _at_levels(quantiles, config.quantiles, levels)
    return _widening(transform.inverse(chosen.flatten(1)).reshape(chosen.shape))


def _ensemble_quantiles(forecaster: Forecaster, windows: Windows, z: Tensor) -> Tensor:
    """(batch, horizon, quantiles) in units of the transform: the mean over the members, in rising order."""
    config = forecaster.config
    views: dict[View, tuple[Scale, Tensor]] = {}
    patterns: dict[tuple[int, ...], Tensor] = {}
    total = torch.zeros((), dtype=z.dtype, device=z.device)
    for view, network in zip(config.views, forecaster.networks, strict=True):
        if view not in views:
            lengths = config.season_lengths_of(view)
            if lengths not in patterns:
                patterns[lengths] = view_pattern(z, view, config)
            scale = Scale.of(z, view, config, patterns[lengths])
            views[view] = scale, features(z, scale, windows.phases, view, config)
        scale, inputs = views[view]
        total = total + scale.inverse(network(inputs).to(z.dtype), 0)
    return (total / config.members).sort(dim=2).values


def _at_levels(quantiles: Tensor, trained: tuple[float, ...], levels: list[int]) -> Tensor:
    """Interpolate in the normal-probit domain, where quantiles of a normal distribution lie on a line.

    (batch, horizon, trained) to (batch, horizon, 1 + 2 * levels). Beyond the outermost trained
    quantile the last segment goes on.
    """
    left, weight = _neighbours(trained, tuple(levels))
    below, above = quantiles[..., left], quantiles[..., left + 1]
    return below + weight.to(quantiles.device) * (above - below)


@lru_cache(maxsize=64)
def _neighbours(trained: tuple[float, ...], levels: tuple[int, ...]) -> tuple[Integers, Tensor]:
    """Both (1 + 2 * levels,): the trained quantile left of each answer, and how far it is past that."""
    tails = [level / 200 for level in levels]
    wanted = [0.5, *(side for tail in tails for side in (0.5 - tail, 0.5 + tail))]
    knots = np.array([NormalDist().inv_cdf(q) for q in trained])
    points = np.array([NormalDist().inv_cdf(q) for q in wanted])
    left = np.clip(np.searchsorted(knots, points, side="right") - 1, 0, len(knots) - 2)
    return left, torch.tensor((points - knots[left]) / (knots[left + 1] - knots[left]))


def _widening(answers: Tensor) -> Tensor:
    """Keep rounding from letting bounds cross the median or those of a smaller level."""
    median = answers[..., :1]
    lo = torch.cat([median, answers[..., 1::2]], dim=2).cummin(dim=2).values
    hi = torch.cat([median, answers[..., 2::2]], dim=2).cummax(dim=2).values
    return torch.stack([lo, hi], dim=3).flatten(2)[..., 1:]


def _arranged(answers: Floats, levels: list[int]) -> Forecast:
    return Forecast(
        median=answers[..., 0],
        lo={level: answers[..., 1 + 2 * i] for i, level in enumerate(levels)},
        hi={level: answers[..., 2 + 2 * i] for i, level in enumerate(levels)},
    )
