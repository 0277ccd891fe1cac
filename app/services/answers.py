"""Forecasts on their way from the core to a format: arrays, and what all series of one answer share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.db.tables import Model
from app.intake.frame import TimeAxis
from app.intake.steps import Ints
from app.schemas.backtests import Outcome
from app.services.verdicts import Answerer
from models.forecasting import Forecast


@dataclass(frozen=True, eq=False)
class Known:
    """Which series are forecast, and the last time known of each; those of no dataset have none here."""

    axis: TimeAxis
    unique_ids: list[str]
    ends: Ints  # (series,) ordinals
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


def told(
    known: Known, model: Model, answerer: Answerer, forecast: Forecast, levels: Sequence[int]
) -> Answers:
    """Say of a forecast of the known series what is to be said with it."""
    return Answers(
        dataset_id=known.dataset_id,
        dataset_version=known.dataset_version,
        model_id=model.id,
        frequency=known.axis.frequency,
        method=answerer.name,
        verdict=answerer.verdict,
        warning=answerer.warning,
        calibrated={level: answerer.method.calibration.holds(level) for level in levels},
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
    axis = known.axis
    after = {end: axis.format(axis.future(end, horizon)) for end in np.unique(known.ends).tolist()}
    return [after[end] for end in known.ends.tolist()]
