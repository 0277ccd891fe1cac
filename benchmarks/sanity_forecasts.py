"""How `benchmarks.sanity` asks the service: past HTTP, by the functions that its routes and commands call."""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress
from pathlib import Path

import numpy as np

from app.auth import OWNER
from app.commands import offline
from app.db.engine import Database
from app.schemas.datasets import ObservationIn
from app.schemas.train import TrainRequest
from app.services.forecasting import ad_hoc
from app.services.forecasting.compute import result_pages
from app.services.forecasting.model_loading import load_model
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.resolve import find_plan
from app.services.forecasting.result import ForecastResult
from app.settings import Settings
from benchmarks.sanity_series import Draw, Kind, Time

LEVEL = 95


@dataclass(frozen=True)
class Forecast:
    """The forecast of one series by time: median and upper 95 % bound."""

    median: Mapping[Time, float]
    upper: Mapping[Time, float]


Way = Callable[[Kind, Sequence[Draw]], Iterable[Sequence[Forecast]]]
"""How forecasts are made: for each draw, those of its series."""


def pretrained(kind: Kind, draws: Sequence[Draw]) -> Iterator[list[Forecast]]:
    """Yield the forecasts of each draw by the pretrained networks, each a request of its own."""
    for draw in draws:
        rows = [
            ObservationIn(unique_id=_name(0, number), ds=ds, y=float(y))
            for number, series in enumerate(draw)
            for ds, y in zip(series.times, series.history, strict=True)
        ]
        request = ForecastRequest(horizon=kind.horizon, levels=(LEVEL,))
        result, _ = ad_hoc.forecast_pretrained(rows, request, "cpu")
        yield _of_draw(_forecasts([result]), 0, draw)


def quick(kind: Kind, draws: Sequence[Draw]) -> Iterator[list[Forecast]]:
    """Yield the forecasts of each draw by a model trained on it alone with preset `quick`."""
    for draw in draws:
        yield _of_draw(_trained(kind, [draw]), 0, draw)


def quick_together(kind: Kind, draws: Sequence[Draw]) -> Iterator[list[Forecast]]:
    """Yield the forecasts of each draw by one model trained on all, where a draw has only one series."""
    if len(draws[0]) > 1:
        yield from quick(kind, draws)
        return
    forecasts = _trained(kind, draws)
    for number, draw in enumerate(draws):
        yield _of_draw(forecasts, number, draw)


def _trained(kind: Kind, draws: Sequence[Draw]) -> dict[str, Forecast]:
    """Train on the series of some draws and return their forecasts by name."""
    request = TrainRequest(dataset_id="", horizon=kind.horizon, preset="quick", on_loss="fallback")
    with tempfile.TemporaryDirectory(prefix="gatecast-sanity-") as folder:
        file = Path(folder) / "series.csv"
        file.write_text(_csv(draws), encoding="utf-8")
        settings = Settings(database_url=f"sqlite:///{folder}/gatecast.db", device="cpu")
        model_id = offline.train(settings, file, request).model.id
        database = Database(settings.database_url)
        try:
            with database.read() as session:
                plan = find_plan(session, OWNER, ForecastRequest(model_id=model_id))
            load = partial(load_model, database, plan.model, plan.axis.seasons, "cpu")
            return _forecasts(result_pages(database, plan, load, [LEVEL]))
        finally:
            database.dispose()


def _csv(draws: Sequence[Draw]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["unique_id", "ds", "y"])
    for number, draw in enumerate(draws):
        for place, series in enumerate(draw):
            pairs = zip(series.times, series.history.tolist(), strict=True)
            writer.writerows((_name(number, place), ds, y) for ds, y in pairs)
    return buffer.getvalue()


def _name(draw: int, series: int) -> str:
    return f"{draw:03}-{series:03}"


def _of_draw(forecasts: Mapping[str, Forecast], number: int, draw: Draw) -> list[Forecast]:
    return [forecasts[_name(number, place)] for place in range(len(draw))]


def _forecasts(results: Iterable[ForecastResult]) -> dict[str, Forecast]:
    """Return the forecasts of results by the name of their series."""
    found = {}
    for result in results:
        numbers = (result.forecast.median, result.forecast.hi[LEVEL])
        is_open = np.ones_like(numbers[0], dtype=np.bool_) if result.is_open is None else result.is_open
        for name, times, shown, *row in zip(result.unique_ids, result.times, is_open, *numbers, strict=True):
            pairs = (zip(compress(times, shown), each[shown].tolist(), strict=True) for each in row)
            found[name] = Forecast(*map(dict, pairs))
    return found
