"""Small panels and configurations for the tests of the core."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch

from models.config import TrainingConfig
from models.windows import Floats, Panel


def tiny_config(**changes: object) -> TrainingConfig:
    """One that trains in a fraction of a second."""
    config = TrainingConfig(
        horizon=4,
        season_length=4,
        seed=7,
        views=("last", "season", "phase"),
        context=8,
        hidden=16,
        steps=30,
        epochs=5,
        batch=32,
        learning_rate=1e-2,
        weight_decay=0.01,
    )
    return replace(config, **changes)  # type: ignore[arg-type]  # the dataclass checks its fields itself


def wave(length: int, *, start: int = 0, level: float = 100.0, growth: float = 0.01) -> Floats:
    """A positive series with a season of four and a steady growth."""
    t = np.arange(start, start + length)
    season = np.array([1.0, 1.3, 0.8, 0.9])[t % 4]
    return np.asarray(level * np.exp(growth * t) * season)


def waves(series: int = 12, length: int = 40) -> Panel:
    """Seasonal series of different sizes, growths and starts, a little noisy."""
    rng = np.random.default_rng(5)
    starts = rng.integers(0, 4, series)
    arrays = [
        wave(length, start=int(start), level=10.0 ** rng.uniform(0, 6), growth=rng.uniform(-0.02, 0.03))
        * rng.lognormal(0, 0.01, length)
        for start in starts
    ]
    return Panel.of(arrays, phases=starts)


@contextmanager
def using_threads(count: int) -> Iterator[None]:
    """What a machine with as many cores gives a training."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
