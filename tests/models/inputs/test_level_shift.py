import numpy as np
import pytest
import torch

from models.choices import NO_SEASONS, Seasons
from models.inputs.level_shift import FEWEST, without_shift
from models.methods.ensemble import ensemble_forecast
from models.methods.zero_shot import zero_shot_forecaster
from models.panel import Floats, Panel

NOISE = np.random.default_rng(4).normal(0, 1, (50, 60))


def moved(values: Floats) -> Floats:
    return without_shift(torch.as_tensor(values)).numpy()


def shifted(at: int, spread: float = 1.0) -> Floats:
    """Noise around 100, and from `at` on around 20 and as wide as `spread` says."""
    early = np.arange(60) < at
    return np.where(early, 100 + NOISE, 20 + spread * NOISE)


@pytest.mark.parametrize("at", [FEWEST, 20, 40, 60 - FEWEST])
def test_values_before_a_shift_are_moved_to_the_level_after_it(at: int) -> None:
    found = moved(shifted(at))
    assert found[:, :at].mean() == pytest.approx(20, abs=0.5)
    assert found[:, at:].tolist() == shifted(at)[:, at:].tolist()


def test_they_become_as_wide_as_those_after_it() -> None:
    assert moved(shifted(30, spread=5.0))[:, :30].std() == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize("at", [1, FEWEST - 1, 60 - FEWEST + 1, 59])
def test_few_values_are_no_level(at: int) -> None:
    values = shifted(at)
    assert moved(values).tolist() == values.tolist()


@pytest.mark.parametrize(
    "values",
    [
        NOISE.cumsum(axis=1),
        NOISE + np.arange(60),
        NOISE + 5 * np.sin(np.arange(60) * np.pi / 6),
        NOISE + 4 * (np.arange(60) > 30),
        np.full((1, 60), 7.0),
        np.full((1, 60), np.nan),
        np.exp(np.arange(60.0)[None] / 20),
    ],
    ids=["walks", "lines", "seasons", "small shifts", "constant", "nothing", "growth"],
)
def test_what_has_no_clear_shift_stays_to_the_bit(values: Floats) -> None:
    np.testing.assert_array_equal(moved(values), values)


def test_gaps_stay_and_count_for_nothing() -> None:
    values = shifted(30)
    values[:, ::5] = np.nan
    found = moved(values)
    assert (np.isnan(found) == np.isnan(values)).all()
    assert np.nanmean(found[:, :30]) == pytest.approx(20, abs=0.5)


def test_constants_that_shift_become_the_later_one() -> None:
    assert moved(np.repeat([[100.0, 20.0]], 30, axis=1)).tolist() == [[20.0] * 60]


@pytest.mark.parametrize(
    ("seasons", "steps", "horizon"),
    [(Seasons((4,)), 24, 6), (Seasons((12,)), 36, 12), (Seasons((7,)), 60, 7), (NO_SEASONS, 20, 6)],
    ids=["quarters", "months", "days", "years"],
)
def test_level_that_shifted_goes_on_without_a_training(seasons: Seasons, steps: int, horizon: int) -> None:
    """From 100 to 20 for the last third: months were 11 times as far off as the last value, others twice."""
    rng, size = np.random.default_rng(7), steps + horizon
    values = np.where(np.arange(size) < steps * 2 // 3, 100.0, 20.0) + rng.normal(0, 1, (50, size))
    history, ahead = values[:, :steps], values[:, steps:]
    forecast = ensemble_forecast(
        zero_shot_forecaster(horizon, seasons), Panel.of(list(history)), levels=(80,)
    )
    assert np.abs(forecast.median - ahead).mean() < np.abs(history[:, -1:] - ahead).mean()
    assert 0.7 < ((ahead >= forecast.lo[80]) & (ahead <= forecast.hi[80])).mean() < 0.9
