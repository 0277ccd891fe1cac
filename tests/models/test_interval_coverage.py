"""Intervals of whole trainings on series whose noise is known."""

from dataclasses import replace

import numpy as np
import pytest

from models.choices import NO_SEASONS
from models.config import preset
from models.methods.combination import forecast_by
from models.metrics import coverage
from models.panel import Floats, Panel
from models.training.train import train

pytestmark = pytest.mark.long

SERIES, LENGTH, HORIZON = 300, 80, 6


def noise(kind: str, rng: np.random.Generator) -> Floats:
    size = (SERIES, LENGTH + HORIZON)
    if kind == "skewed":
        return rng.exponential(size=size) - 1
    if kind == "heavy-tailed":
        return rng.standard_t(3, size=size)
    if kind == "changing scale":
        scale = np.exp(rng.normal(0, 0.1, size).cumsum(axis=1).clip(-1.5, 1.5))
        return np.asarray(rng.normal(size=size) * scale)
    return rng.normal(size=size)


def autoregressive(shocks: Floats) -> Floats:
    """Around 100, each value 0.7 as far from it as the one before, and a shock of 5 units on top."""
    series = np.zeros_like(shocks)
    for t in range(1, shocks.shape[1]):
        series[:, t] = 0.7 * series[:, t - 1] + shocks[:, t]
    return np.asarray(100 + 5 * series)


@pytest.mark.parametrize("kind", ["normal", "skewed", "heavy-tailed", "changing scale"])
def test_intervals_hold_their_share_of_what_comes(kind: str) -> None:
    """600 windows to calibrate on and 1,800 new values: the share held has an error of a point or two."""
    values = autoregressive(noise(kind, np.random.default_rng(5)))
    panel = Panel.of(list(values[:, :LENGTH]))
    config = preset("quick", horizon=HORIZON, seasons=NO_SEASONS, values=len(panel.values), longest=LENGTH)
    trained = train(panel, replace(config, windows=1000), ["lstm"])
    method = trained.assessment.methods[trained.assessment.served]
    forecast = forecast_by(method, trained.model, panel, levels=[50, 80, 90, 95, 99])
    for level in forecast.lo:
        held = coverage(values[:, LENGTH:], forecast.lo[level], forecast.hi[level])
        assert held == pytest.approx(level / 100, abs=0.03)
