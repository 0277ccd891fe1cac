"""How good each method is: networks and baselines compared on windows that no network has learned from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.choices import Architecture, MemberStart
from models.evaluation.held_out import HeldOut
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

LEVELS = (80, 95)
"""Levels of the intervals that are tested."""


@dataclass(frozen=True)
class Measures:
    """Errors of one method; each is first averaged within a series, and then over the series.

    `smape` in percent; `mase`, `rmsse` (Hyndman & Koehler, 2006; Makridakis et al., 2022, The M5 accuracy
    competition; both in units of the seasonal naive error), `pinball`, the mean loss over the median and the
    bounds, and `interval_score`, the mean scaled interval score over the levels (Gneiting & Raftery, 2007;
    both in units of the MASE scale), are NaN where no series has a scale. `coverage` is the share from 0 to 1
    that each level's interval holds.
    """

    smape: float
    mase: float
    rmsse: float
    pinball: float
    interval_score: float
    coverage: Mapping[int, float]


@dataclass(frozen=True, eq=False)
class Backtest:
    """What every method, by its name, answered for the same windows; median and bounds (window, horizon).

    Bounds are those of `LEVELS`. Nothing that an answer depends on was learned from its own window.
    """

    held_out: HeldOut
    forecasts: Mapping[str, Forecast]

    def measures(self, method: str) -> Measures:
        """Over all steps."""
        return self._measures(self._losses(method), slice(None))

    def measures_by_step(self, method: str) -> tuple[Measures, ...]:
        """One for each step ahead."""
        losses = self._losses(method)
        return tuple(self._measures(losses, slice(k, k + 1)) for k in range(self.held_out.horizon))

    def measures_by_series(self, method: str) -> tuple[Measures, ...]:
        """One for each series of `held_out.tested`, over all its windows and steps."""
        columns = self._by_series(self._losses(method), slice(None))
        return tuple(
            _named({name: float(values[i]) for name, values in columns.items()})
            for i in range(len(self.held_out.tested))
        )

    def _measures(self, losses: Mapping[str, Floats], steps: slice) -> Measures:
        return _named({name: mean(values) for name, values in self._by_series(losses, steps).items()})

    def _by_series(self, losses: Mapping[str, Floats], steps: slice) -> dict[str, Floats]:
        """For each measure (tested,), over a series' windows and some of its steps."""
        series = self.held_out.series
        means = {name: mean_by(series, values[:, steps]) for name, values in losses.items()}
        return means | {"rmsse": np.sqrt(means["rmsse"])}

    def _losses(self, method: str) -> dict[str, Floats]:
        """For each measure (window, horizon): what it is the mean of; RMSSE is the root of its own."""
        held_out, answer = self.held_out, self.forecasts[method]
        squares = scaled_errors(held_out.target, answer.median, held_out.root_scale) ** 2
        return {
            "smape": held_out.smape_errors(answer.median),
            "mase": held_out.mase_errors(answer.median),
            "rmsse": squares,
            "pinball": self._quantile_losses(answer),
            "interval_score": self._interval_scores(answer),
            **{
                f"cov{level}": covered(held_out.target, answer.lo[level], answer.hi[level])
                for level in LEVELS
            },
        }

    def _quantile_losses(self, answer: Forecast) -> Floats:
        """(window, horizon): the mean over the median and both bounds of each interval, in units of scale."""
        quantiles = {0.5: answer.median}
        quantiles |= {0.5 - level / 200: answer.lo[level] for level in LEVELS}
        quantiles |= {0.5 + level / 200: answer.hi[level] for level in LEVELS}
        losses = [pinball_losses(self._scaled(bound), quantile) for quantile, bound in quantiles.items()]
        mean_loss: Floats = np.mean(losses, axis=0)
        return mean_loss

    def _interval_scores(self, answer: Forecast) -> Floats:
        """(window, horizon): the mean over the levels, in units of scale."""
        scores = [
            interval_scores(self._scaled(answer.lo[level]), self._scaled(answer.hi[level]), level)
            for level in LEVELS
        ]
        mean_score: Floats = np.mean(scores, axis=0)
        return mean_score

    def _scaled(self, answer: Floats) -> Floats:
        return scaled_errors(self.held_out.target, answer, self.held_out.scale)


def _named(columns: Mapping[str, float]) -> Measures:
    """Measures from their names, coverage by its level."""
    coverage = {level: columns[f"cov{level}"] for level in LEVELS}
    others = {name: value for name, value in columns.items() if not name.startswith("cov")}
    return Measures(**others, coverage=coverage)


@dataclass(frozen=True)
class Trial:
    """One architecture on the held-out steps: errors of its median, the weights it has, and what it took.

    `start` is what those of its networks began as that did best.

    `smape` in percent, `mase` in units of the seasonal naive error (NaN where no history has one), as
    `Measures` has them; `parameters` of all members together; `seconds` of its fit.
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
    """The best first: by MASE, or by sMAPE where no series has a scale for MASE."""
    return sorted(trials, key=lambda trial: trial.smape if math.isnan(trial.mase) else trial.mase)
