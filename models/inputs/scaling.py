"""Scale raw values to numbers that a network can learn from, and back, in float64.

Two steps, each estimated from the history before the origin alone. A `Transform` turns relative change into
difference: the logarithm where every value is positive, else division by the mean magnitude. A
`Scale` then removes seasonal pattern and level and divides by the mean absolute one-step change.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from models.choices import Calendar
from models.config import TrainingConfig, View
from models.inputs.calendar import places
from models.inputs.seasonality import by_places, by_steps, deviations, known, medians, pattern_of
from models.inputs.windows import Windows

LEAST_CHANGE = 0.1
"""Share of the whole history's mean one-step change that the recent one is at least."""

FEATURE_CHANGE = 0.005
"""Changes below it look alike to the networks, which have not seen smaller ones."""

ROUNDING = 1e-13
"""Share of the largest value below which a change is what rounding leaves of a constant series."""

LEAST_SHARE = 0.1
"""Share of the median of positive values below which logarithms no longer fall."""

RECENT = 5
"""Last values, or a season of them, whose median counts where it is lower: a series may have fallen."""

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
    """`positive` (batch, 1) bool: histories to take logs of; `unit` (batch, 1): the divisor of the others.

    `floor` (batch, 1) is what values are raised to before logs are taken of them.
    """

    positive: Tensor
    unit: Tensor
    floor: Tensor

    @classmethod
    def of(cls, history: Tensor, season_length: int = 1) -> "Transform":
        """Estimate the transform of histories (batch, span), NaN for gaps."""
        valid = known(history)
        magnitude = history.abs().nan_to_num(nan=0.0)
        # Divided by the largest first: the sum of values near the end of float64 would overflow.
        largest = magnitude.amax(dim=1, keepdim=True).clamp(min=_TINY)
        mean = (magnitude / largest).sum(dim=1, keepdim=True) / valid.sum(dim=1, keepdim=True).clamp(min=1)
        unit = torch.where(mean > 0, (largest * mean).clamp(min=_TINY), 1.0)
        recent = medians(history[:, -max(RECENT, season_length) :], 1)
        middle = medians(history, 1)
        # Where a series has fallen below the floor for good, the floor is that of its last values.
        fallen = recent < LEAST_SHARE * middle
        floor = LEAST_SHARE * torch.where(fallen, recent, middle).nan_to_num(nan=0.0)
        positive = (~valid | (history > 0)).all(dim=1, keepdim=True)
        return cls(positive, unit, floor.clamp(min=_TINY))

    def forward(self, values: Tensor) -> Tensor:
        return torch.where(self.positive, values.maximum(self.floor).log(), values / self.unit)

    def inverse(self, z: Tensor) -> Tensor:
        """Return values, finite for every finite z: they are clipped to the range of float64."""
        return torch.where(self.positive, z.exp(), z * self.unit).clamp(-_MAX, _MAX)


@dataclass(frozen=True, eq=False)
class Scale:
    """`season` (batch, span + horizon), `level` and `change` (batch, 1), all in units of the transform.

    `span` is the number of steps of the history.

    Positions are counted from the origin, so history ends at -1 and the first step ahead is 0.
    """

    season: Tensor
    level: Tensor
    change: Tensor
    span: int

    @classmethod
    def of(cls, z: Tensor, season: Tensor, view: View, config: TrainingConfig) -> "Scale":
        """Estimate the scale of transformed histories z (batch, span); an empty history has level NaN.

        `season` (batch, span + horizon) is what `seasonal_component` returned for the view.
        """
        adjusted = z - season[:, : z.shape[1]]
        recent = adjusted[:, -config.context_of(view) :]
        level = _last_valid(recent)
        if view in {"season", "long"}:
            mean = adjusted[:, -config.season_length :].nanmean(dim=1, keepdim=True)
            level = torch.where(mean.isfinite(), mean, level)
        change = _mean_change(adjusted, recent, z)
        return cls(season, level, change, z.shape[1])

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
        at = self.span + first
        return self.level + self.season[:, at : at + steps]


def features(z: Tensor, scale: Scale, phases: Tensor, view: View, config: TrainingConfig) -> Tensor:
    """Return (batch, context, inputs) float32: value, change, validity, log scale, and phase."""
    context = config.context_of(view)
    value = scale.forward(z[:, -context:], -context)
    change = torch.nn.functional.pad(value.diff(dim=1), (1, 0))
    size = scale.change.clamp(min=FEATURE_CHANGE).log().expand_as(value)
    columns = [value.nan_to_num(nan=0.0), change.nan_to_num(nan=0.0), known(value), size]
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


def _mean_change(adjusted: Tensor, recent: Tensor, z: Tensor) -> Tensor:
    """Return (batch, 1), the mean absolute one-step change of recent values, or of all where it is 0."""
    whole = adjusted.diff(dim=1).abs().nanmean(dim=1, keepdim=True)
    change = recent.diff(dim=1).abs().nanmean(dim=1, keepdim=True)
    change = torch.where(change.isfinite(), change, whole).maximum(LEAST_CHANGE * whole)
    rounding = ROUNDING * z.abs().nan_to_num(nan=0.0).amax(dim=1, keepdim=True)
    change = torch.where(change > rounding, change, FEATURE_CHANGE)
    return torch.where(whole.isfinite(), change, DEFAULT_CHANGE)


def seasonal_component(z: Tensor, phases: Tensor, view: View, config: TrainingConfig) -> Tensor:
    """Return (batch, span + horizon), the seasons that a view removes, over history and steps ahead.

    `z` is (batch, span), `phases` (batch,) are the positions of the origins. Of several seasons the
    shorter is estimated first, the longer from the rest: a day repeats more often than a week.
    """
    span, total = z.shape[1], z.new_zeros(len(z), z.shape[1] + config.horizon)
    for number, length in enumerate(config.season_lengths_of(view)):
        apart = deviations(z - total[:, :span], length)
        cycles, nested = config.seasons_within(length), number > 0
        if length in config.seasons.regular:
            at = _positions(-span, config.horizon, length, z.device).expand(len(z), -1)
            pattern = pattern_of(by_steps(apart, length, cycles), nested=nested)
        else:
            table, count = _calendar_table(config.calendar, length, z.device)
            steps = torch.arange(-span, config.horizon, device=z.device)
            at = table[(phases[:, None] + steps) % len(table)]
            pattern = pattern_of(by_places(apart, at[:, :span], count, length, cycles), nested=nested)
        total = total + pattern.gather(1, at)
    return total


@lru_cache(maxsize=8)
def _calendar_table(calendar: Calendar, length: int, device: torch.device) -> tuple[Tensor, int]:
    """Return the places of a calendar's year on a device, and how many there are."""
    table = places(calendar, length)
    # The cached tensor may be used outside the inference mode that it is made in.
    with torch.inference_mode(mode=False):
        return torch.tensor(table, device=device), int(table.max()) + 1


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
