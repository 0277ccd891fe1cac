"""Forecasts before any training: by the pretrained networks, calibrated and judged on what is known."""

from functools import lru_cache

import numpy as np

from models.assessment import Assessment, assess
from models.baselines import simple_forecast
from models.calibration import LEVELS, Calibration
from models.config import MOST_STEPS
from models.errors import HorizonTooLong, UnusableHistory
from models.forecasting import forecast, resolve_device
from models.forecasts import Forecast
from models.held_out import HeldOut
from models.methods import Method
from models.network import Forecaster, pretrained_member
from models.panel import Panel
from models.pretrained import VIEW, zero_shot_config

RIVALS = ("naive", "seasonal_naive", "drift", "theta")
"""Simple methods that can be asked while somebody waits; ETS takes a tenth of a second for a series."""

SHORTEST, LONGEST = 6, 48
"""Bounds of the horizon that is meant when none is said."""


def usual_horizon(season_length: int) -> int:
    """How far ahead to look where nobody says: a season, within bounds."""
    return min(max(SHORTEST, season_length), LONGEST)


@lru_cache(maxsize=16)
def zero_shot(horizon: int, season_length: int, device: str = "cpu") -> Forecaster:
    """The pretrained networks, to forecast so many steps of series of one season.

    Raises `HorizonTooLong` beyond what they have learned, and `DeviceUnavailable`.
    """
    if not 1 <= horizon <= MOST_STEPS:
        raise HorizonTooLong(
            f"The horizon is {horizon}; without a training it can be 1 to {MOST_STEPS} steps. Ask for fewer, "
            "or train a model with that horizon."
        )
    config, place = zero_shot_config(horizon, season_length), resolve_device(device)
    networks = (pretrained_member(config, member) for member in range(config.members))
    return Forecaster(config, tuple(network.to(place) for network in networks))


def look_back(forecaster: Forecaster, panel: Panel) -> Assessment | None:
    """How the networks would have done on the last steps of these series, beside `RIVALS`.

    None where the series are too short to hold any out.
    """
    config = forecaster.config
    try:
        held_out = HeldOut.of(panel, config)
    except UnusableHistory:
        return None
    raw: dict[str, Forecast] = {VIEW: forecast(forecaster, held_out.known, levels=LEVELS)}
    for name in RIVALS:
        raw[name] = simple_forecast(name, held_out.known, config.horizon, config.season_length, LEVELS)
    return assess(raw, held_out, VIEW, tried=[raw[VIEW].median], blending="network", seed=config.seed)


def as_they_are(horizon: int) -> Method:
    """The networks alone, with bounds that nothing has calibrated."""
    return Method({VIEW: 1.0}, Calibration(np.ones((horizon, len(LEVELS))), windows=0))
