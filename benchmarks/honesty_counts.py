"""Counts and demand by chance alone, for `benchmarks.honesty`: nothing is to be found, whatever is said.

Panels are forecast without a training. `beats` is then false, and the share that intervals hold of what comes
is known to be that of the best whole numbers, or more. The kinds are those of `benchmarks.honesty_means`.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from statistics import fmean
from typing import get_args

import numpy as np

from benchmarks.honesty_means import Demand, lognormal, negative_binomial, poisson
from benchmarks.honesty_rows import Row, Task, shares_as_figures, shares_in_words
from models.choices import NO_SEASONS, Outcome
from models.evaluation.zero_shot import backtest_zero_shot
from models.methods.combination import forecast_by
from models.methods.zero_shot import zero_shot_forecaster
from models.metrics import coverage
from models.network.devices import use_one_thread
from models.network.pretrained import VIEW
from models.panel import Panel

PROCESSES = 2
PART = "counts by chance"
SERIES, STEPS, HORIZON = 40, 100, 6
LEVELS = (80, 95)

MOST_BEATS = 0.05
"""Share of the panels whose verdict may be `beats`."""

MOST_SHORT, MOST_GAP = 1.0, 3.0
"""Points that an interval may hold less than its level, and the reported share be off what came."""

DEMANDS = (
    *map(poisson, (0.3, 3.0, 30.0)),
    negative_binomial(1.0, 1.0),
    negative_binomial(2.0, 0.5),
    lognormal(0.3, 1.0),
    lognormal(0.8, 0.8),
)


@dataclass(frozen=True)
class Found:
    """What one panel's backtest found, beside the shares that came and that were reported, by level."""

    outcome: Outcome
    effect: float
    came: dict[int, float]
    reported: dict[int, float]


def found(demand: Demand, seed: int) -> Found:
    """Backtest and forecast a drawn panel; what comes after it is drawn, too."""
    drawn = demand.draw(np.random.default_rng(seed), (SERIES, STEPS + HORIZON))
    panel, forecaster = Panel.of(list(drawn[:, :STEPS])), zero_shot_forecaster(HORIZON, NO_SEASONS)
    assessment = backtest_zero_shot(forecaster, panel)
    if assessment is None:
        raise ValueError(f"A panel of {demand.name} is too short for a backtest.")
    verdict, method = assessment.verdicts[VIEW], assessment.methods[VIEW]
    forecast = forecast_by(method, forecaster, panel, levels=LEVELS)
    came = {level: coverage(drawn[:, STEPS:], forecast.lo[level], forecast.hi[level]) for level in LEVELS}
    reported = {level: method.calibration.coverage[level] for level in LEVELS}
    return Found(verdict.outcome, verdict.effect, came, reported)


def tasks(panels: int) -> Iterator[Task]:
    """Yield a row to measure for each kind of demand."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), use_one_thread) as pool:
        for demand in DEMANDS:
            name = f"{demand.name}, {panels} panels"
            yield Task(PART, name, partial(_row, pool, name, demand.name, panels))


def _row(pool: ProcessPoolExecutor, name: str, kind: str, panels: int) -> Row:
    each = list(pool.map(_found, [kind] * panels, range(panels), chunksize=max(1, panels // 20)))
    outcomes = Counter(one.outcome for one in each)
    counts = {outcome: outcomes[outcome] for outcome in get_args(Outcome)}
    came, reported = (
        {level: 100 * fmean(getattr(one, of)[level] for one in each) for level in LEVELS}
        for of in ("came", "reported")
    )
    said = ", ".join(f"{outcome} {count}" for outcome, count in counts.items())
    effect = fmean(one.effect for one in each)
    holds = all(
        came[level] >= level - MOST_SHORT and abs(came[level] - reported[level]) <= MOST_GAP
        for level in LEVELS
    )
    shares = shares_in_words(came, reported)
    return Row(
        part=PART,
        name=name,
        measured=f"effect {effect:+.1%}: {said}; {shares}",
        bound=f"beats {MOST_BEATS * panels:g}, short {MOST_SHORT:g}, reported {MOST_GAP:g}",
        is_ok=counts["beats"] <= MOST_BEATS * panels and holds,
        figures={
            "effect": round(effect, 4),
            **counts,
            "came": shares_as_figures(came),
            "reported": shares_as_figures(reported),
        },
    )


def _found(kind: str, seed: int) -> Found:
    return found(next(demand for demand in DEMANDS if demand.name == kind), seed)
