import numpy as np
import pytest
import torch

from models.inputs.trend import Trend, trend_forecast
from models.panel import Floats

NOISE = np.random.default_rng(7).normal(size=(100, 60))
STEPS = np.arange(60.0)


def forecast(values: Floats, horizon: int = 8, *, logs: bool = False) -> tuple[Floats, Floats]:
    made = trend(values, horizon, logs=logs)
    return made.forecast.numpy(), made.weight.numpy()[:, 0]


def trend(values: Floats, horizon: int = 8, *, logs: bool = False) -> Trend:
    z = torch.tensor(np.atleast_2d(values))
    return trend_forecast(z, horizon, torch.full((len(z), 1), logs))


def test_line_is_continued_where_it_is_steep_for_its_noise() -> None:
    made, weight = forecast(0.5 * STEPS + NOISE)
    assert np.median(weight) > 0.9
    assert np.abs(made[weight > 0].mean(axis=0) - 0.5 * (60 + np.arange(8))).max() < 1


def test_line_since_a_break_is_continued() -> None:
    made, _ = forecast(1.5 * np.maximum(STEPS - 40, 0) + NOISE)
    assert np.median(made[:, -1]) == pytest.approx(1.5 * 27, abs=3)


def test_random_walk_has_hardly_any_trend() -> None:
    assert forecast(NOISE.cumsum(axis=1))[1].mean() < 0.1


def test_noise_without_trend_has_none() -> None:
    assert forecast(NOISE)[1].mean() < 0.02


def test_slowly_changing_growth_goes_on_as_the_last_change() -> None:
    z = np.cumsum(0.01 + 0.0001 * STEPS)
    made, weight = forecast(z, logs=True)
    assert weight[0] == 1
    assert made[0, 0] - z[-1] == pytest.approx(z[-1] - z[-2])


def test_fast_growth_fades() -> None:
    made, weight = forecast(0.2 * STEPS + 0.001 * NOISE[0], logs=True)
    assert weight[0] > 0.9
    assert np.diff(made[0])[-1] < 0.5 * 0.2


def test_line_of_values_is_straight_although_logarithms_are_given() -> None:
    values = 100 + 3 * STEPS + 0.1 * NOISE[0]
    made, _ = forecast(np.log(values), logs=True)
    assert np.exp(made[0, -1]) == pytest.approx(100 + 3 * 67, rel=0.01)


@pytest.mark.parametrize("kept", [0, 1, 2, 5])
def test_few_values_have_no_trend(kept: int) -> None:
    z = np.full(60, np.nan)
    z[60 - kept :] = np.arange(kept)
    made, weight = forecast(z)
    assert weight[0] == 0
    assert np.isfinite(made).all()


def test_decline_that_gathers_pace_goes_on_by_its_last_change() -> None:
    z = 1000 - np.cumsum(np.maximum(STEPS - 50, 0))
    made, weight = forecast(z, horizon=5)
    assert weight[0] > 0.8
    assert made[0, -1] == pytest.approx(z[-1] - 5 * 9, abs=1)


def test_curve_that_bends_steadily_is_no_line_with_noise() -> None:
    assert trend(np.cumsum(0.01 + 0.0001 * STEPS), logs=True).is_curve.all()
    assert not trend(0.5 * STEPS + NOISE).is_curve.any()
