import numpy as np
import pytest
import torch

from models.inputs.smoothing import theta_forecast
from models.panel import Floats

NOISE = np.random.default_rng(5).normal(size=(200, 90))
STEPS = np.arange(90.0)


def forecast(values: Floats, horizon: int = 6) -> Floats:
    found: Floats = theta_forecast(torch.tensor(np.atleast_2d(values)), horizon).forecast.numpy()
    return found


def means(values: Floats, horizon: int = 6) -> Floats:
    """Means of values, of which the logarithms are smoothed."""
    found: Floats = theta_forecast(torch.tensor(np.log(np.atleast_2d(values))), horizon).mean.exp().numpy()
    return found


def share(logs: Floats) -> float:
    return theta_forecast(torch.tensor(logs[None]), 6).share.item()


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
    made = theta_forecast(torch.tensor(z), 6)
    assert bool(made.is_known[0, 0]) == (kept == 8)
    assert made.forecast.isfinite().all()
    assert made.share.item() == 0


def test_means_of_noise_are_those_of_its_values() -> None:
    values = np.exp(NOISE)
    assert means(values).mean() == pytest.approx(values.mean(), rel=0.03)


def test_means_grow_with_values_that_do() -> None:
    values = np.exp(0.05 * STEPS + 0.3 * NOISE)
    expected = np.exp(0.05 * np.arange(90, 96) + 0.3**2 / 2)
    assert means(values).mean(axis=0) == pytest.approx(expected, rel=0.06)


def test_means_are_not_carried_on_by_slopes_that_chance_makes() -> None:
    values = np.exp(NOISE[:, :24])
    assert means(values, 24)[:, -1].mean() == pytest.approx(values.mean(), rel=0.1)


def test_means_of_values_pass_over_gaps() -> None:
    values = np.exp(NOISE)
    values[:, 10::3] = np.nan
    assert means(values).mean() == pytest.approx(np.nanmean(values), rel=0.03)


def test_means_of_values_are_used_where_there_is_much_noise_and_history() -> None:
    noise = NOISE[0]
    assert share(0.05 * noise) == 0
    assert 0 < share(0.15 * noise) < 1
    assert share(0.5 * noise) == 1
    assert share(0.5 * noise[:12]) == 0
