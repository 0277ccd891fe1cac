"""Forecasting methods of a model: its network, each baseline, and a blend of both, calibrated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.choices import DEFAULT_LEVELS
from models.config import TrainingConfig
from models.inputs.intermittence import demands
from models.methods.baselines import EVERY_BASELINE, baseline_forecast
from models.methods.calibration import CALIBRATED_LEVELS, Calibration, IntervalBounds
from models.methods.endings import with_endings
from models.methods.forecast import Forecast, checked_horizon
from models.methods.mean import means
from models.methods.reach import Reach, slowed
from models.methods.support import Support
from models.panel import Floats, Panel

if TYPE_CHECKING:
    from models.network.forecaster import Forecaster

BLEND = "blend"

NO_MEDIANS: Mapping[str, Floats] = {}


@dataclass(frozen=True, eq=False)
class Method:
    """A weighted mean of forecasts, and the calibration of its bounds.

    `weights` sum to 1. Their names are those of `EVERY_BASELINE`; any other is the network's.
    """

    weights: Mapping[str, float]
    calibration: Calibration

    @property
    def primary(self) -> str:
        """The part whose bounds the method has: the network, or the only baseline."""
        return primary_of(self.weights)

    @property
    def partners(self) -> list[str]:
        """The baselines whose medians are averaged with the primary part's."""
        return [name for name in self.weights if name != self.primary]

    def interval_bounds(self, parts: Mapping[str, Forecast], reach: Reach) -> IntervalBounds:
        """Return the mean of parts with bounds at `CALIBRATED_LEVELS`, its half-widths calibrated."""
        return bounded_intervals(self.calibration, weighted_mean(parts, self.weights), reach)

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON types."""
        return {"weights": dict(self.weights), "calibration": self.calibration.to_dict()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Method":
        """Invert `to_dict`."""
        return cls(dict(stored["weights"]), Calibration.from_dict(stored["calibration"]))


@dataclass(frozen=True, eq=False)
class QuantileForecast:
    """A method's forecast of several series at every level, up to the trained horizon.

    Median and bounds are values of the `support`. `mean` is (series, horizon).
    """

    bounds: IntervalBounds
    support: Support
    mean: Floats

    def forecast(self, horizon: int, levels: Sequence[int]) -> Forecast:
        """Return the first `horizon` steps with bounds at `levels`. Raise `InvalidLevel`."""
        return self.bounds.steps(horizon).at(levels, self.support)


def compute_quantile_forecast(
    method: Method, forecaster: "Forecaster", panel: Panel, medians: Mapping[str, Floats] = NO_MEDIANS
) -> QuantileForecast:
    """Return a method's forecast of every series: one forward pass, and the fits of its baselines.

    `medians` saves those fits: by baseline, what `baseline_medians` returned for these histories, (series,
    trained horizon), NaN where a series has to be fitted. Raises `UnusableHistory`.
    """
    recent = panel.tail(forecaster.config.history_limit)
    parts = {method.primary: uncalibrated_forecast(method.primary, forecaster, recent)}
    for name in method.partners:
        parts[name] = Forecast(
            _fill_medians(name, forecaster.config, recent, medians.get(name)), lo={}, hi={}
        )
    season_length = forecaster.config.season_length
    found = demands(recent, season_length)
    bounds = with_endings(method.interval_bounds(parts, Reach.of(recent, season_length)), found)
    support = Support.of(recent, found)
    mean = means(bounds, support.lowest, found, parts[method.primary].smoothed)
    return QuantileForecast(bounds, support if method.calibration.whole else support.continuous, mean)


def forecast_by(
    method: Method,
    forecaster: "Forecaster",
    panel: Panel,
    *,
    horizon: int | None = None,
    levels: Sequence[int] = DEFAULT_LEVELS,
) -> Forecast:
    """Forecast the next `horizon` steps of every series with a method; the default is the trained horizon.

    Bounds are calibrated. Raise as `ensemble_forecast` does.
    """
    steps = checked_horizon(forecaster.config, horizon)
    return compute_quantile_forecast(method, forecaster, panel).forecast(steps, levels)


def uncalibrated_forecast(name: str, forecaster: "Forecaster", panel: Panel) -> Forecast:
    """Return the forecast of one part of a method, with uncalibrated bounds at `CALIBRATED_LEVELS`."""
    if name not in EVERY_BASELINE:
        # Imported here: torch takes seconds, and reading the method of a model does not need it.
        from models.methods.ensemble import ensemble_forecast  # noqa: PLC0415

        return ensemble_forecast(forecaster, panel, levels=CALIBRATED_LEVELS)
    config = forecaster.config
    return baseline_forecast(name, panel, config.horizon, config.season_length, CALIBRATED_LEVELS)


def baseline_medians(name: str, config: TrainingConfig, panel: Panel) -> Floats:
    """Return (series, trained horizon), the medians of a baseline."""
    return baseline_forecast(name, panel, config.horizon, config.season_length, levels=()).median


def _fill_medians(name: str, config: TrainingConfig, panel: Panel, medians: Floats | None) -> Floats:
    """Return the medians of a baseline, computed for the series without any."""
    if medians is None:
        return baseline_medians(name, config, panel)
    missing = np.flatnonzero(np.isnan(medians[:, 0]))
    if len(missing):
        medians = medians.copy()
        medians[missing] = baseline_medians(name, config, panel.heads(missing, panel.lengths[missing]))
    return medians


def bounded_intervals(calibration: Calibration, forecast: Forecast, reach: Reach) -> IntervalBounds:
    """Return a forecast with bounds at `CALIBRATED_LEVELS`, its half-widths calibrated and in reach."""
    if not calibration.bounded:
        return calibration.apply(forecast)
    return calibration.apply(slowed(forecast, reach.season_length)).within(reach)


def weighted_mean(parts: Mapping[str, Forecast], weights: Mapping[str, float]) -> Forecast:
    """Return the weighted mean of the medians, with the bounds of the primary part shifted along."""
    primary = primary_of(weights)
    if len(weights) == 1:
        return parts[primary]
    # The distance between the two ends of float64 overflows.
    with np.errstate(over="ignore"):
        mean = np.sum([weight * parts[name].median for name, weight in weights.items()], axis=0)
        distance = mean - parts[primary].median
    return parts[primary].shifted(distance)


def primary_of(weights: Mapping[str, float]) -> str:
    """Return the part of a method that its bounds come from: the network, or the only baseline."""
    return next((name for name in weights if name not in EVERY_BASELINE), next(iter(weights)))
