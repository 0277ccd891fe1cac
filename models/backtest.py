"""How good each method is: networks and baselines compared on windows that no network has learned from."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.baselines import BASELINES, Baseline
from models.config import Architecture, TrainingConfig
from models.errors import TrainingStopped
from models.forecasting import Forecast, forecast
from models.held_out import HeldOut
from models.metrics import covered, mean, mean_by, percentage_errors, pinball_losses, scaled_errors
from models.network import Forecaster
from models.windows import Floats, Integers

LEVELS = (80, 95)
"""Levels of the intervals whose coverage is told."""

_AT_ONCE = 16


@dataclass(frozen=True)
class Measures:
    """Errors of one method; each is first averaged within a series, and then over the series.

    `smape` in percent; `mase`, `rmsse` (Hyndman & Koehler, 2006; Makridakis et al., 2022, The M5 accuracy
    competition; both in units of the seasonal naive error) and `pinball`, the mean loss over the quantiles
    in units of the MASE scale, are NaN where no series has a scale. `coverage` is the share from 0 to 1 that
    each level's interval holds. A method without intervals has no pinball loss (None) and no coverage.
    """

    smape: float
    mase: float
    rmsse: float
    pinball: float | None
    coverage: Mapping[int, float]


@dataclass(frozen=True, eq=False)
class Backtest:
    """What every method, by its name, forecast for the same windows; `median` and bounds (window, horizon).

    Methods are the architectures tried, with bounds at the trained levels and at `LEVELS`, and, where they
    were asked (`beside_baselines`), `BASELINES`, with a median alone.
    """

    held_out: HeldOut
    forecasts: Mapping[str, Forecast]

    @property
    def tested(self) -> Integers:
        """The numbers, rising, of the series that have a window."""
        return np.unique(self.held_out.series)

    def measures(self, method: str) -> Measures:
        """Over all steps."""
        return self._measures(method, slice(None))

    def measures_by_step(self, method: str) -> tuple[Measures, ...]:
        """One for each step ahead."""
        return tuple(self._measures(method, slice(k, k + 1)) for k in range(self.held_out.horizon))

    def mase_by_series(self, method: str) -> Floats:
        """(tested,): over all of a series' windows and steps; NaN for a series without a scale."""
        return mean_by(self.held_out.series, self.mase_errors(method))

    def mase_errors(self, method: str) -> Floats:
        """(window, horizon): the absolute errors that MASE is the mean of; NaN where one does not count."""
        held_out = self.held_out
        return np.abs(scaled_errors(held_out.target, self.forecasts[method].median, held_out.scale))

    def smape_errors(self, method: str) -> Floats:
        """(window, horizon): the percentage errors that sMAPE is the mean of."""
        return percentage_errors(self.held_out.target, self.forecasts[method].median)

    def _measures(self, method: str, steps: slice) -> Measures:
        held_out, answer = self.held_out, self.forecasts[method]
        squares = scaled_errors(held_out.target, answer.median, held_out.root_scale)[:, steps] ** 2
        return Measures(
            smape=self._mean(self.smape_errors(method)[:, steps]),
            mase=self._mean(self.mase_errors(method)[:, steps]),
            rmsse=mean(np.sqrt(mean_by(held_out.series, squares))),
            pinball=self._mean(self._quantile_losses(answer)[:, steps]) if answer.lo else None,
            coverage={level: self._coverage(answer, level, steps) for level in LEVELS if level in answer.lo},
        )

    def _quantile_losses(self, answer: Forecast) -> Floats:
        """(window, horizon): the mean over the median and both ends of each interval, in units of scale."""
        held_out = self.held_out
        quantiles = {0.5: answer.median}
        quantiles |= {0.5 - level / 200: lo for level, lo in answer.lo.items()}
        quantiles |= {0.5 + level / 200: hi for level, hi in answer.hi.items()}
        losses = [
            pinball_losses(scaled_errors(held_out.target, bound, held_out.scale), quantile)
            for quantile, bound in quantiles.items()
        ]
        mean_loss: Floats = np.mean(losses, axis=0)
        return mean_loss

    def _coverage(self, answer: Forecast, level: int, steps: slice) -> float:
        return self._mean(covered(self.held_out.target, answer.lo[level], answer.hi[level])[:, steps])

    def _mean(self, values: Floats) -> float:
        return mean(mean_by(self.held_out.series, values))


@dataclass(frozen=True)
class Trial:
    """One architecture on the held-out steps: errors of its median, the weights it has, and what it took.

    `smape` in percent, `mase` in units of the seasonal naive error (NaN where no history has one), as
    `Measures` has them; `parameters` of all members together; `seconds` of its fit.
    """

    architecture: Architecture
    smape: float
    mase: float
    parameters: int
    seconds: float

    @classmethod
    def of(cls, backtest: Backtest, model: Forecaster, seconds: float) -> "Trial":
        architecture = model.config.architecture
        measures = backtest.measures(architecture)
        return cls(architecture, measures.smape, measures.mase, model.parameters, seconds)


def compare(candidates: Sequence[Forecaster], held_out: HeldOut) -> Backtest:
    """Let every candidate forecast the windows; none may have seen the last `held_out.steps` of a series."""
    return Backtest(
        held_out,
        {
            model.config.architecture: forecast(
                model, held_out.known, levels=sorted({*LEVELS, *_trained_levels(model.config)})
            )
            for model in candidates
        },
    )


def beside_baselines(
    backtest: Backtest, season_length: int, should_stop: Callable[[], bool] = lambda: False
) -> Backtest:
    """The same windows forecast by every baseline as well: minutes, where there are a thousand.

    `should_stop` is asked every few windows; raises `TrainingStopped`.
    """
    simple = {
        name: Forecast(_simple(baseline, backtest.held_out, season_length, should_stop), lo={}, hi={})
        for name, baseline in BASELINES.items()
    }
    return Backtest(backtest.held_out, {**backtest.forecasts, **simple})


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """The best first: by MASE, or by sMAPE where no series has a scale for MASE."""
    return sorted(trials, key=lambda trial: trial.smape if math.isnan(trial.mase) else trial.mase)


def _trained_levels(config: TrainingConfig) -> set[int]:
    """The levels, in whole percent, whose bounds are the trained quantiles."""
    return {min(99, max(1, round(100 * (2 * q - 1)))) for q in config.quantiles if q > 0.5}  # noqa: PLR2004


def _simple(
    baseline: Baseline, held_out: HeldOut, season_length: int, should_stop: Callable[[], bool]
) -> Floats:
    parts = []
    for first in range(0, len(held_out), _AT_ONCE):
        if should_stop():
            raise TrainingStopped(f"The training was stopped at window {first} of a baseline.")
        rows = np.arange(first, min(first + _AT_ONCE, len(held_out)))
        part = held_out.known.heads(rows, held_out.known.lengths[rows])
        parts.append(baseline(part, held_out.horizon, season_length))
    return np.concatenate(parts)
