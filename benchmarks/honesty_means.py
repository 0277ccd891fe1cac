"""Bias of the mean on simulated intermittent demand and on skewed values, for `benchmarks.honesty`.

Panels of 200 series with the season of a week are forecast four weeks ahead without a training, and the sum
of their means is compared with what comes on average, which is known. A panel alone tells little: 200
histories of 60 steps at 0.1 a step miss the rate by 3 % on average. So there are 20 of them a kind, and
beside the bias stands what one panel is off by chance.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import exp

import numpy as np

from benchmarks.honesty_rows import Row, Task
from models.choices import Seasons
from models.methods.combination import compute_quantile_forecast
from models.methods.zero_shot import uncalibrated_method, zero_shot_forecaster
from models.panel import Floats, Panel

PANELS, SERIES, HORIZON, WEEK = 20, 200, 28, 7
LENGTHS, LENGTHS_OF_SKEWED = (60, 200), (24, 120, 400)
MOST_BIAS = 0.05

Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]


@dataclass(frozen=True)
class Demand:
    """A kind of demand: how it is drawn, and its mean."""

    name: str
    mean: float
    draw: Draw


def poisson(mean: float) -> Demand:
    """Return demand whose sizes are Poisson."""
    return Demand(f"Poisson {mean}", mean, lambda rng, shape: rng.poisson(mean, shape).astype(np.float64))


def negative_binomial(mean: float, size: float) -> Demand:
    """Return demand that varies more than Poisson, the more the smaller its `size`."""
    share = size / (size + mean)
    return Demand(
        f"negative binomial {mean}, size {size}",
        mean,
        lambda rng, shape: rng.negative_binomial(size, share, shape).astype(np.float64),
    )


def lognormal(share: float, spread: float) -> Demand:
    """Return demand in a `share` of the steps, of lognormal sizes."""
    return Demand(
        f"lognormal {spread}, {1 - share:.0%} zeros",
        share * exp(spread**2 / 2),
        lambda rng, shape: np.where(rng.random(shape) < share, rng.lognormal(0, spread, shape), 0.0),
    )


def autoregressive(spread: float, kept: float) -> Demand:
    """Return values whose logarithms keep a share of their distance to 0 from step to step."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        logs = rng.normal(0, spread, shape)
        for step in range(1, shape[1]):
            logs[:, step] = kept * logs[:, step - 1] + (1 - kept**2) ** 0.5 * logs[:, step]
        return np.exp(logs)

    return Demand(f"AR({kept}) of logarithms, {spread}", exp(spread**2 / 2), draw)


def gamma(shape: float) -> Demand:
    """Return values of a gamma distribution, the more skewed the smaller its `shape`."""
    return Demand(f"gamma {shape}", shape, lambda rng, size: rng.gamma(shape, 1, size))


DEMANDS = (
    *map(poisson, (0.1, 0.3, 0.6, 1.0)),
    *(negative_binomial(mean, size) for mean, size in ((0.3, 0.5), (1.0, 1.0), (2.0, 0.5))),
    *(lognormal(share, spread) for share, spread in ((0.2, 0.8), (0.5, 0.8), (0.7, 1.0), (0.8, 1.0))),
)

SKEWED = (
    *(lognormal(1.0, spread) for spread in (0.5, 1.0)),
    *(autoregressive(spread, 0.7) for spread in (0.5, 1.0)),
    *map(gamma, (0.5, 1.0, 2.0)),
)


def tasks() -> Iterator[Task]:
    """Yield a row to measure for each kind of demand and length of history."""
    for demands, lengths in ((DEMANDS, LENGTHS), (SKEWED, LENGTHS_OF_SKEWED)):
        for demand, steps in product(demands, lengths):
            name = f"{demand.name}, {steps} steps"
            yield Task("bias of the mean", name, partial(_row, demand, steps))


def _row(demand: Demand, steps: int) -> Row:
    biases = np.array([bias(demand, steps, seed) for seed in range(PANELS)])
    mean, spread = float(biases.mean()), float(biases.std(ddof=1))
    return Row(
        part="bias of the mean",
        name=f"{demand.name}, {steps} steps",
        measured=f"{mean:+.1%}, one panel {spread:.1%} more or less",
        bound=f"{MOST_BIAS:.0%}",
        is_ok=abs(mean) <= MOST_BIAS,
        figures={"bias": round(mean, 4), "spread": round(spread, 4)},
    )


def bias(demand: Demand, steps: int, seed: int) -> float:
    """Return how far the sum of a panel's means is from what comes on average, as a share of that."""
    panel = Panel.of(list(demand.draw(np.random.default_rng(seed), (SERIES, steps))))
    forecaster = zero_shot_forecaster(HORIZON, Seasons((WEEK,)))
    found = compute_quantile_forecast(uncalibrated_method(HORIZON), forecaster, panel)
    return float(found.mean.mean() / demand.mean - 1)
