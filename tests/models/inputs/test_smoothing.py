import numpy as np
import pytest
import torch

from models.inputs.smoothing import theta_forecast
from models.panel import Floats

NOISE = np.random.default_rng(5).normal(size=(200, 90))
STEPS = np.arange(90.0)


def forecast(values: Floats, horizon: int = 6) -> Floats:
    return theta_forecast(torch.tensor(np.atleast_2d(values)), horizon)[0].numpy()


def test_half_of_a_slope_goes_on() -> None:
    made = forecast(3 * STEPS)
    assert made[0] == pytest.approx(3 * 89 + 1.5 * np.arange(1, 7), abs=0.3)


def test_level_of_noise_is_its_mean() -> None:
    assert np.abs(forecast(NOISE)[:, 0]).mean() < 0.3


def test_level_of_a_random_walk_is_near_its_last_value() -> None:
    walks = NOISE.cumsum(axis=1)
    assert np.abs(forecast(walks)[:, 0] - walks[:, -1]).mean() < 0.5


def test_level_follows_a_step_up() -> None:
    assert forecast(np.where(STEPS < 70, 0.0, 10.0))[0, 0] > 9


def test_gaps_are_passed_over() -> None:
    with_gaps = 5 + 0.01 * NOISE[0]
    with_gaps[60::3] = np.nan
    assert forecast(with_gaps)[0] == pytest.approx(np.full(6, 5.0), abs=0.05)


def test_history_is_forecast_alone_as_among_others() -> None:
    walks = NOISE.cumsum(axis=1)
    assert np.array_equal(forecast(walks[7]), forecast(walks)[7:8])


def test_far_steps_do_not_change_near_ones() -> None:
    assert np.array_equal(forecast(NOISE, 3), forecast(NOISE, 60)[:, :3])


@pytest.mark.parametrize("kept", [0, 1, 7, 8])
def test_few_values_are_not_forecast(kept: int) -> None:
    z = np.full((1, 90), np.nan)
    z[0, 90 - kept :] = NOISE[0, :kept]
    made, is_known = theta_forecast(torch.tensor(z), 6)
    assert bool(is_known[0, 0]) == (kept == 8)
    assert made.isfinite().all()
