"""Synthetic series to pretrain on.

Each kind draws `count` series of `length` steps in units of their noise, then adds size, level and the
disturbances of real series. `draw` mixes the kinds and adds gaps.

Sources, by kind:
- state space models: Hyndman, Koehler, Ord & Snyder (2008), *Forecasting with Exponential Smoothing*;
- sums of trend, seasons and noise: Dooley et al. (2023), ForecastPFN;
- Gaussian processes with random kernels (KernelSynth): Ansari et al. (2024), Chronos;
- intermittent demand: Croston (1972).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.choices import Seasons
from models.panel import Floats, Integers

Random = np.random.Generator
Choice = NDArray[np.bool_]

LONGEST_PROCESS = 400
"""Steps that a Gaussian process is drawn at; longer series are interpolated."""

DRAWS = 16
"""Series drawn from each Gaussian process; computing its kernel takes longer than drawing them."""

LONG_SEASONS = {24: 168, 48: 336}
"""The weekly season of hours and half hours, by their daily one."""

MAX_LOGARITHM = 300.0
"""Largest change of a logarithm over a series, so that every value is finite."""


@dataclass(frozen=True)
class Shape:
    """The number, length and season length of the series to draw; a `season_length` of 1 is no season."""

    count: int
    length: int
    season_length: int

    @property
    def seasons(self) -> Seasons:
        """The seasons that the series may have, as a network is told of them."""
        longer = LONG_SEASONS.get(self.season_length, self.season_length)
        return Seasons(tuple(dict.fromkeys(length for length in (self.season_length, longer) if length > 1)))

    @property
    def size(self) -> tuple[int, int]:
        return self.count, self.length

    @property
    def share(self) -> Floats:
        """(length,) time from 0 to 1."""
        return np.linspace(0.0, 1.0, self.length)

    @property
    def places(self) -> Integers:
        """(length,) the position in the season of each step."""
        return np.arange(self.length) % self.season_length


def draw(shape: Shape, random: Random) -> Floats:
    """Return (count, length), series of all kinds, NaN for gaps and otherwise finite.

    The same state of `random` produces the same series.
    """
    kind = random.choice(len(KINDS), size=shape.count, p=list(KINDS.values()))
    series = np.empty(shape.size)
    for number, make in enumerate(KINDS):
        chosen = np.flatnonzero(kind == number)
        if len(chosen):
            series[chosen] = make(Shape(len(chosen), shape.length, shape.season_length), random)
    return _with_gaps(series, random)


def smoothed(shape: Shape, random: Random) -> Floats:
    """Draw from state space models: a local level, a damped trend and a season, with one error a step."""
    count = shape.count
    alpha = random.beta(1.2, 1.2, count)
    beta = np.where(_chosen(0.5, count, random)[:, 0], 0.3 * alpha * random.beta(1, 3, count), 0.0)
    gamma = np.where(_chosen(0.5, count, random)[:, 0], 0.3 * (1 - alpha) * random.beta(1, 3, count), 0.0)
    phi = np.where(_chosen(0.6, count, random)[:, 0], random.uniform(0.8, 1.0, count), 1.0)
    slope = random.standard_normal(count) * log_uniform(0.03, 1.5, count, random) * (1 - 0.5 * alpha)
    trend = np.where(_chosen(0.5, count, random)[:, 0], slope, 0.0)
    season, error = _pattern(count, shape.season_length, random), _errors(shape, random)
    level, values = np.zeros(count), np.empty(shape.size)
    for step, place in enumerate(shape.places):
        ahead = level + phi * trend
        values[:, step] = ahead + season[:, place] + error[:, step]
        level, trend = ahead + alpha * error[:, step], phi * trend + beta * error[:, step]
        season[:, place] += gamma * error[:, step]
    return _observed(values, random)


def composed(shape: Shape, random: Random) -> Floats:
    """Draw sums of a trend, one or two seasons and noise, each of a random kind."""
    amount = log_uniform(0.3, 30.0, shape.count, random)[:, None]
    return _observed(
        amount * _trends(shape, random) + _seasons(shape, random) + _noise(shape, random), random
    )


def processes(shape: Shape, random: Random) -> Floats:
    """Draw from Gaussian processes, with a little noise."""
    steps = min(shape.length, LONGEST_PROCESS)
    season = shape.season_length * steps / shape.length if shape.season_length > 1 else None
    parts = []
    for first in range(0, shape.count, DRAWS):
        root = np.linalg.cholesky(_kernel(steps, season, random) + 1e-5 * np.eye(steps))
        parts.append(random.standard_normal((min(DRAWS, shape.count - first), steps)) @ root.T)
    at = np.linspace(0, steps - 1, shape.length)
    smooth = np.stack([np.interp(at, np.arange(steps), row) for row in np.concatenate(parts)])
    amount = log_uniform(1.0, 30.0, shape.count, random)[:, None]
    return _observed(amount * smooth + _errors(shape, random), random)


def intermittent(shape: Shape, random: Random) -> Floats:
    """Draw counts, many of them zero, of a demand with a season and a drift."""
    season = 0.5 * _pattern(shape.count, shape.season_length, random)[:, shape.places]
    drift = np.cumsum(0.03 * random.standard_normal(shape.size), axis=1)
    rate = log_uniform(0.1, 10.0, shape.count, random)[:, None] * np.exp(np.clip(season + drift, -4, 4))
    busy = random.random(shape.size) < random.uniform(0.1, 1.0, (shape.count, 1))
    return np.where(busy, random.poisson(rate), 0).astype(np.float64)


KINDS: dict[Callable[[Shape, Random], Floats], float] = {
    smoothed: 0.45,
    composed: 0.30,
    processes: 0.20,
    intermittent: 0.05,
}
"""The kinds of series and their probabilities."""


def _trends(shape: Shape, random: Random) -> Floats:
    """Return (count, length), from 0 to about 1: straight, damped, logistic, broken, exponential or none."""
    share, count = np.broadcast_to(shape.share, shape.size), shape.count
    turn, speed = random.random((count, 1)), log_uniform(2.0, 20.0, count, random)[:, None]
    kinds = np.stack(
        [
            share,
            (1 - np.exp(-speed * share)) / (1 - np.exp(-speed)),
            1 / (1 + np.exp(-speed * (share - turn))),
            share + 2 * random.standard_normal((count, 1)) * np.maximum(share - turn, 0),
            np.expm1(speed / 4 * share) / np.expm1(speed / 4),
            np.zeros(shape.size),
        ]
    )
    chosen = kinds[random.integers(len(kinds), size=count), np.arange(count)]
    sign = np.where(_chosen(2 / 3, count, random), 1.0, -1.0)  # growth is more common than decline
    trend: Floats = sign * (chosen - chosen[:, :1])
    return trend


def _seasons(shape: Shape, random: Random) -> Floats:
    """Return (count, length), a season whose strength may change, and in a fifth of the series a longer one.

    A daily season has a weekly one beside it in half of the series.
    """
    count = shape.count
    change = np.where(_chosen(1 / 3, count, random), random.normal(0, 0.7, (count, 1)), 0.0)
    season = _pattern(count, shape.season_length, random)[:, shape.places] * (1 + change * shape.share)
    some = shape.season_length * int(random.choice([4, 7, 12])) if shape.season_length > 1 else 1
    longer = LONG_SEASONS.get(shape.season_length, some)
    often = 0.5 if shape.season_length in LONG_SEASONS else 0.2
    slow = _pattern(count, longer, random)[:, np.arange(shape.length) % longer]
    return season + np.where(_chosen(often, count, random), slow, 0.0)


def _pattern(count: int, season_length: int, random: Random) -> Floats:
    """Return (count, season_length), a seasonal pattern of mean zero; all zeros in a third of the series.

    It has waves of a few frequencies, single positions as in a calendar, or both.
    """
    if season_length == 1:
        return np.zeros((count, 1))
    angle = 2 * np.pi * np.arange(season_length) / season_length
    waves = np.zeros((count, season_length))
    fall = random.uniform(0.3, 2.0)
    for harmonic in range(1, min(5, season_length // 2) + 1):
        size = random.standard_normal((2, count, 1)) / harmonic**fall
        waves += size[0] * np.sin(harmonic * angle) + size[1] * np.cos(harmonic * angle)
    special = random.random((count, season_length)) < random.uniform(0.05, 1.0, (count, 1))
    calendar = np.where(special, random.standard_normal((count, season_length)), 0.0)
    kind = random.integers(3, size=(count, 1))
    pattern = np.where(kind != 1, waves, 0.0) + np.where(kind != 0, calendar, 0.0)
    amount = np.where(_chosen(2 / 3, count, random), log_uniform(0.2, 15.0, count, random)[:, None], 0.0)
    centred: Floats = pattern - pattern.mean(axis=1, keepdims=True)
    centred *= amount
    return centred


def _noise(shape: Shape, random: Random) -> Floats:
    """Return (count, length), an ARMA(1, 1) process, from white noise to a random walk."""
    count, error = shape.count, _errors(shape, random)
    usual = random.choice([0.0, 0.5, 0.8, 0.95, 1.0], count)
    ar = np.where(_chosen(0.5, count, random)[:, 0], usual, random.uniform(-0.5, 1.0, count))
    ma = np.where(_chosen(0.5, count, random)[:, 0], random.uniform(-0.8, 0.5, count), 0.0)
    values, last, before = np.empty(shape.size), np.zeros(count), np.zeros(count)
    for step in range(shape.length):
        last = ar * last + error[:, step] + ma * before
        values[:, step], before = last, error[:, step]
    return values


def _errors(shape: Shape, random: Random) -> Floats:
    """Return (count, length), independent errors of mean zero; some are heavy-tailed or change in size."""
    normal, heavy = random.standard_normal(shape.size), random.standard_t(4, shape.size) / np.sqrt(2)
    error = np.where(_chosen(0.3, shape.count, random), heavy, normal)
    drift = np.cumsum(0.1 * random.standard_normal(shape.size), axis=1)
    return error * np.where(_chosen(0.2, shape.count, random), np.exp(np.clip(drift, -2, 2)), 1.0)


def _kernel(steps: int, season: float | None, random: Random) -> Floats:
    """Return (steps, steps), at most 1: up to four simple kernels, added or multiplied in turn."""
    kernel = _simple_kernel(steps, season, random)
    for _ in range(random.integers(4)):
        another = _simple_kernel(steps, season, random)
        kernel = kernel * another if random.integers(2) else kernel + another
    largest: float = kernel.max()
    return kernel / max(largest, 1e-9)


def _simple_kernel(steps: int, season: float | None, random: Random) -> Floats:
    """Return (steps, steps): a smooth, multi-scale, growing, rough or periodic kernel."""
    time = np.arange(steps, dtype=np.float64)
    apart = np.abs(time[:, None] - time)
    width, smoothness = (float(log_uniform(*ends, 1, random)[0]) for ends in ((0.02, 1.0), (0.3, 3.0)))
    distance = apart / (width * steps)
    period = season or width * steps
    kinds: list[Callable[[], Floats]] = [
        lambda: np.exp(-0.5 * distance**2),
        lambda: (1 + distance**2) ** -0.5,
        lambda: np.outer(time, time) / steps**2,
        lambda: np.exp(-distance),
        lambda: np.exp(-2 * (np.sin(np.pi * apart / period) / smoothness) ** 2),
    ]
    return kinds[random.integers(len(kinds))]()


def _observed(values: Floats, random: Random) -> Floats:
    """Return series with a level and a size: multiplicative in most, additive in the others."""
    count, values = len(values), _disturbed(values, random)
    size = log_uniform(0.002, 0.3, count, random)[:, None] * values
    level = log_uniform(1.0, 1e6, count, random)[:, None]
    by_amounts = size + np.where(_chosen(0.15, count, random), 0.0, 1.0)
    by_shares = np.exp(np.clip(size, -MAX_LOGARITHM, MAX_LOGARITHM))
    return level * np.where(_chosen(0.7, count, random), by_shares, by_amounts)


def _disturbed(values: Floats, random: Random) -> Floats:
    """Return series with a level shift in a tenth of them, and outliers in another tenth."""
    count, length = values.shape
    shift = np.where(_chosen(0.1, count, random), random.normal(0, 6, (count, 1)), 0.0)
    shifted = values + shift * (np.arange(length) >= random.integers(length, size=(count, 1)))
    often = np.where(_chosen(0.1, count, random), 0.02, 0.0)
    far = random.normal(0, 8, values.shape) * (random.random(values.shape) < often)
    disturbed: Floats = shifted + far
    return disturbed


def _with_gaps(series: Floats, random: Random) -> Floats:
    """Return series with gaps: a twentieth of them misses up to a fifth of its values."""
    share = np.where(_chosen(0.05, len(series), random), random.uniform(0, 0.2, (len(series), 1)), 0.0)
    return np.where(random.random(series.shape) < share, np.nan, series)


def _chosen(share: float, count: int, random: Random) -> Choice:
    """Return (count, 1), a random choice of about this share of the series."""
    return random.random((count, 1)) < share


def log_uniform(low: float, high: float, count: int, random: Random) -> Floats:
    """Return (count,), drawn uniformly on the logarithmic scale between the bounds."""
    return np.exp(random.uniform(np.log(low), np.log(high), count))
