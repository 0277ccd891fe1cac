"""Quantiles of a mixture of distributions."""

from collections.abc import Sequence

from torch import Tensor, searchsorted


def mixture(points: Tensor, weights: Tensor, probabilities: Sequence[float]) -> Tensor:
    """Return (batch, horizon, probabilities), the quantiles of mixtures of parts.

    `points` (batch, horizon, parts, points) of a part are equally likely, and `weights` (batch, parts) sum to
    1.
    """
    each = (weights[:, None, :, None] / points.shape[3]).expand(points.shape).flatten(2)
    rising, order = points.flatten(2).sort(dim=2)
    chance = each.gather(2, order).cumsum(dim=2)
    wanted = chance.new_tensor(probabilities).expand(*chance.shape[:2], -1).contiguous()
    return rising.gather(2, searchsorted(chance, wanted).clamp(max=rising.shape[2] - 1))
