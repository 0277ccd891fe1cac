"""Scale raw values to numbers that a network can learn from, and back, in float64.

Two steps, each estimated from the history before the origin alone. A `Transform` turns relative change into
difference: the logarithm where every value is positive, else division by the mean magnitude. A
`Scale` then removes seasonal pattern and level and divides by the mean absolute one-step change.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from models.config import TrainingConfig, View
from models.inputs.seasonality import seasonal_pattern
from models.inputs.windows import Windows

CHANGE_FLOOR = 0.005
"""Added to the mean one-step change (half a percent), which is zero for a constant series."""

DEFAULT_CHANGE = 0.05
"""The mean one-step change (five percent) of a history without two values in a row."""

TARGET_LIMIT = 1000.0
"""Targets are clipped to this many units of scale: one absurd value must not dominate the loss."""

VIEWS_WITH_PHASE = frozenset({"phase", "pretrained"})
"""Views whose network reads the position in the season."""

_TINY = torch.finfo(torch.float64).tiny
_MAX = torch.finfo(torch.float64).max


@dataclass(frozen=True, eq=False)
class Transform:
    """`positive` (batch, 1) bool: histories to take logs of; `unit` (batch, 1): the divisor of the others."""

    positive: Tensor
    unit: Tensor

    @classmethod
    def of(cls, history: Tensor) -> "Transform":
        """Estimate the transform of histories (batch, span), NaN for gaps."""
        valid = history.isfinite()
        magnitude = history.abs().nan_to_num(nan=0.0)
        # Divided by the largest first: the sum of values near the end of float64 would overflow.
        largest = magnitude.amax(dim=1, keepdim=True).clamp(min=_TINY)
        mean = (magnitude / largest).sum(dim=1, keepdim=True) / valid.sum(dim=1, keepdim=True).clamp(min=1)
        unit = torch.where(mean > 0, (largest * mean).clamp(min=_TINY), 1.0)
        return cls(positive=(~valid | (history > 0)).all(dim=1, keepdim=True), unit=unit)

    def forward(self, values: Tensor) -> Tensor:
        return torch.where(self.positive, values.clamp(min=_TINY).log(), values / self.unit)

    def inverse(self, z: Tensor) -> Tensor:
        """Return values, finite for every finite z: they are clipped to the range of float64."""
        return torch.where(self.positive, z.exp(), z * self.unit).clamp(-_MAX, _MAX)


@dataclass(frozen=True, eq=False)
class Scale:
    """`pattern` (batch, places), `level` and `change` (batch, 1), all in units of the transform.

    Positions are counted from the origin, so history ends at -1 and the first step ahead is 0.
    """

    pattern: Tensor
    level: Tensor
    change: Tensor

    @classmethod
    def of(cls, z: Tensor, view: View, config: TrainingConfig, pattern: Tensor | None = None) -> "Scale":
        """Estimate the scale of transformed histories z (batch, span); an empty history has level NaN.

        `pattern` is the result of `view_pattern`, where the caller has it already.
        """
        pattern = view_pattern(z, view, config) if pattern is None else pattern
        adjusted = z - _repeat_pattern(pattern, -z.shape[1], 0)
        recent = adjusted[:, -config.context_of(view) :]
        level = _last_valid(recent)
        if view in {"season", "long"}:
            season = adjusted[:, -config.season_length :].nanmean(dim=1, keepdim=True)
            level = torch.where(season.isfinite(), season, level)
        steps = recent.diff(dim=1).abs().nanmean(dim=1, keepdim=True) + CHANGE_FLOOR
        return cls(pattern, level, steps.nan_to_num(nan=DEFAULT_CHANGE))

    def forward(self, z: Tensor, first: int) -> Tensor:
        """Return scaled z (batch, steps), whose first column is at position `first`; NaN stays NaN."""
        return (z - self._base(first, z.shape[1])) / self.change

    def inverse(self, scaled: Tensor, first: int) -> Tensor:
        """Invert `forward`, also for (batch, steps, quantiles)."""
        change, base = self.change, self._base(first, scaled.shape[1])
        if scaled.dim() > base.dim():
            change, base = change[..., None], base[..., None]
        return scaled * change + base

    def _base(self, first: int, steps: int) -> Tensor:
        return self.level + _repeat_pattern(self.pattern, first, first + steps)


def features(z: Tensor, scale: Scale, phases: Tensor, view: View, config: TrainingConfig) -> Tensor:
    """Return (batch, context, inputs) float32: value, change, validity, log scale, and phase."""
    context = config.context_of(view)
    value = scale.forward(z[:, -context:], -context)
    change = torch.nn.functional.pad(value.diff(dim=1), (1, 0))
    size = scale.change.log().expand_as(value)
    columns = [value.nan_to_num(nan=0.0), change.nan_to_num(nan=0.0), value.isfinite(), size]
    if view in VIEWS_WITH_PHASE:
        columns += _phase_columns(phases, context, config.season_length)
    return torch.stack(columns, dim=2).to(torch.float32)


def feature_count(view: View) -> int:
    """Return the number of inputs that `features` has for a view."""
    return 6 if view in VIEWS_WITH_PHASE else 4


def scaled_targets(windows: Windows, transform: Transform, scale: Scale) -> Tensor:
    """Return (batch, horizon) float32, NaN where there is no target or no scale."""
    scaled = scale.forward(transform.forward(windows.targets), 0)
    return scaled.clamp(-TARGET_LIMIT, TARGET_LIMIT).to(torch.float32)


def view_pattern(z: Tensor, view: View, config: TrainingConfig) -> Tensor:
    """Return (batch, places), the seasonal pattern that a view removes; (batch, 1) of zeros for none.

    Of two seasons the shorter is estimated first, and the longer from the rest: a day repeats more often than
    a week.
    """
    pattern = z.new_zeros(len(z), 1)
    for length in config.season_lengths_of(view):
        rest = z - _repeat_pattern(pattern, -z.shape[1], 0)
        found = seasonal_pattern(rest, length, config.seasons_within(length))
        pattern = found + pattern.repeat(1, length // pattern.shape[1])
    return pattern


def _repeat_pattern(pattern: Tensor, first: int, stop: int) -> Tensor:
    """Return (batch, stop - first), the pattern repeated over the positions from `first` to before `stop`.

    A pattern of one place stays (batch, 1), which broadcasts.
    """
    if pattern.shape[1] == 1:
        return pattern
    return pattern[:, _positions(first, stop, pattern.shape[1], pattern.device)]


@lru_cache(maxsize=256)
def _positions(first: int, stop: int, count: int, device: torch.device) -> Tensor:
    # The cached tensor may be used outside the inference mode that it is made in.
    with torch.inference_mode(mode=False):
        return torch.arange(first, stop, device=device) % count


def _last_valid(values: Tensor) -> Tensor:
    """Return (batch, 1), the last value of each row that is not NaN; NaN for none."""
    order = torch.arange(values.shape[1], device=values.device)
    last = torch.where(values.isnan(), -1, order).amax(dim=1, keepdim=True).clamp(min=0)
    return values.gather(1, last)


def _phase_columns(phases: Tensor, context: int, season_length: int) -> list[Tensor]:
    """Return sine and cosine of the position in the season, each (batch, context)."""
    at = phases[:, None] + torch.arange(-context, 0, device=phases.device)
    angle = (at % season_length).to(torch.float64) * (2 * torch.pi / season_length)
    return [angle.sin(), angle.cos()]
