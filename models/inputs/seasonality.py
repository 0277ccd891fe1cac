"""The seasonal pattern of many short histories at once, each frequency of it weighed by its own evidence.

A value's deviation from the average over the season around it, averaged by its place in the season, is the
pattern (Makridakis, Wheelwright & Hyndman, *Forecasting*, 1998, section 3/4). On logarithms it is the
multiplicative pattern, on plain values the additive one. Noise that lasts long looks like a season of low
frequency. So each frequency of the pattern is compared with how much that frequency differs from cycle to
cycle, and shrunk by it: a Wiener filter, whose gain is the positive-part shrinkage of James & Stein (1961).
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.choices import KNOWN_CYCLES

HALF_LIFE = 3.0
"""Cycles after which a cycle counts half."""

SHORT_HALF_LIFE = 1.0
"""The same for a pattern that changes, such as a day whose hours move."""

CHANGES = 0.9
"""Share of the squared errors that the short one has to leave, of each cycle foretold by those before it."""

EVIDENCE = 2.0
"""The F ratio of a frequency, of many cycles, from which on it is kept; 2 as in Mallows' Cp (1973)."""

NESTED_EVIDENCE = 16.0
"""The same for a longer season beside a shorter one: hours without a week are common."""

OUTLIER = 6.0
"""Median distances from the median of its place beyond which a deviation is cut: four standard deviations."""

LEAST_COVERAGE = 0.5
"""Share of the values of a cycle or of a moving average that must be there."""

FEW = 2
"""Cycles: too few to tell by their noise alone that they have nothing in common."""

ALIKE = 0.7
"""Correlation from which on two cycles, where there are no more, show a pattern; noise that lasts long has
the low frequencies of one in each of them, but seldom the same ones."""

PEAK = 1.5
"""Of the evidence that a frequency needs: squared standard errors by which a single place stands out."""

FEWEST_FOR_OUTLIERS = 3
"""Cycles: of two neither is the odd one."""


