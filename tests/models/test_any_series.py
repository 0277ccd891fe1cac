"""Each odd kind of series, trained on alone and among ordinary ones, has a finite and sensible forecast."""

from dataclasses import replace

import numpy as np
import pytest

from models.choices import Architecture, Seasons
from models.config import preset
from models.methods.baselines import BASELINES
from models.methods.ensemble import ensemble_forecast
from models.methods.forecast import Forecast
from models.panel import Floats, Panel
from models.training.fit import fit
from tests.models.samples import tiny_config, wave, waves

T = np.arange(40)
RANDOM = np.random.default_rng(11)
SERIES: dict[str, Floats] = {
    "zeros": np.zeros(40),
    "constant": np.full(40, 7.5),
    "negative": -wave(40),
    "around zero": np.sin(T / 3.0) * 50,
    "step up": np.where(T < 20, 3.0, 3000.0),
    "step to zero": np.where(T < 30, 500.0, 0.0),
    "one spike": np.where(T == 25, 1e6, 1.0),
    "huge": wave(40) * 1e300,
    "huge and signed": np.sin(T / 3.0) * 1e300,
    "tiny": wave(40) * 1e-300,
    "tiny and signed": np.sin(T / 3.0) * 1e-300,
    "trend with season": 100.0 + 5.0 * T + 20.0 * np.sin(T * np.pi / 2),
    "intermittent": np.where(RANDOM.random(40) < 0.2, RANDOM.integers(1, 6, 40), 0).astype(np.float64),
    "gaps": np.where(T % 3 == 1, np.nan, wave(40)),
    "long gap": np.where((T > 10) & (T < 33), np.nan, wave(40)),
    "ends in a gap": np.where(T > 37, np.nan, wave(40)),
    "shorter than the context": wave(11)[:11],
}


def parts(forecast: Forecast) -> list[Floats]:
    return [forecast.median, *forecast.lo.values(), *forecast.hi.values()]


def assert_sensible(forecast: Forecast, row: int, history: Floats) -> None:
    """Finite, bounds in order, not below zero without need, and the median not far from all that was."""
    assert all(np.isfinite(part[row]).all() for part in parts(forecast))
    assert (forecast.lo[80][row] <= forecast.median[row]).all()
    assert (forecast.median[row] <= forecast.hi[80][row]).all()
    assert np.nanmin(history) < 0 or all((part[row] >= 0).all() for part in parts(forecast))
    values = history[np.isfinite(history)]
    limit = 3 * np.abs(values).max() if values.any() else 0.01
    assert (np.abs(forecast.median[row]) <= limit).all()


@pytest.mark.parametrize("name", SERIES)
def test_odd_series_alone_is_learned_and_answered(name: str) -> None:
    panel = Panel.of([SERIES[name]])
    forecast = ensemble_forecast(fit(panel, tiny_config()), panel)
    assert_sensible(forecast, 0, SERIES[name])


@pytest.mark.parametrize("architecture", ["lstm", "gru", "rnn", "cnn"])
def test_odd_series_together_are_all_answered(architecture: Architecture) -> None:
    panel = Panel.of(list(SERIES.values()))
    forecast = ensemble_forecast(fit(panel, tiny_config(architecture=architecture)), panel)
    for row, history in enumerate(SERIES.values()):
        assert_sensible(forecast, row, history)


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("season_length", [1, 4])
def test_odd_series_get_a_finite_forecast_from_every_baseline(baseline: str, season_length: int) -> None:
    panel = Panel.of([*SERIES.values(), [1.0], [1.0, 2.0], [1.0, 2.0, 4.0]])
    forecast = BASELINES[baseline](panel, 4, season_length)
    assert forecast.shape == (panel.series, 4)
    assert np.isfinite(forecast).all()


def test_odd_series_do_not_spoil_their_neighbours() -> None:
    """Twelve ordinary series stay close to what they are forecast without the odd ones."""
    plain, config = waves(), tiny_config(steps=60)
    ordinary = np.split(plain.values, plain.offsets[1:-1])
    mixed = Panel.of([*ordinary, *SERIES.values()], [*plain.phases, *([0] * len(SERIES))])
    alone = ensemble_forecast(fit(plain, config), plain).median
    among = ensemble_forecast(fit(mixed, config), mixed).median[: plain.series]
    np.testing.assert_allclose(among, alone, rtol=0.5)


@pytest.mark.parametrize("name", ["constant", "zeros"])
def test_series_that_never_changed_is_forecast_to_stay(name: str) -> None:
    panel = Panel.of([SERIES[name]])
    forecast = ensemble_forecast(fit(panel, tiny_config(steps=100)), panel)
    np.testing.assert_allclose(forecast.median[0], SERIES[name][-1], rtol=0.02, atol=0.01)


@pytest.mark.parametrize("length", [4, 5, 9, 30])
def test_preset_trains_one_short_series(length: int) -> None:
    panel = Panel.of([wave(length)])
    config = preset("quick", horizon=1, seasons=Seasons((4,)), values=length, longest=length)
    short = replace(config, steps=20)
    assert_sensible(ensemble_forecast(fit(panel, short), panel), 0, wave(length))
