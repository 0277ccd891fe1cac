"""Forecasts on their way from the core to a format: arrays, and what all series of one answer share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from app.db.tables import Model
from app.intake.arrays import Ints
from app.intake.frame import SeriesFrame
from app.intake.time.axis import TimeAxis
from app.schemas.backtests import Outcome
from app.services.registry.served_method import ServedMethod
from models.methods.forecast import Forecast
from models.panel import Floats

KEPT_HORIZON = 200  # steps: the times of longer forecasts would fill the memory


@dataclass(frozen=True, eq=False)
class Known:
    """Which series are forecast, and the last time known of each; those of no dataset have none here."""

    axis: TimeAxis
    unique_ids: list[str]
    ends: list[int]  # ordinals
    dataset_id: str | None = None
    dataset_version: int | None = None


@dataclass(frozen=True, eq=False)
class Answers:
    """Forecasts of some series by one model. `times` holds a list for each series, as JSON shows them."""

    dataset_id: str | None
    dataset_version: int | None
    model_id: str
    frequency: str | int
    method: str
    verdict: Outcome | None
    warning: str | None
    calibrated: dict[int, bool]  # by level
    levels: tuple[int, ...]  # in the order asked for
    unique_ids: list[str]
    times: list[list[str | int]]
    forecast: Forecast

    def __len__(self) -> int:
        return len(self.unique_ids)


@dataclass(frozen=True, eq=False)
class History:
    """The end of a series: `ds` (steps,) ordinals of the axis, and `y` (steps,), NaN for a gap."""

    axis: TimeAxis
    ds: Ints
    y: Floats

    @classmethod
    def until(cls, axis: TimeAxis, end: int, y: Floats) -> "History":
        """The history whose last value is at `end`."""
        back = np.arange(1 - len(y), 1, dtype=np.int64)
        return cls(axis, axis.step.shift(np.full(len(y), end, dtype=np.int64), back), y)

    @classmethod
    def of_only(cls, frame: SeriesFrame) -> "History":
        """The history of a frame's only series."""
        return cls(frame.axis, frame.ds, frame.y)


@dataclass(frozen=True, eq=False)
class Answered:
    """Forecasts, the name to go on after if they are a page, and what is known of the first, for a chart."""

    answers: Answers
    history: Callable[[], History]
    following: str | None = None


def told(
    known: Known, model: Model, served_method: ServedMethod, forecast: Forecast, levels: Sequence[int]
) -> Answers:
    """Say of a forecast of the known series what is to be said with it."""
    return Answers(
        dataset_id=known.dataset_id,
        dataset_version=known.dataset_version,
        model_id=model.id,
        frequency=known.axis.frequency,
        method=served_method.name,
        verdict=served_method.verdict,
        warning=served_method.warning,
        calibrated={level: served_method.method.calibration.is_calibrated(level) for level in levels},
        levels=tuple(levels),
        unique_ids=known.unique_ids,
        times=_times(known, forecast.median.shape[1]),
        forecast=forecast,
    )


def of_nothing(horizon: int, levels: Sequence[int]) -> Forecast:
    """Return the forecast of no series at all, for a page that begins after the last one."""
    none = np.empty((0, horizon))
    return Forecast(none, lo=dict.fromkeys(levels, none), hi=dict.fromkeys(levels, none))


def _times(known: Known, horizon: int) -> list[list[str | int]]:
    """Write the times ahead; series that end together, as most do, share a list."""
    if horizon > KEPT_HORIZON:
        after = {end: _written(known.axis, end, horizon) for end in set(known.ends)}
        return [after[end] for end in known.ends]
    return [_times_after(known.axis, end, horizon) for end in known.ends]


def _written(axis: TimeAxis, end: int, horizon: int) -> list[str | int]:
    return axis.format(axis.future(end, horizon))


@lru_cache(maxsize=1000)
def _times_after(axis: TimeAxis, end: int, horizon: int) -> list[str | int]:
    return _written(axis, end, horizon)