def medians(values: Tensor, dim: int) -> Tensor:
    """Return the medians along a dimension, which stays with one place; the lower of two, NaN for none.

    They are those of `torch.nanmedian`, which takes five to nine times as long on a CPU.
    """
    if values.device.type != "cpu":
        return values.nanmedian(dim=dim, keepdim=True).values
    rising = torch.from_numpy(np.sort(values.numpy(), axis=dim))  # NaN are the last
    if not rising.select(dim, -1).isnan().any():
        return rising.narrow(dim, (rising.shape[dim] - 1) // 2, 1).clone()  # not a view: it holds them all
    middle = (known(values).sum(dim=dim, keepdim=True) - 1).clamp_(min=0) // 2
    return rising.gather(dim, middle)


def known(values: Tensor) -> Tensor:
    """Return which values are no gaps: `isfinite` of what is never infinite, in a third of its time."""
    return values.isnan().logical_not_()


def deviations(z: Tensor, season_length: int) -> Tensor:
    """Return (batch, span), values z minus the average over the season around each; NaN for gaps.

    Half a season at each end is filled up from the next cycle, moved by the median change over a season.
    """
    half = season_length // 2
    if z.shape[1] <= season_length:
        return torch.full_like(z, torch.nan)
    change = medians(z[:, season_length:] - z[:, :-season_length], 1).nan_to_num(nan=0.0)
    filled = _from_neighbours(z, season_length, change) if z.isnan().any() else z
    before = filled[:, season_length - half : season_length] - change
    after = filled[:, -season_length : half - season_length] + change
    average = _moving_average(torch.cat([before, filled, after], dim=1), season_length)
    if season_length % 2 == 0:
        average = (average[:, 1:] + average[:, :-1]) / 2
    return z - average


def _from_neighbours(z: Tensor, season_length: int, change: Tensor) -> Tensor:
    """Return z (batch, span), gaps filled from the cycle after or before, moved by the change (batch, 1)."""
    later = functional.pad(z[:, season_length:], (0, season_length), value=torch.nan) - change
    earlier = functional.pad(z[:, :-season_length], (season_length, 0), value=torch.nan) + change
    return torch.where(known(z), z, torch.where(known(later), later, earlier))


def by_steps(deviations: Tensor, season_length: int, cycles: int) -> Tensor:
    """Return (batch, cycles, season_length), the latest last: place j is j steps after the origin."""
    missing = -deviations.shape[1] % season_length
    whole = functional.pad(deviations, (missing, 0), value=torch.nan)[:, -cycles * season_length :]
    return whole.reshape(len(deviations), -1, season_length)


def by_places(deviations: Tensor, places: Tensor, count: int, season_length: int, cycles: int) -> Tensor:
    """Return (batch, cycles, count) by calendar places (batch, span); values that share a place are averaged.

    A cycle is `season_length` steps here: a place may be missing in one and double in the next.
    """
    span = deviations.shape[1]
    kept = min(span, cycles * season_length)
    age = torch.arange(kept - 1, -1, -1, device=places.device) // season_length
    held = int(age.max()) + 1
    at = (held - 1 - age) * count + places[:, -kept:]
    recent = deviations[:, -kept:]
    sums = recent.new_zeros(len(recent), held * count)
    counts = sums.scatter_add(1, at, recent.isfinite().to(recent.dtype))
    sums = sums.scatter_add(1, at, recent.nan_to_num(nan=0.0))
    return torch.where(counts > 0, sums / counts, torch.nan).reshape(len(recent), held, count)


def pattern_of(by_cycle: Tensor, *, nested: bool) -> Tensor:
    """Return the pattern (batch, places) for deviations (batch, cycles, places), NaN for gaps.

    It is zero without a cycle and a half. `nested` says that a shorter season was removed before.
    """
    by_cycle = _without_outliers(by_cycle)
    cycles, places = by_cycle.shape[1:]
    present, values = known(by_cycle), by_cycle.nan_to_num(nan=0.0)
    age = torch.arange(cycles - 1, -1, -1, dtype=by_cycle.dtype, device=by_cycle.device)
    # One place tells of all that no value is missing.
    half_life = _half_life(values, present[:1, :, :1] if present.all() else present, age)
    weight = (0.5 ** (age / half_life))[..., None] * present
    average = (weight * values).sum(dim=1) / weight.sum(dim=1).clamp(min=1e-9)
    average = _between_neighbours(average, present.any(dim=1))
    covered = present.sum(dim=2)
    enough = covered.sum(dim=1, keepdim=True) >= KNOWN_CYCLES * covered.amax(dim=1, keepdim=True)
    used = enough & (covered >= LEAST_COVERAGE * covered.amax(dim=1, keepdim=True).clamp(min=1))
    filled = torch.where(present, by_cycle, average[:, None])
    wave = torch.fft.rfft(average, dim=1)
    evidence = NESTED_EVIDENCE if nested else EVIDENCE
    trust = _trust(torch.fft.rfft(filled, dim=2), wave, used, weight.mean(dim=2), evidence)
    trust = trust * _are_alike(by_cycle, used)
    pattern: Tensor = torch.fft.irfft(trust * wave, n=places, dim=1)
    kept = trust.amax(dim=1, keepdim=True) > 0
    return pattern + kept * _peaks(average - pattern, by_cycle - average[:, None], weight, PEAK * evidence)


def running_means(values: Tensor, valid: Tensor, weight: Tensor, dim: int) -> Tensor:
    """Return weighted means of the valid values up to each place along a dimension; 0 before the first.

    `values` are 0 for gaps. Weights that grow by a factor from place to place make an exponential smoothing
    that starts from the first value.
    """
    sums, total = (values * weight).cumsum(dim=dim), (valid * weight).cumsum(dim=dim)
    return sums / total.clamp(min=1e-300)


def _half_life(values: Tensor, present: Tensor, age: Tensor) -> Tensor:
    """Return (batch, 1), the half-life that foretells cycles (batch, cycles, places) better, 0 for gaps."""
    counted = present[:, 1:] & (present.cumsum(dim=1)[:, :-1] > 0)

    def error(half_life: float) -> Tensor:
        means = running_means(values, present, (0.5 ** (age / half_life))[:, None], dim=1)
        return ((values[:, 1:] - means[:, :-1]) * counted).square().sum(dim=(1, 2))

    changes = error(SHORT_HALF_LIFE) < CHANGES * error(HALF_LIFE)
    return torch.where(changes, SHORT_HALF_LIFE, HALF_LIFE)[:, None].to(values.dtype)


def _peaks(rest: Tensor, noise: Tensor, weight: Tensor, least: float) -> Tensor:
    """Return (batch, places), what is left of single places that stand out, as the week before a holiday.

    `rest` (batch, places) is what the frequencies left, `noise` and `weight` (batch, cycles, places).
    """
    count = known(noise).sum(dim=1)
    freedom = (count - 1).clamp(min=0).sum(dim=1, keepdim=True).clamp(min=1)
    variance = noise.nan_to_num(nan=0.0).square().sum(dim=(1, 2))[:, None] / freedom
    share = (weight / weight.sum(dim=1, keepdim=True).clamp(min=1e-9)).square().sum(dim=1)
    ratio = rest.square() / (variance * share).clamp(min=1e-300)
    stands_out = (1 - least / ratio.clamp(min=1e-300)).clamp(min=0)
    peaks = torch.where(count > 1, rest * stands_out, 0.0)
    return peaks - peaks.mean(dim=1, keepdim=True)


def _trust(waves: Tensor, wave: Tensor, used: Tensor, weight: Tensor, evidence: float) -> Tensor:
    """Return (batch, frequencies) from 0 to 1: how far each frequency of the average is to be believed.

    `waves` (batch, cycles, frequencies) are those of each cycle, `used` and `weight` (batch, cycles) which
    of them tell the noise, and how much each counts in the average. The mean is no part of a pattern.
    """
    count = used.sum(dim=1, keepdim=True)
    chosen = used[..., None].to(weight.dtype)
    centre = (waves * chosen).sum(dim=1, keepdim=True) / count.clamp(min=1)[..., None]
    noise = ((waves - centre).abs().square() * chosen).sum(dim=1) / (count - 1).clamp(min=1)
    share = weight / weight.sum(dim=1, keepdim=True).clamp(min=1e-9)
    error = _smoothed(noise[:, 1:]) * share.square().sum(dim=1, keepdim=True)
    ratio = wave[:, 1:].abs().square() / error.clamp(min=1e-300)
    # Noise that few cycles tell is itself uncertain.
    least = evidence * count / (count - 1).clamp(min=1)
    trust = (1 - least / ratio.clamp(min=1e-300)).clamp(min=0)
    return functional.pad(torch.where(count > 1, trust, 0.0), (1, 0))


def _are_alike(by_cycle: Tensor, used: Tensor) -> Tensor:
    """Return (batch, 1), whether the last two cycles are alike; true where there are not just two."""
    last = by_cycle[:, -FEW:]
    shared = last.isfinite().all(dim=1, keepdim=True)
    centre = (last.nan_to_num(nan=0.0) * shared).sum(dim=2, keepdim=True) / shared.sum(dim=2, keepdim=True)
    apart = torch.where(shared, last - centre, 0.0)
    product = apart.prod(dim=1).sum(dim=1, keepdim=True)
    size = apart.square().sum(dim=2).prod(dim=1, keepdim=True).sqrt()
    return (product >= ALIKE * size) | (used.sum(dim=1, keepdim=True) != FEW)


def _smoothed(noise: Tensor) -> Tensor:
    """Return (batch, frequencies), each averaged with its neighbours: few cycles tell little about one."""
    if noise.shape[1] == 1:
        return noise
    padded = functional.pad(noise[:, None], (1, 1), mode="replicate")[:, 0]
    return (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4


def _without_outliers(by_cycle: Tensor) -> Tensor:
    """Return the deviations, none further than `OUTLIER` median distances from the median of its place.

    One absurd value would look like noise of every frequency.
    """
    count = known(by_cycle).sum(dim=1, keepdim=True)
    centre = medians(by_cycle, 1)
    distance = by_cycle - centre
    usual = medians(distance.abs().flatten(1), 1)[..., None].nan_to_num(nan=0.0)
    limit = OUTLIER * usual
    is_odd = (limit > 0) & (count >= FEWEST_FOR_OUTLIERS)
    return torch.where(is_odd, centre + distance.clamp(-limit, limit), by_cycle)


def _between_neighbours(average: Tensor, present: Tensor) -> Tensor:
    """Return averages (batch, places); a place that never occurred, as week 53, is between its neighbours."""
    between = (average.roll(1, dims=1) + average.roll(-1, dims=1)) / 2
    return torch.where(present, average, between)


def _moving_average(z: Tensor, width: int) -> Tensor:
    """Return (batch, span - width + 1), averages of what is there; NaN where less than half is.

    Running sums make the cost independent of the width.
    """
    there = known(z)
    if there.all():
        return _running_sums(z, width) / width
    count = _running_sums(there, width)
    average = _running_sums(z.nan_to_num(nan=0.0), width) / count.clamp(min=1)
    return average.masked_fill(count < LEAST_COVERAGE * width, torch.nan)


def _running_sums(values: Tensor, width: int) -> Tensor:
    """Return (batch, span - width + 1), the sum of each `width` values (batch, span) in a row."""
    sums = functional.pad(values.cumsum(dim=1), (1, 0))
    return sums[:, width:] - sums[:, :-width]
