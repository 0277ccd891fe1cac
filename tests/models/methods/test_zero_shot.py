import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch

from models.choices import MAX_PRETRAINED_HORIZON, NO_SEASONS, Seasons
from models.errors import ArtifactDamaged, HorizonTooLong
from models.methods.combination import forecast_by
from models.methods.ensemble import ensemble_forecast
from models.methods.reach import settled_steps
from models.methods.zero_shot import uncalibrated_method, zero_shot_forecaster
from models.network import pretrained
from models.network.pretrained import WEIGHTS
from models.panel import Panel
from tests.models.samples import waves
from tests.models.test_any_series import SERIES, assert_sensible

MOST_WEIGHTS, MOST_BYTES = 2_000_000, 8 * 2**20


@pytest.mark.parametrize("name", SERIES)
def test_any_series_is_forecast_sensibly_without_training(name: str) -> None:
    panel = Panel.of([SERIES[name]])
    assert_sensible(ensemble_forecast(zero_shot_forecaster(6, Seasons((4,))), panel), 0, panel.values)


@pytest.mark.parametrize(
    "seasons",
    [
        *[NO_SEASONS, Seasons((4,)), Seasons((7, 365), "days"), Seasons((5, 261), "business_days")],
        *[Seasons((24, 168)), Seasons((52,), "weeks"), Seasons((96, 672)), Seasons((336,))],
    ],
    ids=lambda seasons: seasons.key,
)
def test_every_season_and_the_longest_horizon_are_forecast(seasons: Seasons) -> None:
    forecast = ensemble_forecast(
        zero_shot_forecaster(MAX_PRETRAINED_HORIZON, seasons), waves(series=2, length=30)
    )
    assert forecast.median.shape == (2, MAX_PRETRAINED_HORIZON)
    assert np.isfinite(forecast.median).all()


def test_two_values_are_enough() -> None:
    forecast = ensemble_forecast(zero_shot_forecaster(3, Seasons((12,))), Panel.of([[5.0, 6.0]]))
    assert np.isfinite(forecast.median).all()


def test_forecast_does_not_depend_on_the_horizon() -> None:
    quarters = Seasons((4,))
    near, far = (ensemble_forecast(zero_shot_forecaster(horizon, quarters), waves()) for horizon in (3, 12))
    np.testing.assert_allclose(near.median, far.median[:, :3], rtol=1e-6)


@pytest.mark.parametrize("seasons", [NO_SEASONS, Seasons((12,))], ids=lambda seasons: seasons.key)
@pytest.mark.parametrize("months", [36, 60])
def test_growth_far_ahead_is_no_more_certain_with_the_step_and_may_have_ended(
    months: int, seasons: Seasons
) -> None:
    """It grows by 3 % a month: the upper half-width fell from year to year, and the lower bound rose."""
    t = np.arange(months)
    season = 1 + 0.2 * np.sin(2 * np.pi * t / 12) if seasons.lengths else 1.0
    values = 100 * season * np.exp(0.03 * t + np.random.default_rng(months).normal(0, 0.05, months))
    network = zero_shot_forecaster(MAX_PRETRAINED_HORIZON, seasons)
    method = uncalibrated_method(MAX_PRETRAINED_HORIZON)
    forecast = forecast_by(method, network, Panel.of([values]), levels=(80, 95, 99))
    beyond = settled_steps(seasons.shortest)
    for level, bound in forecast.hi.items():
        width = (bound - forecast.median)[0]
        later, before = width[beyond:], width[beyond - seasons.shortest : -seasons.shortest]
        assert (later >= before * (1 - 1e-9)).all(), level
    assert (forecast.median[0, -1] > 3 * values[-1], forecast.lo[99][0, -1] < values[-1]) == (True, True)


@pytest.mark.parametrize("horizon", [0, MAX_PRETRAINED_HORIZON + 1])
def test_horizon_beyond_the_pretrained_one_is_refused(horizon: int) -> None:
    with pytest.raises(HorizonTooLong, match=f"{MAX_PRETRAINED_HORIZON} steps"):
        zero_shot_forecaster(horizon, Seasons((12,)))


def test_global_random_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    zero_shot_forecaster(5, Seasons((5,)))
    assert torch.equal(torch.get_rng_state(), before)


def test_uncalibrated_method_has_the_bounds_of_the_network() -> None:
    forecaster, panel = zero_shot_forecaster(4, Seasons((4,))), waves()
    plain, forecast = (
        ensemble_forecast(forecaster, panel),
        forecast_by(uncalibrated_method(4), forecaster, panel),
    )
    np.testing.assert_allclose(forecast.lo[80], plain.lo[80])
    assert not uncalibrated_method(4).calibration.is_calibrated(80)


def test_stored_weights_are_small_and_match_their_metadata() -> None:
    metadata = json.loads(WEIGHTS.with_suffix(".json").read_text())
    assert sha256(WEIGHTS.read_bytes()).hexdigest() == metadata["sha256"]
    assert WEIGHTS.stat().st_size <= MOST_BYTES
    assert zero_shot_forecaster(1, Seasons()).parameters <= MOST_WEIGHTS


def test_pretrained_weights_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "WEIGHTS", tmp_path / "damaged")
    pretrained.WEIGHTS.write_bytes(b"no tensors")
    with pytest.raises(ArtifactDamaged, match=r"pretrained weights, .*damaged, cannot be read"):
        pretrained.pretrained_weights.__wrapped__()
