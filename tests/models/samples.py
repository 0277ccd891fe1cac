"""Small panels and configurations for the tests of the core."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import ArrayLike

from models.config import TrainingConfig
from models.evaluation.held_out import HeldOut
from models.methods.calibration import CALIBRATED_LEVELS
from models.methods.forecast import Forecast
from models.network.forecaster import Forecaster, build_member, pretrained_member
from models.panel import Floats, Panel


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


def held_out_of(
    target: ArrayLike,
    *,
    series: ArrayLike | None = None,
    cut: ArrayLike | None = None,
    scale: float = 1.0,
    root_scale: float = 1.0,
) -> HeldOut:
    """Return windows with these targets (window, horizon), each of a series of its own at the last cut.

    Each context is one value, -1, so that forecasts below zero are allowed.
    """
    targets = np.asarray(target, dtype=np.float64)
    windows = len(targets)
    cuts = np.asarray(np.zeros(windows) if cut is None else cut, dtype=np.int64)
    return HeldOut(
        contexts=Panel.of([[-1.0]] * windows),
        target=targets,
        series=np.asarray(np.arange(windows) if series is None else series, dtype=np.int64),
        cut=cuts,
        scale=np.full(windows, scale),
        root_scale=np.full(windows, root_scale),
        cuts=int(cuts.max()) + 1,
    )


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
