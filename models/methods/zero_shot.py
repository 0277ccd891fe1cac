"""Zero-shot forecasts: with the pretrained networks, without a training."""

from functools import lru_cache

from models.choices import Seasons
from models.horizon import check_pretrained
from models.methods.calibration import Calibration
from models.methods.combination import Method
from models.network.devices import resolve_device
from models.network.forecaster import Forecaster, pretrained_member
from models.network.pretrained import VIEW, zero_shot_config


@lru_cache(maxsize=16)
def zero_shot_forecaster(horizon: int, seasons: Seasons, device: str = "cpu") -> Forecaster:
    """Return the pretrained networks, set up for a horizon and the seasons of series.

    Raise `HorizonTooLong` for a horizon that they were not trained for, and `DeviceUnavailable`.
    """
    check_pretrained(horizon)
    config, place = zero_shot_config(horizon, seasons), resolve_device(device)
    networks = (pretrained_member(config, member) for member in range(config.members))
    return Forecaster(config, tuple(network.to(place) for network in networks))


def uncalibrated_method(horizon: int) -> Method:
    """Return the method of the networks alone, with uncalibrated bounds."""
    return Method({VIEW: 1.0}, Calibration.identity(horizon))
