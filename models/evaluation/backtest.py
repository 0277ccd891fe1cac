"""The backtest: error measures of networks and baselines on held-out windows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.choices import Architecture, Measure, MemberStart
from models.evaluation.held_out import HeldOut
from models.methods.baselines import OF_DEMAND
from models.methods.forecast import Forecast
from models.metrics import (
    covered,
    interval_scores,
    mean,
    mean_by,
    pinball_losses,
    scaled_errors,
)
from models.panel import Floats

if TYPE_CHECKING:
    from models.network.forecaster import Forecaster

BACKTEST_LEVELS = (80, 95)
"""Levels of the intervals that a backtest has."""


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

    Bounds are at `BACKTEST_LEVELS`. Nothing in a forecast was fitted on its own window.
    """

    held_out: HeldOut
    forecasts: Mapping[str, Forecast]

    @property
    def measure(self) -> Measure:
        """The measure of a verdict: that of the windows, or the pinball loss for intermittent demand.

        The absolute error of such demand is least for a forecast of zero. Kolassa (2020), Why the "best"
        point forecast depends on the error or accuracy measure.
        """
        of_demand = OF_DEMAND.keys() & self.forecasts.keys()
        return "pinball" if of_demand and self.held_out.measure == "MASE" else self.held_out.measure

    def errors(self, method: str) -> Floats:
        """Return (window, horizon), the errors of a method, whose mean is `measure`; NaN where left out."""
        forecast = self.forecasts[method]
        if self.measure == "pinball":
            return self._quantile_losses(forecast)
        return self.held_out.errors(forecast.median)

    def measures(self, method: str) -> Measures:
        """Return the measures of a method over all steps."""
        return self._measures(self._losses(method), slice(None))

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
        squares = scaled_errors(held_out.target, forecast.median, held_out.root_scale) ** 2
        return {
            "smape": held_out.smape_errors(forecast.median),
            "mase": held_out.mase_errors(forecast.median),
            "rmsse": squares,
            "pinball": self._quantile_losses(forecast),
            "interval_score": self._interval_scores(forecast),
            **{f"cov{level}": self._covered(forecast, level) for level in BACKTEST_LEVELS},
        }

    def _covered(self, forecast: Forecast, level: int) -> Floats:
        """Return (window, horizon): 1 for a value within the bounds, 0 outside; NaN without another cut."""
        inside = covered(self.held_out.target, forecast.lo[level], forecast.hi[level])
        return inside if len(np.unique(self.held_out.cut)) > 1 else np.full_like(inside, np.nan)

    def _quantile_losses(self, forecast: Forecast) -> Floats:
        """Return (window, horizon), the mean pinball loss over median and bounds, in units of scale."""
        quantiles = {0.5: forecast.median}
        quantiles |= {0.5 - level / 200: forecast.lo[level] for level in BACKTEST_LEVELS}
        quantiles |= {0.5 + level / 200: forecast.hi[level] for level in BACKTEST_LEVELS}
        losses = [pinball_losses(self._scaled(bound), quantile) for quantile, bound in quantiles.items()]
        mean_loss: Floats = np.mean(losses, axis=0)
        return mean_loss

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
    """Return measures from their values by name, with `cov<level>` for each coverage."""
    coverage = {level: columns[f"cov{level}"] for level in BACKTEST_LEVELS}
    others = {name: value for name, value in columns.items() if not name.startswith("cov")}
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
    def of(cls, model: "Forecaster", median: Floats, held_out: HeldOut, seconds: float) -> "Trial":
        return cls(
            model.config.architecture,
            model.config.start,
            smape=mean(mean_by(held_out.series, held_out.smape_errors(median))),
            mase=mean(mean_by(held_out.series, held_out.mase_errors(median))),
            parameters=model.parameters,
            seconds=seconds,
        )


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials, best first: by MASE, or by sMAPE where no series has a scale for MASE."""
    return sorted(trials, key=lambda trial: trial.smape if math.isnan(trial.mase) else trial.mase)
