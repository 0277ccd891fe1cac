"""The trend of many short histories at once, as far as the history itself speaks for it.

Two kinds are told apart. A *line* holds since the last break, with noise around it: least squares since then
(Bai & Perron, 1998, with one break). A *drift* changes slowly from step to step, as a population does: its
last changes. Each counts as far as its noise allows.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from models.inputs.seasonality import medians

SHORTEST = 8
"""Steps that a line needs."""

EVIDENCE = 70.0
"""The squared t ratio from which on a line is believed; of lines through random walks most are below 16."""

BREAK = 8.0
"""Logarithms of the count that a break costs: real series wander, and a break can be found in any."""

LIKENESS = 0.0
"""Correlation of neighbouring residuals from which on a line does not hold: the series wanders around it."""

LIKENESS_OF_STEEP = 0.3
"""The same for a line that rises by more than its noise in a step."""

STEEP = 1.0
"""The squared change in a step over the variance around the line."""

RECENT = 10
"""Last changes that tell whether they are alike."""

LARGEST = 30.0
"""Logarithms, from the median, that are read as values; larger ones would overflow."""

SMALLEST = 1e-9
"""Share of the median that a line does not fall below, so that it has a logarithm."""

ALIKE = (0.25, 0.5)
"""Change of the changes over the changes: believed wholly up to the first, not at all from the second on."""

SMOOTH = 0.4
"""Change from one change to the next over the changes, below which a history is a smooth curve."""

ALIKE_IF_SMOOTH = (0.8, 1.2)
"""The same as `ALIKE` for smooth curves: what bends steadily is missed by much, and by a drift the least."""

STEADY_GROWTH = 0.03
"""Change of the logarithm in a step that may go on."""

LEAST_DAMPING = 0.88
"""Of what is above, from step to step; about as in a damped trend (Gardner & McKenzie, 1985)."""


class Trend(NamedTuple):
    """The trend's forecast (batch, horizon), its weight from 0 to 1, and whether a smooth curve goes on so.

    Weight and `is_curve` are (batch, 1).
    """

    forecast: Tensor
    weight: Tensor
    is_curve: Tensor


def trend_forecast(z: Tensor, horizon: int, logs: Tensor) -> Trend:
    """Return the trend of histories.

    `z` (batch, span) is without season, NaN for gaps; `logs` (batch, 1) says which are logarithms. Of those a
    line may be one of the logarithms or of the values: the one with less noise around it.
    """
    middle = medians(z, 1)
    values = torch.where(logs, (z - middle).clamp(-LARGEST, LARGEST).exp(), z)
    # Both in one pass: for a single series each operation costs more than its numbers.
    trend, noise = _forecast(torch.cat([z, values]), horizon, torch.cat([logs, torch.zeros_like(logs)]))
    own, straight = (Trend(*part) for part in zip(*(each.chunk(2) for each in trend), strict=True))
    noise, straight_noise = noise.chunk(2)
    straight = straight._replace(forecast=middle + straight.forecast.clamp(min=SMALLEST).log())
    better = logs & (straight_noise < noise)
    return Trend(*(torch.where(better, *pair) for pair in zip(straight, own, strict=True)))


def _forecast(z: Tensor, horizon: int, logs: Tensor) -> tuple[Trend, Tensor]:
    """Return the trend, and the noise around it (batch, 1) as a share of the last values of a line."""
    end, slope, line_trust, noise = _line(z, horizon)
    last, drift, drift_trust, roughness, is_curve = _drift(z, horizon)
    smooth = (roughness < noise) & (drift_trust > 0)
    start, change = torch.where(smooth, last, end), torch.where(smooth, drift, slope)
    damped = torch.where(logs, damping(change), 1.0)
    steps = torch.arange(1, horizon + 1, dtype=z.dtype, device=z.device)
    ahead = torch.where(damped < 1, (1 - damped**steps) / (1 - damped).clamp(min=1e-9) * damped, steps)
    size = torch.where(logs, 1.0, z[:, -RECENT:].abs().nanmean(dim=1, keepdim=True).clamp(min=SMALLEST))
    weight = torch.where(smooth, drift_trust, line_trust)
    return Trend(start + change * ahead, weight, smooth & is_curve), noise / size


def damping(slope: Tensor) -> Tensor:
    """Return (batch, 1), the factor by which a change of the logarithm fades from step to step."""
    excess = (slope.abs() - STEADY_GROWTH).clamp(min=0)
    return (1 - 2 * excess).clamp(min=LEAST_DAMPING)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Running sums (batch, span + 1) over the valid values of count, t, t squared, y, ty and y squared."""

    parts: tuple[Tensor, ...]

    @classmethod
    def of(cls, z: Tensor) -> "_Sums":
        valid = z.isfinite().to(z.dtype)
        t = torch.arange(z.shape[1], dtype=z.dtype, device=z.device) - z.shape[1]
        y = z.nan_to_num(nan=0.0)
        parts = (valid, valid * t, valid * t * t, y, t * y, y * y)
        return cls(tuple(torch.nn.functional.pad(part.cumsum(dim=1), (1, 0)) for part in parts))

    def after(self) -> "_Sums":
        """Return the sums from each place on."""
        return _Sums(tuple(part[:, -1:] - part for part in self.parts))

    @property
    def count(self) -> Tensor:
        return self.parts[0]

    def line(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return slope, spread of time and squared error of the least squares line at each place."""
        count, t, tt, y, ty, yy = self.parts
        n = count.clamp(min=1)
        spread = (tt - t * t / n).clamp(min=1e-9)
        slope = (ty - t * y / n) / spread
        error = (yy - y * y / n - slope * slope * spread).clamp(min=0)
        return slope, spread, error


def _line(z: Tensor, horizon: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the end of the line since the last break, its slope, trust and mean absolute residual.

    Each is (batch, 1). A line that is shorter than the horizon is not trusted.
    """
    mean = z.nanmean(dim=1, keepdim=True)
    centred = z - mean
    sums = _Sums.of(centred)
    after = sums.after()
    slope, spread, error = after.line()
    at = _last_break(sums, after.count, error)
    slope, spread = slope.gather(1, at), spread.gather(1, at)
    count = after.count.gather(1, at)
    time = torch.arange(z.shape[1], device=z.device)
    t = time.to(z.dtype) - z.shape[1]
    inside = (time >= at) & z.isfinite()
    middle_t = (t * inside).sum(dim=1, keepdim=True) / count.clamp(min=1)
    middle = (centred.nan_to_num(nan=0.0) * inside).sum(dim=1, keepdim=True) / count.clamp(min=1)
    rest = (centred.nan_to_num(nan=0.0) - middle - slope * (t - middle_t)) * inside
    noise = rest.abs().sum(dim=1, keepdim=True) / count.clamp(min=1)
    trust = torch.where(count >= horizon, _trust(slope, spread, rest, count), 0.0)
    known = trust > 0
    end = torch.where(known, mean + middle + slope * (-1 - middle_t), 0.0)
    return end, torch.where(known, slope, 0.0), trust, noise


def _last_break(sums: _Sums, after: Tensor, error: Tensor) -> Tensor:
    """Return (batch, 1), the place from which the last line holds; 0 where the whole is one.

    `after` and `error` (batch, span + 1) are count and squared error of the line from each place on. The
    Bayesian information criterion decides between one line and two that a break parts.
    """
    first = sums.line()[2]
    total = after[:, :1].clamp(min=1)
    floor = 1e-12 * (sums.parts[5][:, -1:] / total) + 1e-300
    score = total * ((error + first) / total + floor).log() + BREAK * total.log()
    score = torch.where((after >= SHORTEST) & (sums.count >= SHORTEST), score, torch.inf)
    whole = total * (error[:, :1] / total + floor).log() + 2 * total.log()
    best, at = score.min(dim=1, keepdim=True)
    return torch.where(best < whole, at, 0)


def _trust(slope: Tensor, spread: Tensor, rest: Tensor, count: Tensor) -> Tensor:
    """Return (batch, 1) from 0 to 1; residuals that last make the slope less certain."""
    square = rest.square().sum(dim=1, keepdim=True)
    alike = (rest[:, 1:] * rest[:, :-1]).sum(dim=1, keepdim=True) / square.clamp(min=1e-300)
    # A fitted line makes residuals look less alike than errors are (Kendall, 1954).
    lasting = (alike + (1 + 4 * alike) / count.clamp(min=1)).clamp(0, 0.98)
    variance = square / (count - 2).clamp(min=1) / spread * (1 + lasting) / (1 - lasting)
    doubt = (EVIDENCE * variance / slope.square().clamp(min=1e-300)).clamp(max=1)
    trust = 1 - doubt.square()
    steep = slope.square() > STEEP * square / (count - 2).clamp(min=1)
    most = torch.where(steep, LIKENESS_OF_STEEP, LIKENESS)
    return torch.where((count >= SHORTEST) & (alike < most), trust, 0.0)


def _drift(z: Tensor, horizon: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return last value, last change, its trust, how much the changes change, and whether it is a curve.

    Each is (batch, 1). The trust is how much better the last change would have done `horizon` steps ahead
    than the last value.
    """
    blank = torch.zeros_like(z[:, :1])
    if z.shape[1] < RECENT + horizon + 1:
        return blank, blank, blank, blank, blank > 0
    recent = z[:, -RECENT - horizon - 1 :]
    changes = recent.diff(dim=1)
    gone = recent[:, 1 + horizon :] - recent[:, 1:-horizon]
    missed = (gone - horizon * changes[:, :-horizon]).abs().mean(dim=1, keepdim=True)
    share = missed / gone.abs().mean(dim=1, keepdim=True).clamp(min=1e-300)
    roughness = changes.diff(dim=1).abs().mean(dim=1, keepdim=True)
    is_curve = roughness < SMOOTH * changes.abs().mean(dim=1, keepdim=True)
    trust = torch.where(is_curve, _belief(share, ALIKE_IF_SMOOTH), _belief(share, ALIKE))
    known = trust > 0
    last, change = torch.where(known, recent[:, -1:], 0.0), torch.where(known, changes[:, -1:], 0.0)
    return last, change, trust, roughness.nan_to_num(nan=0.0), is_curve


def _belief(share: Tensor, limits: tuple[float, float]) -> Tensor:
    """Return from 0 to 1 how far a share is from the second limit to the first; 0 where it is NaN."""
    full, none = limits
    return ((none - share) / (none - full)).clamp(0, 1).nan_to_num(nan=0.0)
