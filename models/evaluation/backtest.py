"""The backtest: error measures of networks and baselines on held-out windows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.choices import Architecture, Measure, MemberStart
from models.evaluation.held_out import HeldOut
from models.evaluation.losses import (
    BACKTEST_LEVELS,
    absolute_scaled,
    losses_by,
    measure_of,
    percentages,
    quantile_losses,
    squared_scaled,
)
from models.methods.baselines import OF_DEMAND
from models.methods.forecast import Forecast
from models.metrics import covered, interval_scores, mean, mean_by, scaled_errors
from models.panel import Floats

if TYPE_CHECKING:
    from models.network.forecaster import Forecaster


COVERED = "cov"


@dataclass(frozen=True)
class Measures:
    """Errors of one method; each is first averaged within a series, and then over the series.

    `smape`: in percent.
    `mase`: in units of the seasonal naive error (Hyndman & Koehler, 2006).
    `rmsse`: in units of the seasonal naive error (Makridakis et al., 2022, The M5 accuracy competition).
    `pinball`: the mean loss over the median and the bounds, in units of the MASE scale.
    `interval_score`: the mean over the levels, in units of the MASE scale (Gneiting & Raftery, 2007).
    `coverage`: the share of values, from 0 to 1, within each level's interval; NaN from a single cut, whose
    windows share the period that the intervals were calibrated on.
    Those in units of a scale are NaN where no series has one.
    """

    smape: float
    mase: float
    rmsse: float
    pinball: float
    interval_score: float
    coverage: Mapping[int, float]


@dataclass(frozen=True, eq=False)
class Backtest:
    """Every method's forecast (window, horizon) of the same windows, by name.

    Bounds are at `levels`, or more; errors read those at `BACKTEST_LEVELS`. Nothing in a forecast was fitted
    on its own window.
    """

    held_out: HeldOut
    forecasts: Mapping[str, Forecast]
    levels: tuple[int, ...] = BACKTEST_LEVELS

    @property
    def apart(self) -> "Backtest":
        """The windows of which no two share steps: what a verdict may conclude from."""
        if self.held_out.apart is self.held_out:
            return self
        return replace(self.rows(self.held_out.is_apart), held_out=self.held_out.apart)

    def rows(self, chosen: NDArray[np.bool_]) -> "Backtest":
        """Return the chosen (window,) windows alone."""
        forecasts = {name: forecast.rows(chosen) for name, forecast in self.forecasts.items()}
        return Backtest(self.held_out.rows(chosen), forecasts, self.levels)

    @property
    def measure(self) -> Measure:
        """The measure of a verdict: the one asked for, or by itself that of the windows or of demand."""
        return measure_of(self.held_out, of_demand=bool(OF_DEMAND.keys() & self.forecasts.keys()))

    def errors(self, method: str) -> Floats:
        """Return (window, horizon), errors whose mean within a unit is its `measure`; NaN where left out."""
        return losses_by(self.measure, self.held_out, self.forecasts[method])

    def measures(self, method: str) -> Measures:
        """Return the measures of a method over all steps."""
        return self._measures(self._losses(method), slice(None))

    def held(self, method: str) -> dict[int, float]:
        """Return the share of values that a method held at each level it has; NaN from a single cut."""
        forecast, series = self.forecasts[method], self.held_out.series
        return {level: mean(mean_by(series, self._covered(forecast, level))) for level in forecast.lo}

    def measures_by_step(self, method: str) -> tuple[Measures, ...]:
        """Return the measures for each step ahead."""
        losses = self._losses(method)
        return tuple(self._measures(losses, slice(k, k + 1)) for k in range(self.held_out.horizon))

    def measures_by_series(self, method: str) -> tuple[Measures, ...]:
        """Return the measures for each series of `held_out.tested`, over all its windows and steps."""
        columns = self._by_series(self._losses(method), slice(None))
        return tuple(
            _to_measures({name: float(values[i]) for name, values in columns.items()})
            for i in range(len(self.held_out.tested))
        )

    def _measures(self, losses: Mapping[str, Floats], steps: slice) -> Measures:
        return _to_measures({name: mean(values) for name, values in self._by_series(losses, steps).items()})

    def _by_series(self, losses: Mapping[str, Floats], steps: slice) -> dict[str, Floats]:
        """Return each measure (tested,), over the windows and the chosen steps of a series."""
        series = self.held_out.series
        means = {name: mean_by(series, values[:, steps]) for name, values in losses.items()}
        return means | {"rmsse": np.sqrt(means["rmsse"])}

    def _losses(self, method: str) -> dict[str, Floats]:
        """Return (window, horizon) for each measure: the errors that it averages, squared for RMSSE."""
        held_out, forecast = self.held_out, self.forecasts[method]
        return {
            "smape": percentages(held_out, forecast),
            "mase": absolute_scaled(held_out, forecast),
            "rmsse": squared_scaled(held_out, forecast),
            "pinball": quantile_losses(held_out, forecast, held_out.scale),
            "interval_score": self._interval_scores(forecast),
            **{f"{COVERED}{level}": self._covered(forecast, level) for level in self.levels},
        }

    def _covered(self, forecast: Forecast, level: int) -> Floats:
        """Return (window, horizon): 1 for a value within the bounds, 0 outside; NaN without another cut."""
        inside = covered(self.held_out.target, forecast.lo[level], forecast.hi[level])
        has_others = len(np.unique(self.held_out.apart.cut)) > 1
        return inside if has_others else np.full_like(inside, np.nan)

    def _interval_scores(self, forecast: Forecast) -> Floats:
        """Return (window, horizon), the mean interval score over the levels, in units of scale."""
        scores = [
            interval_scores(self._scaled(forecast.lo[level]), self._scaled(forecast.hi[level]), level)
            for level in BACKTEST_LEVELS
        ]
        mean_score: Floats = np.mean(scores, axis=0)
        return mean_score

    def _scaled(self, forecast: Floats) -> Floats:
        return scaled_errors(self.held_out.target, forecast, self.held_out.scale)


def _to_measures(columns: Mapping[str, float]) -> Measures:
    """Return measures from their values by name, with `COVERED` before the level of each coverage."""
    coverage = {int(name[len(COVERED) :]): each for name, each in columns.items() if name.startswith(COVERED)}
    others = {name: value for name, value in columns.items() if not name.startswith(COVERED)}
    return Measures(**others, coverage=coverage)


@dataclass(frozen=True)
class Trial:
    """The errors and costs of one architecture on the held-out windows.

    `start` is that of its best members: pretrained, from scratch, or both. `smape` and `mase` are as in
    `Measures`. `parameters` counts the weights of all members, and `seconds` is the time of the fit.
    """

    architecture: Architecture
    start: MemberStart
    smape: float
    mase: float
    parameters: int
    seconds: float

    @classmethod
    def of(cls, model: "Forecaster", forecast: Forecast, held_out: HeldOut, seconds: float) -> "Trial":
        return cls(
            model.config.architecture,
            model.config.start,
            smape=mean(mean_by(held_out.series, percentages(held_out, forecast))),
            mase=mean(mean_by(held_out.series, absolute_scaled(held_out, forecast))),
            parameters=model.parameters,
            seconds=seconds,
        )
