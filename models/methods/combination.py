"""The ways to forecast that a training leaves: the network, each simple method, and a blend; calibrated."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.config import HISTORY_LIMIT, TrainingConfig
from models.methods.baselines import BASELINES, baseline_forecast
from models.methods.calibration import LEVELS, Calibration, IntervalBounds
from models.methods.forecast import MOST, Forecast, checked_horizon, floors
from models.panel import Floats, Panel

if TYPE_CHECKING:
    from models.network.forecaster import Forecaster

BLEND = "blend"

NO_MEDIANS: Mapping[str, Floats] = {}


@dataclass(frozen=True, eq=False)
class Method:
    """A weighted mean of forecasts, the `weights` by name adding up to 1, and how to stretch its bounds.

    A name is that of one of `BASELINES`; any other is the network's.
    """

    weights: Mapping[str, float]
    calibration: Calibration

    @property
    def lead(self) -> str:
        """The part whose bounds are the method's: the network, or the sole baseline."""
        return _lead(self.weights)

    @property
    def followers(self) -> list[str]:
        """The simple methods that only its medians are mixed with."""
        return [name for name in self.weights if name != self.lead]

    def bands(self, parts: Mapping[str, Forecast]) -> IntervalBounds:
        """The mean of the parts, which have bounds at `LEVELS`, with calibrated half-widths."""
        return self.calibration.bands(mixture(parts, self.weights))

    def answer(self, parts: Mapping[str, Forecast], levels: Sequence[int]) -> Forecast:
        """The mean of the parts, which have bounds at `LEVELS`, with calibrated bounds at `levels`."""
        return self.bands(parts).at(levels)

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON can hold them."""
        return {"weights": dict(self.weights), "calibration": self.calibration.to_dict()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Method":
        """The inverse of `to_dict`."""
        return cls(dict(stored["weights"]), Calibration.from_dict(stored["calibration"]))


@dataclass(frozen=True, eq=False)
class QuantileForecast:
    """All that a method says of several series, to the trained horizon and at every level.

    `lowest` (series, 1) is what no answer goes below.
    """

    bands: IntervalBounds
    lowest: Floats

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return self.bands.median.nbytes + self.bands.widths.nbytes + self.lowest.nbytes

    def forecast(self, horizon: int, levels: Sequence[int]) -> Forecast:
        """What was asked. Raises `InvalidLevel`."""
        return self.bands.until(horizon).at(levels, self.lowest)

    def split(self) -> Iterator["QuantileForecast"]:
        """Each series by itself, in arrays of its own."""
        for number in range(len(self.lowest)):
            only = slice(number, number + 1)
            bands = IntervalBounds(self.bands.median[only].copy(), self.bands.widths[:, :, only].copy())
            yield QuantileForecast(bands, self.lowest[only].copy())

    @classmethod
    def concatenate(cls, parts: Sequence["QuantileForecast"]) -> "QuantileForecast":
        """Return the series of all parts, one part after the other; the inverse of `split`."""
        if len(parts) == 1:
            return parts[0]
        bands = [part.bands for part in parts]
        return cls(
            IntervalBounds(
                np.concatenate([one.median for one in bands]),
                np.concatenate([one.widths for one in bands], axis=2),
            ),
            np.concatenate([part.lowest for part in parts]),
        )


def compute_quantile_forecast(
    method: Method, forecaster: "Forecaster", panel: Panel, medians: Mapping[str, Floats] = NO_MEDIANS
) -> QuantileForecast:
    """Return a method's forecast of every series: one forward pass, and the fits of its baselines.

    `medians` saves those fits: by baseline, what `baseline_medians` returned for these histories, (series,
    trained horizon), NaN where a series has to be fitted. Raises `UnusableHistory`.
    """
    recent = panel.tail(HISTORY_LIMIT)
    parts = {method.lead: raw_forecast(method.lead, forecaster, recent)}
    for name in method.followers:
        parts[name] = Forecast(_completed(name, forecaster.config, recent, medians.get(name)), lo={}, hi={})
    return QuantileForecast(method.bands(parts), np.maximum(floors(recent), -MOST)[:, None])


def forecast_by(
    method: Method,
    forecaster: "Forecaster",
    panel: Panel,
    *,
    horizon: int | None = None,
    levels: Sequence[int] = (80, 95),
) -> Forecast:
    """What a method answers for the next `horizon` steps of every series, by default the trained horizon.

    As `forecasting.forecast` does, and raises the same; bounds are calibrated.
    """
    steps = checked_horizon(forecaster.config, horizon)
    return compute_quantile_forecast(method, forecaster, panel).forecast(steps, levels)


def raw_forecast(name: str, forecaster: "Forecaster", panel: Panel) -> Forecast:
    """What one name stands for, with the bounds at `LEVELS` that calibration starts from."""
    if name not in BASELINES:
        # Imported here: torch takes seconds, and whoever reads how a model answers needs none of it.
        from models.methods.ensemble import ensemble_forecast  # noqa: PLC0415

        return ensemble_forecast(forecaster, panel, levels=LEVELS)
    config = forecaster.config
    return baseline_forecast(name, panel, config.horizon, config.season_length, LEVELS)


def baseline_medians(name: str, config: TrainingConfig, panel: Panel) -> Floats:
    """(series, trained horizon): the medians of a simple method."""
    return baseline_forecast(name, panel, config.horizon, config.season_length, levels=()).median


def _completed(name: str, config: TrainingConfig, panel: Panel, known: Floats | None) -> Floats:
    """What is known, and the medians of the series where nothing is."""
    if known is None:
        return baseline_medians(name, config, panel)
    missing = np.flatnonzero(np.isnan(known[:, 0]))
    if len(missing):
        known = known.copy()
        known[missing] = baseline_medians(name, config, panel.heads(missing, panel.lengths[missing]))
    return known


def mixture(parts: Mapping[str, Forecast], weights: Mapping[str, float]) -> Forecast:
    """The weighted mean of the medians; the bounds are the lead's, moved along."""
    lead = _lead(weights)
    if len(weights) == 1:
        return parts[lead]
    # Two medians at both ends of float64 are further apart than it reaches.
    with np.errstate(over="ignore"):
        mean = np.sum([weight * parts[name].median for name, weight in weights.items()], axis=0)
        distance = mean - parts[lead].median
    return parts[lead].moved(distance)


def _lead(weights: Mapping[str, float]) -> str:
    return next((name for name in weights if name not in BASELINES), next(iter(weights)))
