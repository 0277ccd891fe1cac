"""Small panels and configurations for the tests of the core."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import ArrayLike

from models.config import TrainingConfig
from models.evaluation.backtest import Backtest
from models.evaluation.held_out import HeldOut
from models.methods.baselines import BASELINES
from models.methods.calibration import CALIBRATED_LEVELS
from models.methods.forecast import Forecast
from models.network.forecaster import Forecaster, build_member, pretrained_member
from models.panel import Floats, Panel

MOST_EXACT = 300
"""Series whose walks have exactly the correlation asked for."""


def tiny_config(**changes: object) -> TrainingConfig:
    """Return a config that trains in a fraction of a second."""
    config = TrainingConfig(
        horizon=4,
        season_lengths=(4,),
        seed=7,
        views=("last", "season", "phase"),
        context=8,
        hidden=16,
        steps=30,
        epochs=5,
        batch=32,
        learning_rate=1e-2,
        weight_decay=0.01,
        windows=1000,
    )
    return replace(config, **changes)  # type: ignore[arg-type]  # the dataclass checks its fields itself


def wave(length: int, *, start: int = 0, level: float = 100.0, growth: float = 0.01) -> Floats:
    """Return a positive series with a season of four and steady growth."""
    t = np.arange(start, start + length)
    season = np.array([1.0, 1.3, 0.8, 0.9])[t % 4]
    return np.asarray(level * np.exp(growth * t) * season)


def waves(series: int = 12, length: int = 40) -> Panel:
    """Return seasonal series of different sizes, growths and starts, with a little noise."""
    rng = np.random.default_rng(5)
    starts = rng.integers(0, 4, series)
    arrays = [
        wave(length, start=int(start), level=10.0 ** rng.uniform(0, 6), growth=rng.uniform(-0.02, 0.03))
        * rng.lognormal(0, 0.01, length)
        for start in starts
    ]
    return Panel.of(arrays, phases=starts)


def random_walks(series: int, seed: int) -> Panel:
    """Return random walks, whose best forecast is the last value."""
    rng = np.random.default_rng(seed)
    return Panel.of([100 + rng.normal(0, 1, 40).cumsum() for _ in range(series)])


def untrained(config: TrainingConfig) -> Forecaster:
    generator = torch.Generator().manual_seed(1)
    networks = (
        build_member(config, i, generator) if i in config.trainable_members else pretrained_member(config, i)
        for i in range(config.members)
    )
    return Forecaster(config, tuple(networks))


def held_out_of(  # noqa: PLR0913 - what a window has, by name
    target: ArrayLike,
    *,
    series: ArrayLike | None = None,
    cut: ArrayLike | None = None,
    scale: float = 1.0,
    root_scale: float = 1.0,
    common: float = 0.0,
) -> HeldOut:
    """Return windows with these targets (window, horizon), each of a series of its own at the last cut.

    Each context is a walk below zero, so that forecasts below zero are allowed. The changes of the series
    have a correlation of `common`, by default none at all.
    """
    targets = np.asarray(target, dtype=np.float64)
    windows = len(targets)
    cuts = np.asarray(np.zeros(windows) if cut is None else cut, dtype=np.int64)
    numbers = np.asarray(np.arange(windows) if series is None else series, dtype=np.int64)
    distinct, place = np.unique(numbers, return_inverse=True)
    walks = _walks(len(distinct), common)
    return HeldOut(
        contexts=Panel.of(list(walks[place])),
        target=targets,
        series=numbers,
        cut=cuts,
        scale=np.full(windows, scale),
        root_scale=np.full(windows, root_scale),
        cuts=int(cuts.max()) + 1,
    )


def _walks(series: int, common: float) -> Floats:
    """Return (series, steps), walks below zero; the correlation of changes is exact for up to 300."""
    is_exact = series <= MOST_EXACT
    steps = series + 30 if is_exact else 400
    drawn = np.random.default_rng(0).normal(0, 1, (series + 1, steps))
    drawn -= drawn.mean(axis=1, keepdims=True)
    if is_exact:
        drawn = np.sqrt(steps) * np.linalg.qr(drawn.T)[0].T
    walks = np.cumsum(np.sqrt(common) * drawn[0] + np.sqrt(1 - common) * drawn[1:], axis=1)
    return np.asarray(walks - walks.max() - 1)


def around(median: ArrayLike, spread: ArrayLike = 1.0) -> Forecast:
    """Return medians (series, horizon) with normal bounds at `CALIBRATED_LEVELS`, `spread` wide."""
    middle = np.asarray(median, dtype=np.float64)
    half = {
        level: NormalDist().inv_cdf(0.5 + level / 200) * np.asarray(spread) for level in CALIBRATED_LEVELS
    }
    return Forecast(
        middle,
        lo={level: middle - width for level, width in half.items()},
        hi={level: middle + width for level, width in half.items()},
    )


def bounds(forecast: Forecast) -> list[Floats]:
    """Return all bounds and the median, from the lowest to the highest."""
    levels = sorted(forecast.lo)
    return [
        *(forecast.lo[level] for level in reversed(levels)),
        forecast.median,
        *(forecast.hi[level] for level in levels),
    ]


@contextmanager
def using_threads(count: int) -> Iterator[None]:
    """Set the number of threads that torch may use."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def medians_with(errors: Floats) -> Floats:
    """The median (series, 5) that makes these errors at every step."""
    return np.repeat(errors[:, None], 5, axis=1)


def backtest_of(
    network: Floats,
    baselines: Mapping[str, Floats],
    *,
    cuts: int = 1,
    scale: float = 1.0,
    common: float = 0.0,
) -> Backtest:
    """One with these errors (series,), over two cuts or more the same at each; absent baselines are poor.

    The changes of the series have a correlation of `common`.
    """
    count = len(network)
    errors = {"lstm": network, **{name: np.full(count, 1e6) for name in BASELINES}, **baselines}
    held_out = held_out_of(
        np.zeros((count * cuts, 5)),
        series=np.repeat(np.arange(count), cuts),
        cut=np.tile(np.arange(cuts), count),
        scale=scale,
        common=common,
    )
    unit = np.nan_to_num(scale, nan=1.0)
    medians = {name: medians_with(np.repeat(values, cuts)) * unit for name, values in errors.items()}
    return Backtest(held_out, {name: around(median) for name, median in medians.items()})


def alike(count: int, own: float, seed: int) -> Floats:
    """(count, 12): errors as lognormal(0, 0.5) draws them, `own` of the 0.5 being each candidate's own."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, np.sqrt(0.5**2 - own**2), 12)
    return np.exp(common + rng.normal(0, own, (count, 12)))
