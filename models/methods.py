"""The ways to forecast that a training leaves: the network, each simple method, and a blend; calibrated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.baselines import BASELINES, simple_forecast
from models.calibration import LEVELS, Calibration
from models.config import HISTORY_LIMIT
from models.forecasting import Forecast, checked_horizon, floors, forecast
from models.network import Forecaster
from models.windows import Panel

BLEND = "blend"


@dataclass(frozen=True, eq=False)
class Method:
    """A weighted mean of forecasts, the `weights` by name adding up to 1, and how to stretch its bounds.

    A name is that of one of `BASELINES`; any other is the network's.
    """

    weights: Mapping[str, float]
    calibration: Calibration

    def answer(self, parts: Mapping[str, Forecast], levels: Sequence[int]) -> Forecast:
        """The mean of the parts, which have bounds at `LEVELS`, with calibrated bounds at `levels`."""
        return self.calibration.stretched(mixture(parts, self.weights), levels)

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON can hold them."""
        return {"weights": dict(self.weights), "calibration": self.calibration.to_dict()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Method":
        """The inverse of `to_dict`."""
        return cls(dict(stored["weights"]), Calibration.from_dict(stored["calibration"]))


def forecast_by(
    method: Method,
    forecaster: Forecaster,
    panel: Panel,
    *,
    horizon: int | None = None,
    levels: Sequence[int] = (80, 95),
) -> Forecast:
    """What a method answers for the next `horizon` steps of every series, by default the trained horizon.

    As `forecasting.forecast` does, and raises the same; bounds are calibrated.
    """
    steps = checked_horizon(forecaster.config, horizon)
    recent = panel.tail(HISTORY_LIMIT)
    parts = {name: raw_forecast(name, forecaster, recent).steps(steps) for name in method.weights}
    return method.answer(parts, levels).at_least(floors(recent))


def raw_forecast(name: str, forecaster: Forecaster, panel: Panel) -> Forecast:
    """What one name stands for, with the bounds at `LEVELS` that calibration starts from."""
    if name not in BASELINES:
        return forecast(forecaster, panel, levels=LEVELS)
    config = forecaster.config
    return simple_forecast(name, panel, config.horizon, config.season_length, LEVELS)


def mixture(parts: Mapping[str, Forecast], weights: Mapping[str, float]) -> Forecast:
    """The weighted mean of the medians; the bounds are the network's, moved along, or the sole baseline's."""
    if len(weights) == 1:
        return parts[next(iter(weights))]
    lead = next(name for name in weights if name not in BASELINES)
    # Two medians at both ends of float64 are further apart than it reaches.
    with np.errstate(over="ignore"):
        mean = np.sum([weight * parts[name].median for name, weight in weights.items()], axis=0)
        distance = mean - parts[lead].median
    return parts[lead].moved(distance)
