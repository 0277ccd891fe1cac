"""A level that shifted for good: what came before is moved to where the series is now.

A history of two levels misleads all that reads it: a season seems to be where the shift was, and the networks
go on halfway back. So where the shift is beyond doubt, the earlier values get mean and spread of the later
ones. It is the change in mean of Page (1955), A Test for a Change in a Parameter Occurring at an Unknown
Point, where the means lie furthest apart in units of the wider of both spreads.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from models.inputs.seasonality import medians
from models.metrics import NORMAL_DEVIATION

CLEAR = 8.0
"""Standard deviations that the means lie apart. None of 36,000 random walks, autoregressions, lines and
seasons came near, and nine of 3,800 series of M3 and M4 did."""

FEWEST = 4
"""Values that each level has at least."""

MOST_WIDER = 10.0
"""Largest factor by which the earlier spread is widened or narrowed."""

ODD = 5.0
"""Changes, as robust standard deviations, by which the last values are away from the level before them."""

SUSPECT = 3.0
"""Mean changes that the widest of the last ones has at least, where an end is odd."""

MOST_ODD = 3
"""Last values that may be odd; more are a level."""

BEFORE = 9
"""Values before them that tell that level."""

NEAR = 0.5
"""Share of a jump that the value before it is away from the median before that, at most."""

BACK = 0.5
"""Share of a jump that is left, at most, where values came back from it."""

_ROUNDING = 1e-9
"""Spread, as a share of the largest value, below which values are the same."""


def without_shift(z: Tensor) -> Tensor:
    """Return histories (batch, span), NaN for gaps, where values before a clear shift are moved to its end.

    Those without a clear shift stay as they are.
    """
    valid = z.isfinite()
    centred = (z - z.nanmean(dim=1, keepdim=True)).nan_to_num(nan=0.0)
    rows = valid.to(z.dtype), centred, centred.square()
    before = [row.cumsum(dim=1)[:, :-1] for row in rows]
    after = [row.sum(dim=1, keepdim=True) - sums for row, sums in zip(rows, before, strict=True)]
    (first, one), (second, other) = _moments(*before), _moments(*after)
    rounding = (_ROUNDING * centred.abs().amax(dim=1, keepdim=True)).square().clamp(min=1e-300)
    apart = (second - first).square() / torch.maximum(one, other).clamp(min=rounding)
    allowed = (before[0] >= FEWEST) & (after[0] >= FEWEST)
    furthest, at = torch.where(allowed, apart, 0.0).max(dim=1, keepdim=True)
    own, later = ((variance + rounding).sqrt().gather(1, at) for variance in (one, other))
    wider = (later / own).clamp(1 / MOST_WIDER, MOST_WIDER)
    start, end = first.gather(1, at), second.gather(1, at)
    moved = z - centred + end + wider * (centred - start)
    earlier = torch.arange(z.shape[1], device=z.device) <= at
    return torch.where(earlier & (furthest >= CLEAR**2), moved, z)


class OddEnds(NamedTuple):
    """Histories whose last values lie far from the level before them, by their numbers `rows` (rows,).

    `shifted` (rows, span) is one reading: the level has moved, and what came before is moved to it. `without`
    (rows, span) is the other: the last values are mistakes or exceptions, and gaps. `back` and `stayed`
    (rows, 1) are how many earlier jumps of the series came back and did not.
    """

    rows: Tensor
    shifted: Tensor
    without: Tensor
    back: Tensor
    stayed: Tensor


def odd_ends(rest: Tensor) -> OddEnds | None:
    """Return the histories with odd last values among `rest` (batch, span) without season; None for none."""
    if rest.shape[1] < MOST_ODD + BEFORE + 1:
        return None
    changes = rest.diff(dim=1)
    widest = changes[:, -MOST_ODD:].abs().nan_to_num(nan=0.0).amax(dim=1)
    # Most series have none, which costs them no median.
    usual = changes.abs().nanmean(dim=1)
    if not (widest > SUSPECT * usual).any():
        return None
    least = ODD * NORMAL_DEVIATION * medians(changes.abs(), 1)
    count = _odd_count(rest, least)
    rows = torch.nonzero(count[:, 0] > 0)[:, 0]
    if len(rows) == 0:
        return None
    chosen, count = rest[rows], count[rows]
    odd = torch.arange(rest.shape[1], 0, -1, device=rest.device) <= count
    level = chosen.gather(1, rest.shape[1] - 1 - count)
    moved = torch.where(odd, chosen, torch.nan).nanmean(dim=1, keepdim=True) - level
    back, stayed = _jumps(torch.where(odd, torch.nan, chosen), least[rows])
    return OddEnds(
        rows,
        torch.where(odd, chosen, chosen + moved),
        torch.where(odd, torch.nan, chosen),
        back,
        stayed,
    )


def _odd_count(rest: Tensor, least: Tensor) -> Tensor:
    """Return (batch, 1) int64, how many last values are odd: 0 to `MOST_ODD`.

    They begin with a jump of `least` (batch, 1) from a value near those before it, and stay as far from it.
    """
    count = torch.zeros_like(least, dtype=torch.int64)
    for odd in range(1, MOST_ODD + 1):
        before = rest[:, -odd - 1, None]
        away = (rest[:, -odd:] - before).abs()
        usual = medians(rest[:, -odd - 1 - BEFORE : -odd], 1)
        is_odd = (away > least).all(dim=1, keepdim=True) & (least > 0)
        count = torch.where(is_odd & ((before - usual).abs() < NEAR * away[:, :1]), odd, count)
    return count


def _jumps(rest: Tensor, least: Tensor) -> tuple[Tensor, Tensor]:
    """Return (batch, 1) how many changes of `least` (batch, 1) or more came back within `MOST_ODD`, and not.

    The way back is no jump of its own.
    """
    apart = rest.unfold(1, MOST_ODD + 2, 1)  # before the jump, after it, and what followed
    jump = apart[..., 1] - apart[..., 0]
    left = (apart[..., 2:] - apart[..., :1]).abs() <= BACK * jump.abs()[..., None]
    returned = left.any(dim=2)
    is_jump = (jump.abs() > least) & apart.isfinite().all(dim=2)
    came = (apart[..., MOST_ODD + 1 :] - apart[..., :MOST_ODD]).abs()
    last = (apart[..., -1] - apart[..., -2]).abs()
    is_return = (came <= BACK * last[..., None]).any(dim=2)
    is_return = torch.nn.functional.pad(is_return, (MOST_ODD, 0))[:, : is_jump.shape[1]]
    back = (is_jump & returned & ~is_return).sum(dim=1, keepdim=True)
    stayed = (is_jump & ~returned & ~is_return).sum(dim=1, keepdim=True)
    return back.to(rest.dtype), stayed.to(rest.dtype)


def _moments(count: Tensor, total: Tensor, squares: Tensor) -> tuple[Tensor, Tensor]:
    """Return means and variances from counts, sums and sums of squares."""
    mean = total / count.clamp(min=1)
    return mean, (squares - total * mean).clamp(min=0) / (count - 1).clamp(min=1)
