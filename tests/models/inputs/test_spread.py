"""What a short history borrows from series like it: on average over histories that are drawn."""

import numpy as np
import pytest
import torch
from torch import Tensor

from models.choices import NO_SEASONS, Seasons
from models.inputs.spread import LONG, spread_factors
from models.methods.combination import forecast_by
from models.methods.zero_shot import uncalibrated_method, zero_shot_forecaster
from models.panel import Floats, Panel
from tests.models.samples import using_threads

HORIZON = 12


def factors(values: Floats | Tensor, season: Floats | None = None, season_length: int = 1) -> Floats:
    rest = torch.as_tensor(values)
    pattern = torch.zeros_like(rest) if season is None else torch.as_tensor(season).expand_as(rest)
    return spread_factors(rest, pattern, season_length, HORIZON).numpy()


def shocks(count: int, steps: int) -> Floats:
    return np.random.default_rng(3).normal(0, 1, (count, steps))


def test_walks_spread_further_ahead_and_noise_does_not() -> None:
    walks, noise = (factors(each).mean(axis=0) for each in (shocks(200, 40).cumsum(axis=1), shocks(200, 40)))
    assert 1.05 < walks[0] < 1.15
    assert 1.2 < walks[-1] < 1.35
    assert (np.diff(walks) > 0).all()
    assert 0.8 < noise[-1] < noise[0] < 1.15


def test_long_series_and_smooth_curves_stay_as_they_are() -> None:
    assert (factors(shocks(3, LONG).cumsum(axis=1)) == 1).all()
    assert (factors(np.arange(40.0)[None] ** 2) == 1).all()


def test_longer_series_borrow_less() -> None:
    far = [factors(shocks(50, steps).cumsum(axis=1)).mean(axis=0)[-1] for steps in (80, 150, 250, 390)]
    assert far == sorted(far, reverse=True)
    assert far[-1] < 1.02


@pytest.mark.parametrize("history", [np.full(20, 7.0), np.append(np.full(19, np.nan), 3.0), [1.0, 1.0]])
def test_history_that_never_changed_stays_as_it_is(history: Floats) -> None:
    assert (factors(np.asarray(history)[None]) == 1).all()


def test_gaps_and_a_wild_value_change_little() -> None:
    walks = shocks(100, 60).cumsum(axis=1)
    gappy, wild = walks.copy(), walks.copy()
    gappy[:, ::7] = np.nan
    wild[:, 30] += 1e6
    for other in (gappy, wild):
        assert factors(other).mean() == pytest.approx(factors(walks).mean(), rel=0.1)


def test_season_of_few_cycles_adds_doubt() -> None:
    noise, pattern = shocks(50, 36), np.tile(np.linspace(-5, 5, 12), 3)
    three, none = factors(noise, pattern, 12), factors(noise)
    nine = factors(shocks(50, 108), np.tile(pattern, 3), 12)
    assert three.mean() > nine.mean() * 1.03
    assert three.mean() > none.mean() * 1.1


def test_each_history_has_the_factors_that_it_would_have_alone() -> None:
    walks = shocks(5, 30).cumsum(axis=1)
    np.testing.assert_allclose(factors(walks)[2:3], factors(walks[2:3]))


@pytest.mark.parametrize(
    ("seasons", "steps", "horizon"),
    [(Seasons((4,)), 24, 6), (Seasons((12,)), 36, 12), (Seasons((7,)), 60, 7), (NO_SEASONS, 20, 6)],
    ids=["quarters", "months", "days", "years"],
)
@pytest.mark.parametrize("process", ["walk", "AR(1)", "season", "trend"])
def test_short_series_hold_four_in_five_without_a_training(
    process: str, seasons: Seasons, steps: int, horizon: int
) -> None:
    """400 drawn series, whose coverage has a standard error of 1 to 1.5 points; walks held 65 to 70 %."""
    drawn = np.random.default_rng(steps).normal(0, 1, (400, steps + horizon))
    values = 100 + DRAWN[process](drawn, seasons.shortest)
    with using_threads(1):
        forecast = forecast_by(
            uncalibrated_method(horizon),
            zero_shot_forecaster(horizon, seasons),
            Panel.of(list(values[:, :steps])),
            levels=(80,),
        )
    ahead = values[:, steps:]
    held = ((ahead >= forecast.lo[80]) & (ahead <= forecast.hi[80])).mean()
    assert 0.75 - 0.025 < held < 0.85 + 0.025


def autoregression(drawn: Floats, _: int) -> Floats:
    path = drawn.copy()
    for step in range(1, path.shape[1]):
        path[:, step] += 0.7 * path[:, step - 1]
    return path


def season(drawn: Floats, length: int) -> Floats:
    pattern = 3 * np.random.default_rng(1).normal(0, 1, (len(drawn), length))
    return drawn + pattern[:, np.arange(drawn.shape[1]) % length]


def trend(drawn: Floats, _: int) -> Floats:
    slopes = np.random.default_rng(2).uniform(-0.5, 0.5, (len(drawn), 1))
    return drawn + slopes * np.arange(drawn.shape[1])


DRAWN = {
    "walk": lambda drawn, _: drawn.cumsum(axis=1),
    "AR(1)": autoregression,
    "season": season,
    "trend": trend,
}
