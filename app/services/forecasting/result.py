"""The result of a request as data: forecasts with their times, and what all series share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.db.tables import Model
from app.intake.arrays import Ints, Mask
from app.intake.frame import SeriesFrame
from app.intake.time.axis import TimeAxis
from app.schemas.backtests import LevelCalibration
from app.schemas.choices import Outcome
from app.services.registry.served_method import ServedMethod
from models.choices import Limits
from models.methods.combination import QuantileForecast
from models.methods.forecast import Forecast, clip
from models.panel import Floats

AFTER_ONE = "the forecast goes on from it, and no history tells how far it may go."
COLD = f"A single value of this series is known: {AFTER_ONE}"


@dataclass(frozen=True, eq=False)
class Origins:
    """The series of a forecast, and the time of the last value of each; ad hoc series have no dataset."""

    axis: TimeAxis
    unique_ids: list[str]
    ends: list[int]  # ordinals
    is_cold: Sequence[bool] = ()  # whether each has a single value; empty where none has
    dataset_id: str | None = None
    dataset_version: int | None = None


@dataclass(frozen=True, eq=False)
class ForecastResult:
    """Forecasts of several series by one model.

    `times` holds a list for each series, as JSON writes them. `following` is the name of the last series if
    another page follows. `is_open` (series, horizon) is False for steps at which a series never has a value:
    no answer shows them. It is None where all are shown.
    """

    dataset_id: str | None
    dataset_version: int | None
    model_id: str
    frequency: str | int
    method: str
    verdict: Outcome | None
    warning: str | None
    calibration: dict[int, LevelCalibration]  # by level
    levels: tuple[int, ...]  # in the order of the request
    unique_ids: list[str]
    times: list[list[str | int]]
    forecast: Forecast
    mean: Floats  # (series, horizon)
    following: str | None = None
    is_open: Mask | None = None
    is_cold: Sequence[bool] = ()  # (series,) whether a series has a single value; empty where none has

    @property
    def warnings(self) -> list[str | None]:
        """The warning on each series."""
        if not any(self.is_cold):
            return [self.warning] * len(self)
        return [self._joined(COLD) if cold else self.warning for cold in self.is_cold]

    @property
    def warning_on_all(self) -> str | None:
        """The warning on all series together, for tables and charts."""
        count = sum(self.is_cold)
        if len(self) == 1 or not count:
            return self.warnings[0] if len(self) else self.warning
        which = "1 of these series has" if count == 1 else f"{count:,} of these series have"
        return self._joined(f"{which} a single value: {AFTER_ONE}")

    def __len__(self) -> int:
        return len(self.unique_ids)

    def warning_also(self, sentence: str) -> "ForecastResult":
        """Return the result with a further sentence in its warning."""
        return replace(self, warning=self._joined(sentence))

    def open_at(self, is_open: Mask | None) -> "ForecastResult":
        """Return the result without the steps that are not open, (series, horizon); None closes none."""
        if is_open is None:
            return self
        return replace(self, is_open=is_open if self.is_open is None else self.is_open & is_open)

    def _joined(self, sentence: str) -> str:
        return f"{self.warning} {sentence}" if self.warning else sentence


@dataclass(frozen=True, eq=False)
class Context:
    """The end of a series: `ds` (steps,) ordinals of the axis, and `y` (steps,), NaN for a gap."""

    axis: TimeAxis
    ds: Ints
    y: Floats

    @classmethod
    def until(cls, axis: TimeAxis, end: int, y: Floats) -> "Context":
        """Return the context whose last value is at the ordinal `end`."""
        back = np.arange(1 - len(y), 1, dtype=np.int64)
        return cls(axis, axis.step.shift(np.full(len(y), end, dtype=np.int64), back), y)

    @classmethod
    def of_only(cls, frame: SeriesFrame) -> "Context":
        """Return the context that a frame of one series holds."""
        return cls(frame.axis, frame.ds, frame.y)


@dataclass(frozen=True, eq=False)
class Answer:
    """What is answered of quantile forecasts: steps ahead and levels, kept within limits."""

    horizon: int
    levels: Sequence[int]
    limits: Limits
    until: int | None = None  # the ordinal after which no step is shown
    is_open: Mask | None = None  # (series, horizon), False for steps that are not shown either


def result_of(
    origins: Origins, model: Model, served_method: ServedMethod, quantiles: QuantileForecast, answer: Answer
) -> ForecastResult:
    """Join what is answered of some series with its times, its method and the verdict on it."""
    calibration, limits = served_method.method.calibration, answer.limits
    result = ForecastResult(
        dataset_id=origins.dataset_id,
        dataset_version=origins.dataset_version,
        model_id=model.id,
        frequency=origins.axis.frequency,
        method=served_method.name,
        verdict=served_method.verdict,
        warning=served_method.warning,
        calibration={
            level: LevelCalibration.model_validate(calibration.reliability(level)) for level in answer.levels
        },
        levels=tuple(answer.levels),
        unique_ids=origins.unique_ids,
        times=_times(origins, answer.horizon),
        forecast=quantiles.forecast(answer.horizon, answer.levels).within(limits),
        mean=clip(quantiles.mean[:, : answer.horizon], *limits.ends),  # it is not rounded
        is_open=answer.is_open,
        is_cold=origins.is_cold,
    )
    return (
        result
        if answer.until is None
        else result.open_at(_steps_until(origins, answer.horizon, answer.until))
    )


def _steps_until(origins: Origins, horizon: int, until: int) -> Mask:
    """Return which steps ahead of each series come no later than `until`, shape (series, horizon)."""
    counts = origins.axis.steps_until(np.array(origins.ends, dtype=np.int64), until)
    shown: Mask = np.arange(horizon) < counts[:, None]
    return shown


def _times(origins: Origins, horizon: int) -> list[list[str | int]]:
    """Return the times ahead; series that end together, as most do, share a list."""
    axis = origins.axis
    after = {end: axis.format(axis.future(end, horizon)) for end in set(origins.ends)}
    return [after[end] for end in origins.ends]
