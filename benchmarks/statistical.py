"""The statistical methods that a network has to beat, one series after the other in one thread.

Their forecasts and seconds are kept in `benchmarks/.cache`, since they stay the same from run to run; the
seconds told are those of the run that made them.
"""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.competition import Part
from benchmarks.naive2 import naive2
from benchmarks.scores import Score, point_forecast, score
from models import baselines
from models.windows import Floats

CACHE = Path(__file__).parent / ".cache"

OneSeries = Callable[[Floats, int, int], Floats]


def _seasonal_naive(part: Part) -> Floats:
    return baselines.seasonal_naive(part.history, part.horizon, part.season_length)


def _each(method: OneSeries) -> Callable[[Part], Floats]:
    """A method for one series, as one for all series of a part."""

    def run(part: Part) -> Floats:
        series = np.split(part.history.values, part.history.offsets[1:-1])
        return np.stack([method(values, part.horizon, part.season_length) for values in series])

    return run


def _library(model: str) -> OneSeries:
    """A model of statsforecast by its name."""

    def run(values: Floats, horizon: int, season_length: int) -> Floats:
        # Imported here: it takes seconds, which the processes that train networks need not spend.
        from statsforecast import models  # noqa: PLC0415

        answer = getattr(models, model)(season_length=season_length).forecast(y=values, h=horizon)
        return np.asarray(answer["mean"], dtype=np.float64)

    return run


METHODS: dict[str, Callable[[Part], Floats]] = {
    "naive2": _each(naive2),
    "seasonal naive": _seasonal_naive,
    "Theta": _each(_library("Theta")),
    "DynamicOptimizedTheta": _each(_library("DynamicOptimizedTheta")),
    "ETS": _each(_library("AutoETS")),
}


def run_statistics(part: Part) -> dict[str, Score]:
    return {name: _kept(name, part) for name in METHODS}


def _kept(name: str, part: Part) -> Score:
    file = CACHE / f"{_key(name, part)}.npz"
    if not file.exists():
        start = time.perf_counter()
        median = METHODS[name](part)
        CACHE.mkdir(exist_ok=True)
        np.savez(file, median=median, seconds=time.perf_counter() - start)
    with np.load(file) as kept:
        return score(part, point_forecast(kept["median"]), float(kept["seconds"]))


def _key(name: str, part: Part) -> str:
    """Other data, or another method, is another file."""
    digest = hashlib.sha256(part.history.values.tobytes() + part.history.offsets.tobytes())
    digest.update(f"{name} {part.horizon} {part.season_length}".encode())
    return f"{part.collection}-{part.frequency}-{digest.hexdigest()[:16]}"
