"""Single series, for `benchmarks.honesty`: what is reported of their intervals, beside what came.

A series alone has few windows, so its own number is a guess; over many of a kind it has to be right. Drawn
series of five kinds and the series of M3, each by itself, are forecast without a training. The share that
came is compared with the share reported, on average, and with its range: that holds 90 in 100 of them.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from math import sqrt
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, stdev

import numpy as np

from benchmarks.honesty_parts import parts_of
from benchmarks.honesty_rows import Row, Task, shares_as_figures, shares_in_words
from models.choices import NO_SEASONS, Seasons
from models.evaluation.calibration_windows import CalibrationWindows
from models.horizon import default_horizon
from models.methods.calibration import CALIBRATED_LEVELS, Calibration
from models.methods.combination import Method, forecast_by
from models.methods.ensemble import ensemble_forecast
from models.methods.zero_shot import zero_shot_forecaster
from models.metrics import coverage
from models.network.devices import use_one_thread
from models.network.forecaster import Forecaster
from models.network.pretrained import VIEW
from models.panel import Floats, Panel

PROCESSES = 2
PART = "single series"
LEVELS = (80, 95)
DRAWN, REAL = 400, 150
MOST_GAP = 3.0
"""Points that the mean reported may be off the mean that came, beside two standard errors of that."""

LEAST_INSIDE = 0.85
"""Share of the series whose range at 80 % holds what came: 0.9 is meant."""

SHAPES: Mapping[str, tuple[int, int]] = {
    "60 months": (60, 12),
    "40 quarters": (40, 4),
    "30 years": (30, 1),
    "90 days": (90, 7),
}
"""Steps and season length of the drawn series."""


def _walk(rng: np.random.Generator, steps: int, _: int) -> Floats:
    return rng.normal(size=steps).cumsum()


def _returning(rng: np.random.Generator, steps: int, _: int) -> Floats:
    shocks = rng.normal(size=steps + 50)
    for t in range(1, len(shocks)):
        shocks[t] += 0.7 * shocks[t - 1]
    return shocks[50:]


def _seasonal(rng: np.random.Generator, steps: int, season: int) -> Floats:
    pattern = rng.normal(0, 2, season)
    return np.asarray(pattern[np.arange(steps) % season] + rng.normal(size=steps))


def _rising(rng: np.random.Generator, steps: int, _: int) -> Floats:
    return np.asarray(0.2 * np.arange(steps) + rng.normal(size=steps))


KINDS: Mapping[str, Callable[[np.random.Generator, int, int], Floats]] = {
    "random walk": _walk,
    "AR(1) of 0.7": _returning,
    "season": _seasonal,
    "trend": _rising,
    "noise": lambda rng, steps, _: rng.normal(size=steps),
}
"""How a series is drawn: so many steps, with such a season."""

REAL_PARTS = {"M3, monthly": 12, "M3, quarterly": 4, "M3, yearly": 1, "M3, other": 1}
"""Season lengths of the parts whose series are taken one by one."""


@dataclass(frozen=True)
class Seen:
    """What one series held by level, what was reported of it, and whether its range at 80 % holds that."""

    came: dict[int, float]
    reported: dict[int, float]
    is_inside: bool


def seen(history: Floats, target: Floats, season: int) -> Seen | None:
    """Forecast a series alone; None where a single cut tells nothing of it."""
    horizon, panel = len(target), Panel.of([history])
    forecaster = zero_shot_forecaster(horizon, NO_SEASONS if season == 1 else Seasons((season,)))
    calibration = _calibrated(panel, forecaster)
    share = calibration.coverage_range(80)
    if share is None:
        return None
    forecast = forecast_by(Method({VIEW: 1.0}, calibration), forecaster, panel, levels=LEVELS)
    came = {level: coverage(target[None], forecast.lo[level], forecast.hi[level]) for level in LEVELS}
    reported = {level: calibration.coverage[level] for level in LEVELS}
    return Seen(came, reported, bool(share[0] <= came[80] <= share[1]))


def _calibrated(panel: Panel, forecaster: Forecaster) -> Calibration:
    """Return the calibration on all windows of a series, as the service does it."""
    windows = CalibrationWindows.of(panel, forecaster.config)
    if windows is None:
        return Calibration.identity(forecaster.config.horizon)
    raw = windows.forecast(
        lambda contexts: ensemble_forecast(forecaster, contexts, levels=CALIBRATED_LEVELS), lambda: None
    )
    return windows.calibrate(raw)


def drawn(shape: str, kind: str, seed: int) -> Seen | None:
    """Draw a series with what comes after it, and forecast it."""
    steps, season = SHAPES[shape]
    horizon = default_horizon(season)
    values = 100 + KINDS[kind](np.random.default_rng(seed), steps + horizon, season)
    return seen(values[:steps], values[steps:], season)


def real(data: Path, name: str, number: int, *, validation: bool) -> Seen | None:
    """Forecast a series of M3 by itself."""
    history, target = _series_of(data, name, validation=validation)
    return seen(history[number], target[number], REAL_PARTS[name])


@cache
def _series_of(data: Path, name: str, *, validation: bool) -> tuple[list[Floats], Floats]:
    """Return the histories and targets of some series of a part, drawn once."""
    part = parts_of(data, validation=validation)[name]()[0]
    chosen = np.random.default_rng(0).permutation(part.history.series)[:REAL]
    panel = part.history
    return [panel.values[panel.offsets[i] : panel.offsets[i + 1]] for i in chosen], part.target[chosen]


def tasks(data: Path, *, validation: bool) -> Iterator[Task]:
    """Yield a row to measure for each kind of drawn series, and for the parts of M3."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), use_one_thread) as pool:
        for shape in SHAPES:
            for kind in KINDS:
                if kind != "season" or SHAPES[shape][1] > 1:
                    name = f"{kind}, {shape}, {DRAWN} series"
                    yield Task(PART, name, partial(_row, pool, name, partial(drawn, shape, kind), DRAWN))
        for part in REAL_PARTS:
            name = f"{part}, {REAL} series by themselves{', validation' if validation else ''}"
            of = partial(real, data, part, validation=validation)
            yield Task(PART, name, partial(_row, pool, name, of, REAL))


def _row(pool: Executor, name: str, of: Callable[[int], Seen | None], count: int) -> Row:
    found = list(pool.map(of, range(count), chunksize=max(1, count // 10)))
    known = [each for each in found if each is not None]
    came, reported = (
        {level: _mean(known, field, level) for level in LEVELS} for field in ("came", "reported")
    )
    error = {level: 100 * stdev(each.came[level] for each in known) / sqrt(len(known)) for level in LEVELS}
    inside = fmean(each.is_inside for each in known)
    most = {level: MOST_GAP + 2 * error[level] for level in LEVELS}
    shares = shares_in_words(came, reported)
    return Row(
        part=PART,
        name=name,
        measured=f"{shares}; in its range {inside:.0%}, one period {count - len(known)}",
        bound=f"off {most[80]:.1f}, {most[95]:.1f}, in range {LEAST_INSIDE:.0%}",
        is_ok=inside >= LEAST_INSIDE
        and all(abs(came[level] - reported[level]) <= most[level] for level in LEVELS),
        figures={
            "came": shares_as_figures(came),
            "reported": shares_as_figures(reported),
            "in range": round(inside, 3),
            "one period": count - len(known),
        },
    )


def _mean(found: list[Seen], field: str, level: int) -> float:
    return 100 * fmean(getattr(each, field)[level] for each in found)
