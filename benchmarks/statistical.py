"""The statistical methods that a network has to beat, one series after the other in one thread.

Their forecasts and seconds are kept in `benchmarks/.cache`, since they stay the same from run to run; the
seconds told are those of the run that made them.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from benchmarks.competition import Part
from benchmarks.naive2 import naive2
from benchmarks.scores import LEVELS, Score, score
from models.digest import sha256
from models.methods import baselines
from models.methods.forecast import Forecast
from models.panel import Floats

CACHE = Path(__file__).parent / ".cache"

Answers = Mapping[str, Floats]
"""The medians as `mean`, and for a method with intervals its bounds as `lo-80` and so on."""


def _seasonal_naive(part: Part) -> Answers:
    return {"mean": baselines.seasonal_naive(part.history, part.horizon, part.season_length)}


def _naive2(part: Part) -> Answers:
    medians = [naive2(values, part.horizon, part.season_length) for values in _series(part)]
    return {"mean": np.stack(medians)}


def _library(model: str) -> Callable[[Part], Answers]:
    """A model of statsforecast by its name, with its own intervals."""

    def run(part: Part) -> Answers:
        # Imported here: it takes seconds, which the processes that train networks need not spend.
        from statsforecast import models  # noqa: PLC0415

        method = getattr(models, model)(season_length=part.season_length)
        answers = [method.forecast(y=values, h=part.horizon, level=[*LEVELS]) for values in _series(part)]
        return {name: np.stack([answer[name] for answer in answers]) for name in answers[0]}

    return run


def _series(part: Part) -> list[Floats]:
    return np.split(part.history.values, part.history.offsets[1:-1])


METHODS: dict[str, Callable[[Part], Answers]] = {
    "naive2": _naive2,
    "seasonal naive": _seasonal_naive,
    "Theta": _library("Theta"),
    "DynamicOptimizedTheta": _library("DynamicOptimizedTheta"),
    "ETS": _library("AutoETS"),
}


def run_statistics(part: Part) -> dict[str, Score]:
    return {name: _kept(name, part) for name in METHODS}


def _kept(name: str, part: Part) -> Score:
    file = CACHE / f"{_key(name, part)}.npz"
    if not file.exists():
        start = time.perf_counter()
        answers = METHODS[name](part)
        CACHE.mkdir(exist_ok=True)
        np.savez(file, allow_pickle=False, seconds=time.perf_counter() - start, **answers)
    with np.load(file) as kept:
        return score(part, _forecast(kept), float(kept["seconds"]))


def _forecast(kept: Answers) -> Forecast:
    levels = [level for level in LEVELS if f"lo-{level}" in kept]
    lo, hi = ({level: kept[f"{side}-{level}"] for level in levels} for side in ("lo", "hi"))
    return Forecast(kept["mean"], lo, hi)


def _key(name: str, part: Part) -> str:
    """Other data, or another method, is another file."""
    method = f"{name} {part.horizon} {part.season_length} {LEVELS}".encode()
    digest = sha256(part.history.values.tobytes(), part.history.offsets.tobytes(), method)
    return f"{part.collection}-{part.frequency}-{digest[:16]}"
