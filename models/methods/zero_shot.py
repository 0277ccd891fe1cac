"""Forecasts before any training: by the pretrained networks."""

from functools import lru_cache

import numpy as np

from models.config import MOST_STEPS
from models.errors import HorizonTooLong
from models.methods.calibration import LEVELS, Calibration
from models.methods.combination import Method
from models.network.devices import resolve_device
from models.network.forecaster import Forecaster, pretrained_member
from models.network.pretrained import VIEW, zero_shot_config

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


def as_they_are(horizon: int) -> Method:
    """The networks alone, with bounds that nothing has calibrated."""
    return Method({VIEW: 1.0}, Calibration(np.ones((horizon, len(LEVELS))), windows=0))
